import FunctionCore
import Invocations
import Testing
import Wire

@testable import WorkerPool

extension WorkerSuite {
    /// Bodies that cross in the shared region.
    @Suite("large bodies")
    struct LargeBodies {
        private func body(_ count: Int, _ seed: Int) -> Bytes {
            // No period of the page's, so that a page in another's place shows.
            var bytes = (0..<251).map { UInt8(truncatingIfNeeded: $0 &+ seed) }
            while bytes.count < count { bytes += bytes }
            return Bytes(Array(bytes.prefix(count)))
        }

        @Test(
            "bodies of all sizes come back whole, many at once and one after the other",
            arguments: ["echo", "echo-async"]
        )
        func sizes(_ function: String) async throws {
            let bench = PoolBench(function) {
                $0.limits.perWorker = 8
                $0.scale.max = 1
            }
            let page = 4096
            let least = SharedRegion.bodyMin
            for round in 0..<2 {
                await withTaskGroup(of: Void.self) { group in
                    // Together they are more than the region holds: some go inline.
                    for count in [least - 1, least, least + 1, 16 * page, 9_000_000, 12 << 20, 14 << 20] {
                        group.addTask {
                            var invocation = bench.invocation()
                            invocation.event = Event(body: body(count, round + count))
                            let reply = await bench.run(invocation)
                            #expect(reply.outcome.label == "ok")
                            #expect(reply.body == invocation.event.body)
                        }
                    }
                }
            }
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }

        @Test("a reader that takes a part and leaves gives the memory back, and its worker serves on")
        func left() async throws {
            let bench = PoolBench("big")
            for _ in 0..<8 {
                let reply = bench.watch(#"{"bytes": 9000000}"#)
                try await bench.until { reply.count == initialCredit }
                reply.grant(100_000)
                try await bench.until { reply.count == initialCredit + 100_000 }
                #expect(!reply.ended)
                reply.cancel()
                try await bench.until { reply.ended }
                #expect(reply.outcomes.map(\.label) == ["cancelled"])
            }
            #expect(await bench.run(#"{"bytes": 9000000}"#).body.count == 9_000_000)
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }
    }
}
