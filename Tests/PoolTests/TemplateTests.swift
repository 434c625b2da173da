import FunctionCore
import Glibc
import Invocations
import NIOCore
import Synchronization
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// Workers that a template has forked.
    @Suite("template")
    struct Template {
        /// A template and what it has told.
        private final class Bench: Sendable {
            let template: WorkerTemplate
            private let told: Told

            final class Told: Sendable {
                private let reports = Mutex<[WorkerTemplate.Report]>([])
                func add(_ report: WorkerTemplate.Report) { reports.withLock { $0.append(report) } }
                var all: [WorkerTemplate.Report] { reports.withLock { $0 } }
            }

            init(executable: String = PoolBench.bundle) {
                let told = Told()
                self.told = told
                template = WorkerTemplate(
                    executable: executable,
                    environment: ["SWIFT_BACKTRACE": "enable=no"],
                    report: { told.add($0) }
                )
                template.start()
            }

            var reports: [WorkerTemplate.Report] { told.all }

            /// Waits for the first report.
            func first() async throws -> WorkerTemplate.Report? {
                try await PoolBench("echo").until { [told] in !told.all.isEmpty }
                return reports.first
            }
        }

        @Test(
            "forked workers serve what started ones do, and are children of the host",
            arguments: ["echo", "echo-async", "typed", "stream"]
        )
        func serves(_ function: String) async throws {
            let template = Bench()
            #expect(try await template.first() == .ready)
            let bench = PoolBench(function, template: template.template)
            let json = #"{"name": "Ada", "times": 2, "events": 2}"#
            let forked = await bench.run(json)
            let started = PoolBench(function)
            let plain = await started.run(json)
            #expect(forked.outcome.label == "ok" && forked.status == plain.status)
            if function != "typed" { #expect(forked.body == plain.body) }
            let pid = try #require(try await bench.status().pids.first)
            let status = contents("/proc/\(pid)/stat").split(separator: " ").map(String.init)
            #expect(status.count > 4 && status[3] == "\(getpid())", "parent")
            #expect(status.count > 4 && status[4] == "\(pid)", "process group")
            #expect(contents("/proc/\(pid)/cmdline").contains("--template"))
            for bench in [bench, started] { try await bench.drain() }
            template.template.stop()
        }

        @Test("how a forked worker ends is told as it is")
        func ends() async throws {
            let template = Bench()
            #expect(try await template.first() == .ready)
            for (function, reason) in [("crash", "signal"), ("leave", "exit status 0")] {
                let bench = PoolBench(function, template: template.template)
                guard case .workerLost(let why) = await bench.run().outcome else {
                    Issue.record("\(function) ended well")
                    continue
                }
                #expect(why.contains(reason))
                try await bench.drain()
            }
            let busy = PoolBench("busy", template: template.template)
            #expect(await busy.run(timeout: .milliseconds(300)).outcome.label == "timed_out")
            #expect(await busy.run(#"{"mode": "quick"}"#).body == "quick")
            try await busy.drain()
            // The template has seen nothing of it.
            #expect(template.template.isReady)
            template.template.stop()
        }

        @Test("a hundred cold starts at once are all answered", arguments: ["echo", "echo-async"])
        func hundred(_ function: String) async throws {
            let template = Bench()
            #expect(try await template.first() == .ready)
            let benches = (0..<100).map { _ in PoolBench(function, template: template.template) }
            await withTaskGroup(of: Bool.self) { group in
                for bench in benches { group.addTask { await bench.run("{}").body == "{}" } }
                for await isRight in group { #expect(isRight) }
            }
            #expect(benches.allSatisfy { $0.reports.invocations.map(\.cold) == [true] })
            #expect(Set(benches.flatMap { $0.reports.invocations.map(\.pid) }).count == 100)
            for bench in benches { try await bench.drain() }
            #expect(template.reports == [.ready])
            template.template.stop()
        }

        @Test("forked workers are confined as started ones are")
        func confined() async throws {
            let workers = try IsolatedWorkers()
            let template = Bench()
            #expect(try await template.first() == .ready)
            let bench = PoolBench("limits", isolation: workers.isolation, template: template.template) {
                $0.limits.openFiles = 47
            }
            let told = try #require(try JSON.parse(await bench.run().body).objectValue)
            let status = told["status"]?.stringValue ?? ""
            #expect(status.contains("NoNewPrivs:\t1"))
            if workers.has("seccomp") { #expect(status.contains("Seccomp:\t2")) }
            if workers.has("users") { #expect(status.contains("CapEff:\t0000000000000000")) }
            #expect(told["limits"]?.stringValue?.contains("Max open files            47") == true)
            #expect(told["descriptors"]?.arrayValue?.compactMap(\.intValue) == [0, 1, 2, 3, 4])
            #expect(told["directory"]?.stringValue?.hasPrefix(workers.directories) == true)
            try await bench.drain()
            let directory = told["directory"]?.stringValue ?? ""
            try await bench.until { access(directory, F_OK) != 0 }
            template.template.stop()
            workers.close()
        }

        @Test("when the template is killed workers are started plainly, and it comes back")
        func killed() async throws {
            let template = Bench()
            #expect(try await template.first() == .ready)
            let pid = try #require(template.template.pid)
            kill(pid, SIGKILL)
            let bench = PoolBench("echo", template: template.template)
            #expect(await bench.run("1").body == "1")
            try await bench.until { template.reports.count == 3 }
            #expect(template.reports.last == .ready)
            #expect(template.template.pid != pid)
            try await bench.drain()
            template.template.stop()
        }

        @Test(
            "a bundle that cannot be a template is told so, and its functions serve",
            arguments: ["/bin/true", "/bin/cat", "/nowhere"]
        )
        func unfit(_ executable: String) async throws {
            let template = Bench(executable: executable)
            guard case .off = try await template.first() else {
                Issue.record("\(template.reports)")
                return
            }
            let bench = PoolBench("echo", template: template.template)
            #expect(await bench.run("1").body == "1")
            try await bench.drain()
            template.template.stop()
        }

        /// A text of the kernel's.
        private func contents(_ path: String) -> String {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            defer { close(descriptor) }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptor, &buffer, buffer.count)
            return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        }
    }
}
