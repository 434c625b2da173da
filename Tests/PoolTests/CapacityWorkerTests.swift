import FunctionCore
import Invocations
import Scaling
import Testing

@testable import WorkerPool

extension WorkerSuite {
    @Suite("capacity")
    struct Capacity {
        private func host(memory: Int = 1 << 40, desk: Int = 1) -> HostCapacity {
            HostCapacity(
                HostProfile(cpu: 64_000, memory: memory, slots: [SlotProfile(name: "desk", total: desk)])
            )
        }

        private func lacks(_ bench: PoolBench) -> Int {
            bench.reports.all.count { if case .lacksRoom = $0 { true } else { false } }
        }

        @Test("one slot serves trading, then learning, then trading: who is idle makes room at once")
        func timeSharing() async throws {
            let capacity = host()
            func bench(_ function: String) -> PoolBench {
                PoolBench(function, capacity: capacity) {
                    $0.resources.slots = [.init(name: "desk", model: 1)]
                }
            }
            let trading = bench("echo")
            let learning = bench("slow")
            #expect(await trading.run().outcome.label == "ok")
            #expect(await learning.run(#"{"ms": 1}"#).outcome.label == "ok")
            #expect(try await trading.status().workers == 0)
            #expect(trading.reports.gone.map(\.asked) == [true])
            #expect(lacks(learning) == 1)
            #expect(await trading.run().outcome.label == "ok")
            #expect(try await learning.status().workers == 0)
            try await trading.drain()
            try await learning.drain()
            #expect(capacity.standing.free == capacity.standing.total)
        }

        @Test("what waits for room waits no longer than its own deadline, and is seen while it does")
        func deadline() async throws {
            let capacity = host()
            let busy = PoolBench("slow", capacity: capacity) {
                $0.resources.slots = [.init(name: "desk", model: 1)]
            }
            let late = PoolBench("echo", capacity: capacity) {
                $0.resources.slots = [.init(name: "desk", model: 1)]
            }
            let holder = busy.watch(#"{"ms": 15000}"#)
            try await busy.untilRunning()
            let waiting = late.watch(timeout: .milliseconds(400))
            try await late.untilStatus { $0.pending == 1 }
            let wait = try #require(capacity.standing.waiting.first)
            #expect(wait.function == "echo")
            #expect(wait.lacking == [.slot("desk"): 1])
            try await late.until { waiting.ended }
            #expect(waiting.outcomes.map(\.label) == ["expired"])
            #expect(capacity.standing.waiting.isEmpty)
            #expect(try await late.status().pending == 0)
            holder.cancel()
            try await busy.drain()
            try await late.drain()
        }

        @Test("three functions in the memory of two workers: all are answered, and nothing is overcommitted")
        func crowd() async throws {
            let capacity = host(memory: 512 << 20)
            let benches = ["echo", "echo-async", "slow"].map { PoolBench($0, capacity: capacity) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<45 {
                    group.addTask {
                        let reply = await benches[round % 3].run(#"{"ms": 2}"#)
                        #expect(reply.outcome.label == "ok")
                        let held = capacity.standing.held.count
                        #expect(held <= 2, "\(held) workers hold memory")
                    }
                }
                try await group.waitForAll()
            }
            for bench in benches { try await bench.drain() }
            #expect(capacity.standing.held.isEmpty)
        }

        @Test("a worker that could not be started gives its room back")
        func failedStart() async throws {
            let capacity = host()
            let bench = PoolBench("echo", executable: "/nonexistent", capacity: capacity) {
                $0.limits.timeout = .milliseconds(300)
            }
            _ = await bench.run()
            try await bench.drain()
            #expect(capacity.standing.held.isEmpty)
            #expect(capacity.standing.waiting.isEmpty)
        }
    }
}
