import FunctionCore
import Glibc
import Invocations
import Isolation
import NIOCore
import TestSupport
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// Neighbours that take all they get: they are stopped, are told why, and a sibling answers all the while.
    @Suite("greedy workers")
    struct Greedy {
        @Test(
            "allocation without end is out_of_memory, whichever limit finds it",
            arguments: [
                ("pieces", "cgroup"), ("pieces", "rlimit"), ("once", "cgroup"), ("once", "rlimit"),
                ("shared", "rlimit"),
            ]
        )
        func memory(_ how: String, _ by: String) async throws {
            let workers = try IsolatedWorkers { $0.controlGroups = by == "cgroup" }
            try await PoolBench.withSibling(workers.isolation) {
                let bench = PoolBench("allocate", isolation: workers.isolation) {
                    $0.limits.memoryMiB = 96
                }
                let start = Monotonic.now
                let outcome = await bench.run(#"{"mode": "\#(how)"}"#).outcome
                #expect(Monotonic.now - start < .seconds(15))
                #expect(outcome.label == "out_of_memory", "\(outcome)")
                #expect(outcome.error?.status == 502)
                #expect(outcome.error?.code == "out_of_memory")
                #expect(outcome.error?.message.contains("96 MiB") == true)
                #expect(await bench.run(#"{"mode": "none"}"#).body == "little")
                try await bench.drain()
            }
            workers.close()
        }

        @Test("processor time beyond limits.cpu ends the worker, and each invocation has it anew")
        func processor() async throws {
            let bench = PoolBench("spin") { $0.limits.cpuSeconds = 1 }
            let pid = try await {
                for _ in 0..<4 { #expect(await bench.run(#"{"ms": 700}"#).body == "spun") }
                return try await bench.status().pids
            }()
            #expect(pid.count == 1)
            let outcome = await bench.run().outcome
            guard case .workerLost(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(reason.contains("limits.cpu"))
            #expect(await bench.run(#"{"ms": 1}"#).body == "spun")
            try await bench.drain()
        }

        @Test(
            "a fork bomb without permission starts nothing; with it, it is bounded, and ends with its worker",
            .enabled(
                if: IsolatedWorkers.machine.isSuperset(of: ["seccomp", "pids"]),
                "needs seccomp and a pids cgroup"
            )
        )
        func forkBomb() async throws {
            let workers = try IsolatedWorkers()
            try await PoolBench.withSibling(workers.isolation) {
                let tame = PoolBench("fork-bomb", isolation: workers.isolation)
                #expect(await tame.run(#"{"mode": "count"}"#).body == "0")
                try await tame.drain()
                let bomb = PoolBench("fork-bomb", isolation: workers.isolation) { $0.permissions.fork = true }
                let count = Int(await bomb.run(#"{"mode": "count"}"#).body.text) ?? 0
                #expect((10..<1000).contains(count))
                try await bomb.drain()
                let stuck = PoolBench("fork-bomb", isolation: workers.isolation) {
                    $0.permissions.fork = true
                }
                #expect(await stuck.run(timeout: .seconds(1)).outcome.label == "timed_out")
                #expect(await stuck.run(#"{"mode": "none"}"#).body == "none")
                try await stuck.drain()
            }
            // A group can be removed only once nobody is in it.
            let pids = workers.isolation.features.first { $0.name == "pids" }
            let path = pids?.detail.split(separator: " ").last.map(String.init) ?? ""
            try await PoolBench("echo").until { rmdir(path) == 0 || errno == ENOENT }
            workers.close()
        }

        @Test("a flood of output is cut with a word of how much, and hurts nobody")
        func flood() async throws {
            try await PoolBench.withSibling {
                let bench = PoolBench("flood")
                // It is held up in its own write; what is under way at the end is bounded by the pipe.
                #expect(await bench.run(#"{"ms": 2500}"#).body == "flooded")
                try await bench.until { bench.reports.lines.contains { $0.source == "host" } }
                let passed = bench.reports.lines.count { $0.source == "stdout" }
                #expect(passed <= 5 * OutputBudget.linesMax)
                let word = bench.reports.lines.first { $0.source == "host" }
                #expect(word?.message.contains("of stdout were dropped") == true)
                #expect(word?.level == .warning)
                try await bench.drain()
            }
        }

        @Test("a worker that is deaf to SIGTERM and in a loop is timed out and killed")
        func deaf() async throws {
            try await PoolBench.withSibling {
                let bench = PoolBench("busy")
                async let reply = bench.run(#"{"mode": "deaf"}"#, timeout: .milliseconds(800))
                try await bench.untilRunning()
                let pid = try #require(try await bench.status().pids.first)
                try await bench.until { ignoresTermination(pid) }
                kill(pid, SIGTERM)
                #expect(await reply.outcome.label == "timed_out")
                try await bench.until { kill(pid, 0) != 0 }
                #expect(await bench.run(#"{"mode": "quick"}"#).body == "quick")
                try await bench.drain()
            }
        }

        @Test(
            "a function that crashes again and again at its start is tried ever more seldom"
        )
        func crashesAtStart() async throws {
            try await PoolBench.withSibling {
                let bench = PoolBench("start-crash", environment: ["START": "trap"])
                // The waits double from half a second: ten would take half a minute.
                while bench.reports.gone.count < 7 {
                    let outcome = await bench.run(timeout: .seconds(5)).outcome
                    guard case .shed(.crashLoop, let wait) = outcome else {
                        Issue.record("\(outcome)")
                        return
                    }
                    let pause = TimeAmount.nanoseconds(wait.nanoseconds)
                    try await bench.pool.loop.scheduleTask(in: pause) {}.futureResult.get()
                }
                // Every crash was told, and none was asked for.
                #expect(bench.reports.gone.allSatisfy { !$0.asked && $0.reason.contains("signal") })
                try await bench.drain()
            }
        }
    }
}

/// Whether the process has told the kernel to ignore SIGTERM (signal 15: bit 14 of the mask).
private func ignoresTermination(_ pid: pid_t) -> Bool {
    let status = Text.read("/proc/\(pid)/status") ?? ""
    let mask = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }?.split(separator: "\t").last
    return UInt64(mask ?? "", radix: 16).map { $0 & 1 << 14 != 0 } ?? false
}

/// What of an output is passed on.
@Suite("output budget", .timeLimit(.minutes(1)))
struct OutputBudgetTests {
    @Test("lines pass up to their number and size in a second; what is dropped is counted once")
    func lines() {
        var budget = OutputBudget()
        func passed(_ sizes: [Int]) -> [Bool] { sizes.map { budget.takes($0) } }
        #expect(passed([Int](repeating: 10, count: OutputBudget.linesMax)).allSatisfy { $0 })
        #expect(passed([7, 7, 7]) == [false, false, false])
        let many = budget.turn()
        #expect(many?.lines == 3 && many?.bytes == 21)
        let none = budget.turn()
        #expect(none == nil)
        #expect(passed([OutputBudget.bytesMax, 1]) == [true, false])
        let long = budget.turn()
        #expect(long?.lines == 1 && long?.bytes == 1)
    }

    @Test("reading stops at its limit and goes on in the next second")
    func reading() {
        var budget = OutputBudget()
        let read = [OutputBudget.readMax - 1, 1].map { budget.mayRead($0) }
        #expect(read == [true, false])
        let dropped = budget.turn()
        #expect(dropped == nil)
        let next = budget.mayRead(1)
        #expect(next)
    }
}
