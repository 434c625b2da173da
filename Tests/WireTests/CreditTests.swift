import Testing
import Wire

@Suite("credit", .timeLimit(.minutes(1)))
struct CreditTests {
    @Test("what is taken is at most what is wanted and what there is")
    func takes() async throws {
        let credit = Credit(10)
        #expect(try await credit.take(4) == 4)
        #expect(try await credit.take(100) == 6)
        credit.grant(3)
        #expect(try await credit.take(100) == 3)
    }

    @Test("a taker without credit waits for the next grant")
    func waits() async throws {
        let credit = Credit(0)
        let taker = Task { try await credit.take(5) }
        await Task.yield()
        credit.grant(0)
        credit.grant(-4)
        credit.grant(2)
        #expect(try await taker.value == 2)
    }

    @Test("closing ends a taker that waits and all that come later")
    func closes() async {
        let credit = Credit(0)
        let taker = Task { try await credit.take(5) }
        await Task.yield()
        credit.close()
        await #expect(throws: CancellationError.self) { try await taker.value }
        credit.grant(10)
        await #expect(throws: CancellationError.self) { try await credit.take(1) }
    }

    @Test("closing does not take what had been taken before")
    func closesAfter() async throws {
        let credit = Credit(8)
        #expect(try await credit.take(8) == 8)
        credit.close()
        credit.close()
        await #expect(throws: CancellationError.self) { try await credit.take(1) }
    }

    @Test("many small grants from another task are all taken, none twice")
    func manyGrants() async throws {
        let credit = Credit(0)
        let total = 20_000
        let granter = Task.detached {
            for _ in 0..<total { credit.grant(1) }
        }
        var taken = 0
        while taken < total { taken += try await credit.take(7) }
        await granter.value
        #expect(taken == total)
    }
}
