import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// Real workers whose handlers run one after the other, with more than one in flight on each.
    ///
    /// The slow ones take seconds: what should not wait for them ends long before.
    @Suite("queueing ahead")
    struct QueueAhead {
        private static let slow = #"{"ms": 3000}"#

        private func bench(_ workers: Int, min: Int = 0) -> PoolBench {
            PoolBench("doze") {
                $0.limits.perWorker = 8
                $0.scale.max = workers
                $0.scale.min = min
            }
        }

        @Test("an invocation goes to the worker that is free, not behind a slow one")
        func free() async throws {
            let bench = bench(2, min: 2)
            bench.pool.start()
            try await bench.until { bench.reports.ready == 2 }
            let slow = bench.watch(QueueAhead.slow)
            try await bench.untilBegun()
            for _ in 0..<20 { #expect(await bench.run().outcome.label == "ok") }
            #expect(!slow.ended)
            try await bench.until { slow.ended }
            try await bench.drain()
        }

        @Test("what is behind a slow one already is taken back, and a worker is started for it")
        func takenBack() async throws {
            let bench = bench(2)
            let slow = bench.watch(QueueAhead.slow)
            let behind = (0..<5).map { _ in bench.watch() }
            try await bench.until { behind.allSatisfy { $0.ended } }
            #expect(!slow.ended)
            #expect(behind.allSatisfy { $0.outcomes.map(\.label) == ["ok"] })
            try await bench.until { slow.ended }
            #expect(slow.outcomes.map(\.label) == ["ok"])
            #expect(Set(bench.reports.invocations.map(\.pid)).count == 2)
            // The first worker has left out what was taken back, and serves on.
            for _ in 0..<5 { #expect(await bench.run().outcome.label == "ok") }
            #expect(bench.reports.invocations.count == 11)
            try await bench.drain()
        }

        @Test("a reply that is done does not wait for a slow handler of the same batch")
        func lateSender() async throws {
            let bench = bench(1)
            let quick = (0..<3).map { _ in bench.watch() }
            let slow = bench.watch(QueueAhead.slow)
            try await bench.until { quick.allSatisfy { $0.ended } }
            #expect(!slow.ended)
            try await bench.until { slow.ended }
            try await bench.drain()
        }

        @Test("what waits behind a slow one and is cancelled never runs, and costs the worker nothing")
        func cancelled() async throws {
            let bench = bench(1)
            let slow = bench.watch(#"{"ms": 1000}"#)
            try await bench.untilBegun()
            let behind = bench.watch()
            behind.cancel()
            try await bench.until { behind.ended }
            #expect(behind.outcomes.map(\.label) == ["cancelled"])
            try await bench.until { slow.ended }
            #expect(await bench.run().outcome.label == "ok")
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }
    }
}
