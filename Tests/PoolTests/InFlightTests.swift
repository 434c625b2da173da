import FunctionCore
import Invocations
import Seeds
import Testing

@testable import WorkerPool

@Suite("what may be in flight on a host", .timeLimit(.minutes(1)))
struct InFlightLedgerTests {
    @Test("what is reserved is kept free of the others, and the rest is for whoever comes first")
    func reserved() {
        var ledger = InFlightLedger(bound: 5, reserved: ["chat": 2])
        let others = (0..<5).map { _ in ledger.take("film") }
        #expect(others == [true, true, true, false, false])
        let chat = (0..<3).map { _ in ledger.take("chat") }
        #expect(chat == [true, true, false])
        ledger.giveBack("film")
        let third = ledger.take("chat")
        #expect(third, "it may have more than what is reserved")
        ledger.giveBack("chat")
        let again = ledger.take("film")
        #expect(again, "what it gives back first is the common part")
        #expect(ledger.total == 5)
    }

    @Test(
        "never more than the bound, never less than what is reserved",
        arguments: 1...30 as ClosedRange<UInt64>
    )
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed)
        let names = ["a", "b", "c"]
        var reserved = ["a": 2, "b": 1]
        var ledger = InFlightLedger(bound: 6, reserved: reserved)
        var running: [String: Int] = [:]
        for _ in 0..<3000 {
            let name = names.randomElement(using: &random) ?? "a"
            let has = running[name] ?? 0
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<50:
                let taken = ledger.take(name)
                #expect(taken || has >= reserved[name] ?? 0, "\(name) has \(has) of \(reserved)")
                if taken { running[name] = has + 1 }
            case 50..<98:
                if has > 0 { running[name] = has - 1 }
                ledger.giveBack(name)
            default:
                // A reload may reserve what others hold for the moment; then the bound is kept as they end.
                if ledger.total == 0 {
                    reserved = [
                        "b": Int.random(in: 0...3, using: &random),
                        "c": Int.random(in: 0...3, using: &random),
                    ]
                    ledger.replace(reserved: reserved)
                }
            }
            #expect(ledger.total == running.values.reduce(0, +) && ledger.total <= 6)
        }
    }
}

@Suite("pool machine: the queue's own time", .timeLimit(.minutes(1)))
struct QueueWaitTests {
    @Test("who has waited for queueWait is shed with a wait of its own, and who runs by then is not")
    func shed() {
        var bench = MachineBench {
            $0.limits.queueWait = .seconds(2)
            $0.scale.max = 1
        }
        bench.serve(1)
        bench.arrive(2)
        bench.pass(.milliseconds(1900))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(200))
        #expect(bench.taken() == [.end(2, .shed(.queueTimeout, retryAfter: .seconds(1)))])
        bench.finish(1)
        bench.arrive(3)
        #expect(bench.taken() == [.send(3, 1, attempt: 1)])
    }

    @Test("an invocation whose own time is shorter expires, as ever")
    func expired() {
        var bench = MachineBench {
            $0.limits.queueWait = .seconds(5)
            $0.scale.max = 1
        }
        bench.serve(1)
        bench.arrive(2, timeout: .seconds(1))
        bench.pass(.seconds(2))
        #expect(bench.taken() == [.end(2, .expired)])
    }
}

@Suite("pool machine: the host's bound", .timeLimit(.minutes(1)))
struct HeldTests {
    /// A pool whose function has nothing reserved, and one that takes what there is.
    private func bench(queue: Int) throws -> (MachineBench, rival: PoolShare) {
        let shares = try #require(InFlightShares(bound: 1, reserved: [:]))
        var bench = MachineBench {
            $0.limits.queue = queue
            $0.scale.max = 4
        }
        bench.machine.share = PoolShare(shares, "film") {}
        return (bench, PoolShare(shares, "rival") {})
    }

    @Test("what the host has no room for waits without a worker more, and goes on when it is told")
    func waits() throws {
        var (bench, rival) = try bench(queue: 8)
        bench.serve(1)
        bench.finish(1)
        #expect(rival.take())
        _ = bench.taken()
        bench.arrive(2)
        bench.arrive(3)
        #expect(bench.taken() == [])
        rival.giveBack()
        bench.look()
        #expect(bench.taken() == [.send(2, 1, attempt: 1), .spawn(2)])
        bench.finish(2)
        #expect(bench.taken() == [.send(3, 1, attempt: 1)])
    }

    @Test("what finds the queue full as well is told that it is the host")
    func sheds() throws {
        var (bench, rival) = try bench(queue: 1)
        bench.serve(1)
        bench.finish(1)
        #expect(rival.take())
        _ = bench.taken()
        bench.arrive(2)
        #expect(bench.taken() == [])
        bench.arrive(3)
        #expect(bench.taken() == [.end(3, .shed(.hostOverloaded, retryAfter: .seconds(1)))])
        bench.cancel(2)
        rival.giveBack()
        bench.look()
        bench.arrive(4)
        #expect(bench.taken().contains(.send(4, 1, attempt: 1)))
    }

    @Test("without a queue nothing waits, even where a worker has room")
    func none() throws {
        var (bench, rival) = try bench(queue: 0)
        bench.serve(1)
        bench.finish(1)
        #expect(rival.take())
        _ = bench.taken()
        bench.arrive(2)
        #expect(bench.taken() == [.end(2, .shed(.hostOverloaded, retryAfter: .seconds(1)))])
    }
}

extension WorkerSuite {
    @Suite("in flight on a host")
    struct HostBound {
        @Test(
            "two functions keep to the host's bound, and whoever was refused goes on as soon as there is room"
        )
        func shared() async throws {
            let shares = try #require(InFlightShares(bound: 2, reserved: ["slow": 1]))
            let film = PoolBench("slow", shares: shares) { $0.scale.max = 4 }
            let chat = PoolBench("echo-async", shares: shares) { $0.scale.max = 4 }
            async let films = all(6) { await film.run(#"{"ms": 30}"#) }
            async let chats = all(20) { await chat.run() }
            let succeeded = await films + chats
            #expect(succeeded == Array(repeating: true, count: 26))
            try await film.drain()
            try await chat.drain()
        }

        private func all(
            _ count: Int,
            _ run: @escaping @Sendable () async -> CollectedReply
        ) async -> [Bool] {
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<count { group.addTask { await run().outcome.succeeded } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
    }
}
