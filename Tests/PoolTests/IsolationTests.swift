import FunctionCore
import Glibc
import Invocations
import Isolation
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// Real workers that try to reach what is not theirs.
    @Suite("isolation")
    struct Isolated {
        private static func has(_ names: String...) -> Bool { IsolatedWorkers.machine.isSuperset(of: names) }

        @Test(
            "a worker has a user, a group and a directory of its own, and can get nothing back",
            .enabled(if: has("users", "seccomp", "directories"), "needs root and seccomp")
        )
        func identity() async throws {
            let workers = try IsolatedWorkers()
            let bench = PoolBench("limits", environment: ["ONLY": "this"], isolation: workers.isolation)
            let told = try #require(try JSON.parse(await bench.run().body).objectValue)
            let users = Set((told["users"]?.arrayValue ?? []).compactMap(\.intValue))
            #expect(users.count == 1 && users.allSatisfy { (60_000..<61_000).contains($0) })
            let directory = told["directory"]?.stringValue ?? ""
            #expect(directory.hasPrefix("\(workers.directories)/limits."))
            let names = told["environment"]?.arrayValue?.compactMap(\.stringValue)
            #expect(names == ["ONLY", "SWIFT_BACKTRACE", "TMPDIR"])
            let status = told["status"]?.stringValue ?? ""
            for line in [
                "NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "Umask:\t0077", "Groups:\t \n",
            ] {
                #expect(status.contains(line), "\(line) is missing in \(status)")
            }
            #expect(told["descriptors"]?.arrayValue?.compactMap(\.intValue) == [0, 1, 2, 3, 4])
            try await bench.drain()
            try await bench.until { access(directory, F_OK) != 0 }
            workers.close()
        }

        /// What an intruder tries on the worker of another function, on the host and on the system.
        static let attempts: [(what: String, arguments: String)] = [
            ("list", #""path": "DIRECTORY""#), ("write", #""path": "DIRECTORY/x""#),
            ("read", #""path": "DATA/secret""#), ("list", #""path": "DATA""#),
            ("read", #""path": "/proc/VICTIM/environ""#), ("read", #""path": "/proc/VICTIM/mem""#),
            ("list", #""path": "/proc/VICTIM/fd""#), ("read", #""path": "/proc/HOST/environ""#),
            ("kill", #""pid": VICTIM"#), ("thread-kill", #""pid": VICTIM"#), ("kill", #""pid": HOST"#),
            ("ptrace", #""pid": VICTIM"#), ("memory", #""pid": VICTIM"#), ("limit", #""pid": VICTIM"#),
            ("socket", #""family": 2"#), ("socket", #""family": 10"#), ("socket", #""family": 1"#),
            ("fork", ""), ("exec", ""), ("dumpable", ""), ("mount", ""), ("unshare", ""), ("bpf", ""),
            ("perf", ""), ("keyctl", ""), ("userfault", ""), ("uring", ""), ("root", ""),
        ].map { ($0.0, $0.1) }

        @Test(
            "a function reaches no other's files, memory, secrets or sockets, nor the system",
            .enabled(if: has("users", "seccomp", "directories"), "needs root and seccomp")
        )
        func intruder() async throws {
            #if arch(x86_64)
            let workers = try IsolatedWorkers()
            let victim = PoolBench(
                "limits",
                environment: ["SECRET": "victim's own"],
                isolation: workers.isolation
            )
            let told = try #require(try JSON.parse(await victim.run().body).objectValue)
            let directory = try #require(told["directory"]?.stringValue)
            let pid = try #require(try await victim.status().pids.first)
            let secret = "\(workers.place)/data/secret"
            let file = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            #expect(write(file, "key", 3) == 3)
            Glibc.close(file)
            let bench = PoolBench("reach", isolation: workers.isolation)
            for (what, arguments) in Isolated.attempts {
                let filled = [
                    ("VICTIM", "\(pid)"), ("HOST", "\(getpid())"), ("DIRECTORY", directory),
                    ("DATA", "\(workers.place)/data"),
                ].reduce(arguments) { text, pair in
                    text.split(separator: pair.0, omittingEmptySubsequences: false)
                        .joined(separator: pair.1)
                }
                let more = filled.isEmpty ? "" : ", \(filled)"
                let reply = await bench.run(#"{"what": "\#(what)"\#(more)}"#)
                let refused = ["Operation not permitted", "Permission denied"].contains(reply.body.text)
                #expect(refused, "\(what) \(filled): \(reply.body.text) \(reply.outcome)")
            }
            // All of it by one worker, which lives, as does the other.
            #expect(bench.reports.ready == 1)
            #expect(try await victim.status().pids == [pid])
            try await bench.drain()
            try await victim.drain()
            unlink(secret)
            try await bench.until { access(directory, F_OK) != 0 }
            workers.close()
            #endif
        }

        @Test(
            "a worker may write into its own directory, read the system's libraries, and start threads",
            .enabled(if: has("seccomp", "directories"), "needs seccomp")
        )
        func allowed() async throws {
            let workers = try IsolatedWorkers()
            let bench = PoolBench("reach", isolation: workers.isolation)
            for (what, path) in [
                ("write", "note"), ("read", "/usr/lib/os-release"), ("read", "/dev/urandom"),
            ] {
                #expect(await bench.run(#"{"what": "\#(what)", "path": "\#(path)"}"#).body == "ok", "\(path)")
            }
            let async = PoolBench("echo-async", isolation: workers.isolation)
            #expect(await async.run("1").body == "1")
            for bench in [bench, async] { try await bench.drain() }
            try await bench.until { names(in: workers.directories).isEmpty }
            workers.close()
        }

        @Test(
            "what the manifest permits, a worker may",
            .enabled(if: has("seccomp"), "needs seccomp")
        )
        func permitted() async throws {
            #if arch(x86_64)
            let workers = try IsolatedWorkers()
            let bench = PoolBench("reach", isolation: workers.isolation) {
                $0.permissions.network = true
                $0.permissions.fork = true
            }
            for what in [#""socket", "family": 2"#, #""socket", "family": 10"#, #""fork""#] {
                #expect(await bench.run(#"{"what": \#(what)}"#).body == "ok", "\(what)")
            }
            let unix = await bench.run(#"{"what": "socket", "family": 1}"#).body
            #expect(unix == "Operation not permitted")
            try await bench.drain()
            try await bench.until { names(in: workers.directories).isEmpty }
            workers.close()
            #endif
        }

        /// The names in a directory.
        private func names(in path: String) -> [String] {
            guard let directory = opendir(path) else { return [] }
            defer { closedir(directory) }
            var names: [String] = []
            while let entry = readdir(directory) {
                names.append("\(entry.pointee.d_ino)")
            }
            return Array(names.dropFirst(2))
        }
    }
}
