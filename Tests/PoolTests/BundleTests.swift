import FunctionCore
import Glibc
import Processes
import Testing

@testable import WorkerPool

extension WorkerSuite {
    /// The bundle as a program of its own, without a host.
    @Suite("bundle")
    struct BundleProgram {
        private func run(_ arguments: [String], input: String = "") async throws -> ChildOutput {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let bytes = Array(input.utf8)
            #expect(write(ends[1], bytes, bytes.count) == bytes.count)
            close(ends[1])
            defer { close(ends[0]) }
            var spec = ChildSpec(PoolBench.bundle, arguments, environment: ["SWIFT_BACKTRACE": "enable=no"])
            spec.descriptors[0] = ends[0]
            return try await ChildProcess.run(spec, timeout: .seconds(20))
        }

        @Test("it describes its functions, a JSON line each")
        func describe() async throws {
            let result = try await run(["--describe"])
            #expect(result.status.succeeded)
            let lines = result.output.text.split(separator: "\n")
            let names = try lines.map { try JSON.parse(Bytes(String($0))).objectValue?["name"]?.stringValue }
            #expect(names.contains("echo") && names.contains("typed"))
        }

        @Test("it runs one event in the foreground: whole, streamed, and failing")
        func inline() async throws {
            let echo = try await run(["--inline", "echo"], input: "hello")
            #expect(echo.status.succeeded)
            #expect(echo.output == "hello\n")
            let stream = try await run(["--inline", "stream"], input: #"{"events": 1, "size": 3}"#)
            #expect(stream.output == "data: 0:x\n\n")
            let customer = #"{"id":1,"name":"M","email":"m@x.org","street":"S","city":"C","returning":true}"#
            let order = """
                {"id":"7","created":"now","channel":"web","customer":\(customer),"items":[],"total":1.5,"currency":"EUR"}
                """
            let typed = try await run(["--inline", "typed-echo"], input: order)
            #expect(typed.output.text == order + "\n")
            let mismatch = try await run(["--inline", "typed-echo"], input: #"{"id":7}"#)
            #expect(mismatch.status == Processes.ExitStatus.exited(1))
            #expect(mismatch.output.text.contains("id: expected a string, found a number"))
            let failing = try await run(["--inline", "failing"])
            #expect(failing.status == Processes.ExitStatus.exited(1))
            #expect(failing.output.text.contains("told_to"))
            let call = try await run(["--inline", "call"], input: #"{"binding": "state", "key": "a"}"#)
            #expect(call.output.text.contains("binding_not_available"))
        }

        @Test("what it does not know it refuses with a word and a status")
        func refusals() async throws {
            let usage = try await run([])
            #expect(usage.status == Processes.ExitStatus.exited(64))
            #expect(usage.errors.text.contains("--describe"))
            let unknown = try await run(["--inline", "nothing"])
            #expect(unknown.status == Processes.ExitStatus.exited(64))
            #expect(unknown.errors.text.contains("echo"))
            let alone = try await run(["--worker"])
            #expect(alone.status == Processes.ExitStatus.exited(70))
            #expect(alone.errors.text.contains("started by the host"))
        }
    }
}
