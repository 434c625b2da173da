import FunctionCore
import Glibc
import Invocations
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// Each bad neighbour: the right outcome, in bounded time, and the next request gets a fresh worker.
    @Suite("bad workers")
    struct Bad {
        /// Runs a bad invocation, then a good one.
        private func check(
            _ bench: PoolBench,
            _ bad: String,
            then good: String,
            within limit: Duration = .seconds(5),
            timeout: Duration? = nil,
            _ expected: (Outcome) -> Bool
        ) async throws {
            let start = Monotonic.now
            let outcome = await bench.run(bad, timeout: timeout).outcome
            #expect(expected(outcome), "\(outcome)")
            #expect(Monotonic.now - start < limit)
            let next = await bench.run(good)
            #expect(next.outcome.label == "ok", "\(next.outcome)")
            let reports = bench.reports.invocations
            #expect(reports.count == 2)
            #expect(reports.first?.pid != reports.last?.pid)
            #expect(reports.last?.cold == true)
            try await bench.drain()
        }

        @Test("a crash is 502 and names the signal", arguments: ["", "head", "piece"])
        func crash(_ after: String) async throws {
            try await check(PoolBench("crash"), #"{"after": "\#(after)"}"#, then: #"{"after": "none"}"#) {
                outcome in
                guard case .workerLost(let reason) = outcome else { return false }
                return reason.contains("signal") && outcome.error?.status == 502
            }
        }

        @Test("a crash of an idempotent function is tried once more, on another worker")
        func idempotentCrash() async throws {
            let bench = PoolBench("crash") { $0.idempotent = true }
            let reply = await bench.run(#"{"until": 2}"#)
            #expect(reply.body == "attempt 2")
            let again = await bench.run(#"{"until": 3}"#)
            #expect(again.outcome.label == "worker_lost")
            #expect(bench.reports.ready == 3)
            try await bench.drain()
        }

        @Test("a handler that never returns is timed out, and its process is killed")
        func hang() async throws {
            let bench = PoolBench("hang")
            try await check(bench, "{}", then: #"{"ms": 1}"#, timeout: .milliseconds(200)) {
                if case .timedOut = $0 { true } else { false }
            }
            let pid = bench.reports.invocations.first?.pid
            let killed = bench.reports.gone.first { $0.pid == pid }
            #expect(killed?.asked == true)
            #expect(killed?.reason.contains("invocation") == true, "\(String(describing: killed))")
        }

        @Test("a synchronous handler that never returns is timed out, and what had not begun runs elsewhere")
        func busy() async throws {
            let bench = PoolBench("busy") {
                $0.limits.perWorker = 2
                $0.scale.max = 1
            }
            let quick = bench.invocation(#"{"mode": "quick"}"#)
            #expect(await bench.run(quick).outcome.label == "ok")
            async let stuck = bench.run(#"{"mode": "stuck"}"#, timeout: .milliseconds(300))
            try await bench.until { bench.reports.ready == 1 }
            try await bench.untilRunning()
            let behind = await bench.run(quick)
            #expect(behind.outcome.label == "ok")
            #expect(await stuck.outcome.label == "timed_out")
            #expect(bench.reports.ready == 2)
            try await bench.drain()
        }

        @Test("a process that leaves in the midst of an invocation has lost it")
        func leave() async throws {
            try await check(PoolBench("leave"), "{}", then: #"{"mode": "stay"}"#) { outcome in
                if case .workerLost(let reason) = outcome { reason.contains("exit status 0") } else { false }
            }
        }

        @Test(
            "frames that cannot be read end the worker",
            arguments: ["noise", "oversize", "status", "twice", "elsewhere"]
        )
        func garbage(_ mode: String) async throws {
            try await check(PoolBench("garbage"), #"{"mode": "\#(mode)"}"#, then: #"{"mode": "none"}"#) {
                outcome in
                if case .workerLost(let reason) = outcome {
                    reason.contains("frames cannot be read")
                } else {
                    false
                }
            }
        }

        @Test("a worker that speaks of another's invocation changes nothing for it")
        func foreign() async throws {
            let bench = PoolBench("garbage") { $0.scale.max = 2 }
            // The first invocation of a pool has the frame id 1.
            async let first = bench.run(#"{"mode": "wait", "ms": 400}"#)
            try await bench.untilRunning()
            #expect(await bench.run(#"{"mode": "foreign", "id": 1}"#).outcome.label == "ok")
            #expect(try await bench.status().running == 1)
            #expect(await first.body == "waited")
            try await bench.drain()
        }

        @Test("a worker that closes its channel has lost its invocation", arguments: ["close", "shutdown"])
        func close(_ mode: String) async throws {
            let limit: Duration = mode == "close" ? .milliseconds(500) : .seconds(10)
            let bench = PoolBench("close")
            try await check(bench, #"{"mode": "\#(mode)"}"#, then: #"{"mode": "none"}"#, timeout: limit) {
                outcome in
                // A close alone stays unseen while the reader thread is in its read; the time limit finds it.
                switch outcome {
                case .workerLost(let reason): reason.contains("channel") || reason.contains("exit status")
                case .timedOut: mode == "close"
                default: false
                }
            }
        }

        @Test(
            "a function that cannot be made is a crash loop that names the reason",
            arguments: ["throw", "trap"]
        )
        func startCrash(_ how: String) async throws {
            let bench = PoolBench("start-crash", environment: ["START": how])
            let start = Monotonic.now
            let outcome = await bench.run().outcome
            guard case .shed(.crashLoop, let wait) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(wait > .zero && wait <= .milliseconds(500))
            #expect(Monotonic.now - start < .seconds(5))
            #expect(bench.reports.gone.count >= 5)
            if how == "throw" { #expect(bench.reports.gone.allSatisfy { $0.reason.contains("set START") }) }
            // Nothing is started meanwhile, and what comes is refused at once.
            #expect(await bench.run().outcome.label == "shed")
            try await bench.drain()
        }

        @Test("a function that takes for ever to be made holds no caller longer than its time")
        func startHang() async throws {
            let bench = PoolBench("start-crash", environment: ["START": "hang"])
            let start = Monotonic.now
            let outcome = await bench.run(timeout: .milliseconds(200)).outcome
            #expect(outcome.label == "expired")
            #expect(Monotonic.now - start < .seconds(3))
            try await bench.drain()
        }

        @Test("a function that the bundle does not have, or a bundle that is not there, is told and refused")
        func missing() async throws {
            let unknown = PoolBench("no-such-function")
            #expect(await unknown.run().outcome.label == "shed")
            #expect(unknown.reports.spawnFailures.contains { $0.contains("no function no-such-function") })
            try await unknown.drain()
            let absent = PoolBench("echo", executable: "/nowhere/functions")
            #expect(await absent.run().outcome.label == "shed")
            #expect(absent.reports.gone.contains { $0.reason.contains("/nowhere/functions") })
            try await absent.drain()
            let other = PoolBench("echo", executable: "/bin/true")
            #expect(await other.run().outcome.label == "shed")
            try await other.drain()
        }

        @Test("a cancelled invocation stops, and its worker serves on")
        func cancel() async throws {
            let bench = PoolBench("slow")
            let reply = bench.watch(#"{"ms": 60000}"#)
            try await bench.untilBegun()
            reply.cancel()
            try await bench.until { reply.ended }
            #expect(reply.outcomes.map(\.label) == ["cancelled"])
            #expect(await bench.run(#"{"ms": 1}"#).outcome.label == "ok")
            try await bench.until { bench.reports.lines.contains { $0.message == "stopped" } }
            let line = bench.reports.lines.first { $0.message == "stopped" }
            #expect(line?.metadata == ["cancelled": "true"])
            #expect(line?.invocation == bench.reports.invocations.first?.id)
            try await bench.drain()
            #expect(reply.outcomes.count == 1)
        }

        @Test(
            "an invocation whose caller has gone goes on where the manifest says so, and its reply is dropped"
        )
        func abandoned() async throws {
            for (function, json) in [("slow", #"{"ms": 300}"#), ("stream", #"{"events": 40, "size": 8192}"#)]
            {
                let bench = PoolBench(function) { $0.onDisconnect = .continue }
                let reply = bench.watch(json)
                try await bench.untilRunning()
                reply.abandon()
                try await bench.until { reply.ended }
                #expect(reply.outcomes.map(\.label) == ["cancelled"])
                try await bench.until { !bench.reports.invocations.isEmpty }
                #expect(bench.reports.invocations.first?.outcome.label == "ok")
                try await bench.drain()
                #expect(reply.outcomes.count == 1)
            }
            let bench = PoolBench("slow")
            let reply = bench.watch(#"{"ms": 60000}"#)
            try await bench.untilRunning()
            reply.abandon()
            try await bench.until { !bench.reports.invocations.isEmpty }
            #expect(bench.reports.invocations.first?.outcome.label == "cancelled")
            try await bench.drain()
        }

        @Test("a cancelled invocation that does not stop costs its worker, after the grace")
        func cancelIgnored() async throws {
            let bench = PoolBench("hang") { $0.scale.max = 1 }
            let reply = bench.watch()
            try await bench.untilBegun()
            reply.cancel()
            #expect(await bench.run(#"{"ms": 1}"#).outcome.label == "ok")
            #expect(reply.outcomes.map(\.label) == ["cancelled"])
            #expect(bench.reports.gone.first?.reason == "an invocation did not stop when asked")
            try await bench.drain()
        }
    }
}
