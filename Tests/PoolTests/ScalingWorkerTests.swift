import FunctionCore
import Invocations
import NIOCore
import Scaling
import Testing

@testable import WorkerPool

extension PoolBench {
    /// Looks at the pool until it stands as it should; a time limit of the suite ends what never comes.
    func untilStatus(_ condition: (PoolStatus) -> Bool) async throws {
        while !condition(try await status()) {
            try Task.checkCancellation()
            try await pool.loop.scheduleTask(in: .milliseconds(10)) {}.futureResult.get()
        }
    }
}

extension WorkerSuite {
    @Suite("scaling")
    struct Scalers {
        /// A user whose stream has begun and stays open.
        private func connect(_ bench: PoolBench) async throws -> WatchedReply {
            let user = bench.watch(#"{"events": 1000000, "delay": 60000}"#)
            try await bench.until { user.heads == 1 }
            return user
        }

        private func usersBench() -> PoolBench {
            PoolBench("stream") {
                $0.limits.perWorker = 64
                $0.limits.timeout = .seconds(110)
                $0.scale.target = [.connections: 10]
                $0.scale.window = .seconds(1)
                $0.scale.panic.window = .seconds(1)
                $0.scale.stabilization = .zero
            }
        }

        @Test("ten users share a worker, the eleventh brings the second, and the next go there")
        func users() async throws {
            let bench = usersBench()
            var users: [WatchedReply] = []
            for _ in 0..<10 { users.append(try await connect(bench)) }
            try await bench.untilStatus { $0.wanted == 1 && $0.why == "connections 10 at 10 a worker" }
            #expect(try await bench.status().workers == 1)
            users.append(try await connect(bench))
            try await bench.untilStatus { $0.wanted == 2 && $0.idle == 1 }
            #expect(bench.reports.ready == 2)
            // The twelfth finds a worker that bears less than its target.
            users.append(try await connect(bench))
            #expect(try await bench.status().idle == 0)
            for user in users { user.cancel() }
            try await bench.untilStatus { $0.workers == 0 }
            #expect(bench.reports.gone.allSatisfy { $0.asked })
            let pids = bench.reports.invocations.map(\.pid)
            #expect(Set(pids).count == 2)
            #expect(Set(pids.prefix(11)).count == 1)
            try await bench.drain()
        }

        @Test("the eleventh WebSocket client brings the second worker, and none stays when all have left")
        func leases() async throws {
            let bench = usersBench()
            for client in 1...10 { bench.pool.leaseTaken(by: "client \(client)") }
            try await bench.untilStatus { $0.wanted == 1 && $0.workers == 1 && $0.connections == 10 }
            bench.pool.leaseTaken(by: "client 11")
            try await bench.untilStatus { $0.wanted == 2 && $0.workers == 2 && $0.idle == 2 }
            for client in 1...11 { bench.pool.leaseReturned(by: "client \(client)") }
            try await bench.untilStatus { $0.workers == 0 }
            #expect(bench.reports.gone.allSatisfy { $0.asked })
            try await bench.drain()
        }

        @Test("a worker that is to leave keeps its users until they go, and is then gone")
        func drains() async throws {
            let bench = usersBench()
            var first: [WatchedReply] = []
            for _ in 0..<11 { first.append(try await connect(bench)) }
            try await bench.untilStatus { $0.idle == 1 }
            let second = [try await connect(bench), try await connect(bench)]
            // One user stays on the first worker, two on the second: one worker is enough for three.
            for user in first.dropFirst() { user.cancel() }
            try await bench.untilStatus { $0.wanted == 1 && $0.running == 3 }
            #expect(try await bench.status().workers == 2)
            #expect(!first[0].ended)
            first[0].cancel()
            try await bench.untilStatus { $0.workers == 1 }
            #expect(second.allSatisfy { !$0.ended })
            #expect(bench.reports.gone.map(\.asked) == [true])
            for user in second { user.cancel() }
            try await bench.untilStatus { $0.workers == 0 }
            try await bench.drain()
        }

        @Test("a busy loop brings further workers by its processor time, and none stays when it is over")
        func busyLoop() async throws {
            // A hundredth of a core: met even where many share the processor.
            let bench = PoolBench("burn") {
                $0.limits.perWorker = 4
                $0.scale.max = 3
                $0.scale.target = [.cpu: 1]
                $0.scale.window = .seconds(1)
                $0.scale.panic.window = .seconds(1)
                $0.scale.stabilization = .zero
            }
            let loop = bench.watch()
            try await bench.untilStatus { $0.workers == 3 && $0.idle == 2 }
            #expect(try await bench.status().why?.contains("cpu") == true)
            loop.cancel()
            try await bench.untilStatus { $0.workers == 0 }
            #expect(bench.reports.gone.allSatisfy { $0.asked })
            let trace = try await bench.pool.trace().get()
            #expect((trace?.samples.count ?? 0) > 2)
            try await bench.drain()
        }

        @Test("two renders run in two processes at once, and a chat is answered all the while")
        func computeIntensive() async throws {
            let renders = PoolBench("burn") { $0.scale.max = 2 }
            let chat = PoolBench("echo-async") { $0.limits.perWorker = 10 }
            let running = [renders.watch(), renders.watch()]
            try await renders.untilStatus { $0.running == 2 }
            let pids = try await renders.status().pids
            #expect(Set(pids).count == 2)
            for _ in 0..<100 { #expect(await chat.run().outcome.label == "ok") }
            #expect(running.allSatisfy { !$0.ended })
            #expect(try await renders.status().running == 2)
            // None of them waited behind a render: all came from the one chat worker.
            #expect(Set(chat.reports.invocations.map(\.pid)).count == 1)
            for render in running { render.cancel() }
            try await renders.drain()
            try await chat.drain()
        }
    }
}
