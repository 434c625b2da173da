import FunctionCore
import Glibc
import Processes
import Synchronization
import Testing

@Suite("child processes", .serialized, .timeLimit(.minutes(1)))
struct ChildProcessTests {
    private func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        directory: String? = nil,
        limit: Int = 1 << 20,
        timeout: Duration = .seconds(20)
    ) async throws -> ChildOutput {
        let spec = ChildSpec(program, arguments, environment: environment, directory: directory)
        return try await ChildProcess.run(spec, outputLimit: limit, timeout: timeout)
    }

    @Test(
        "an end is told by its status, or by the signal's name",
        arguments: [
            (Processes.ExitStatus.exited(3), "exit status 3"), (.signalled(SIGKILL), "signal: killed"),
            (.signalled(SIGSEGV), "signal: segmentation fault"), (.signalled(SIGABRT), "signal: aborted"),
            (.signalled(SIGXCPU), "signal: CPU time limit exceeded"),
        ]
    )
    func ends(status: Processes.ExitStatus, text: String) {
        #expect("\(status)" == text)
    }

    @Test("a child's outputs and its exit status are told")
    func output() async throws {
        let result = try await run("sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(result.status == Processes.ExitStatus.exited(3))
        #expect(!result.status.succeeded)
        #expect(result.output == "out\n")
        #expect(result.errors == "err\n")
        #expect(!result.timedOut)
        #expect(try await run("true", []).status.succeeded)
    }

    @Test("a child that ends by a signal is told so, in words")
    func signalled() async throws {
        let result = try await run("sh", ["-c", "kill -TERM $$"])
        #expect(result.status == Processes.ExitStatus.signalled(SIGTERM))
        #expect(result.status.description == "signal: terminated")
    }

    @Test("a child has the environment it is given and nothing else")
    func environment() async throws {
        let given = try await run("env", [], environment: ["A": "1", "B": "x=y z"])
        #expect(Set(given.output.text.split(separator: "\n")) == ["A=1", "B=x=y z"])
        let plain = try await run("env", [])
        let names = plain.output.text.split(separator: "\n").map { $0.prefix { $0 != "=" } }
        #expect(Set(names).isSubset(of: ["PATH", "HOME", "LANG"]))
    }

    @Test("a child runs where it is told to")
    func directory() async throws {
        #expect(try await run("pwd", [], directory: "/usr").output == "/usr\n")
    }

    @Test("a child has a group of its own, blocks no signal, ignores none, and reads nothing")
    func fresh() async throws {
        let status = try await run("cat", ["/proc/self/status"]).output.text
        func field(_ name: String) -> Substring {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
            return line.split(whereSeparator: \.isWhitespace).last ?? ""
        }
        #expect(field("SigBlk") == "0000000000000000")
        // glibc sets its own two, 32 and 33, to be ignored until a program's own glibc takes them over.
        #expect(UInt64(field("SigIgn"), radix: 16).map { $0 & 0x7FFF_FFFF } == 0)
        let stat = try await run("cat", ["/proc/self/stat"]).output.text.split(separator: " ")
        #expect(stat.count > 4 && stat[0] == stat[4])
        let input = try await run("sh", ["-c", "readlink /proc/self/fd/0; cat"])
        #expect(input.output == "/dev/null\n")
    }

    @Test("a child has no descriptor that it was not given, not even one between two that it was")
    func descriptors() async throws {
        // Not close-on-exec, so that only the spawning itself can keep it from the child.
        let open = (0..<8).map { _ in dup(0) }.filter { $0 >= 0 }
        defer { open.forEach { close($0) } }
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        var spec = ChildSpec("ls", ["/proc/self/fd"])
        spec.descriptors = [1: ends[1], 9: ends[1]]
        let done = Mutex<Processes.ExitStatus?>(nil)
        _ = try ChildProcess.spawn(spec) { status in done.withLock { $0 = status } }
        close(ends[1])
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(ends[0], &buffer, buffer.count), count > 0 { all += buffer[..<count] }
        close(ends[0])
        // `ls` opens the directory itself, as the lowest that is free.
        let names = Set(String(decoding: all, as: UTF8.self).split(separator: "\n"))
        #expect(names == ["0", "1", "2", "3", "9"])
    }

    @Test("only the last bytes of a long output are kept")
    func longOutput() async throws {
        let result = try await run("sh", ["-c", "yes 0123456 | head -c 1000000; printf end"], limit: 1000)
        #expect(result.output.count == 1000)
        #expect(result.output.text.hasSuffix("end"))
    }

    @Test("a child that overruns its time is killed, with all that it started")
    func timeout() async throws {
        let start = Monotonic.now
        let result = try await run("sh", ["-c", "sleep 61 & echo $!; sleep 61"], timeout: .milliseconds(300))
        #expect(result.timedOut)
        #expect(result.status == Processes.ExitStatus.signalled(SIGKILL))
        #expect(Monotonic.now - start < .seconds(5))
        try await expectGone(result.output)
    }

    @Test("a child that writes without end is stopped in time as well")
    func endlessOutput() async throws {
        let start = Monotonic.now
        let result = try await run("yes", [], limit: 100, timeout: .milliseconds(300))
        #expect(result.timedOut)
        #expect(result.output.count == 100)
        #expect(Monotonic.now - start < .seconds(5))
    }

    @Test("what a child leaves behind in its group ends with it, and holds nobody up")
    func leftBehind() async throws {
        let start = Monotonic.now
        let result = try await run("sh", ["-c", "(while :; do echo x; done) >&2 & sleep 62 & echo $!"])
        #expect(result.status.succeeded)
        #expect(Monotonic.now - start < .seconds(5))
        try await expectGone(result.output)
    }

    @Test("a grandchild that left the group and keeps writing holds nobody up")
    func stranger() async throws {
        let start = Monotonic.now
        let script =
            "setsid sh -c 'i=0; while [ $i -lt 3000 ]; do echo x; sleep 0.001; i=$((i+1)); done' & sleep 0.2; echo done"
        let result = try await run("sh", ["-c", script])
        #expect(result.status.succeeded)
        #expect(Monotonic.now - start < .seconds(2))
    }

    @Test("cancelling the task kills the child, and the call returns when it is gone")
    func cancellation() async throws {
        let start = Monotonic.now
        let task = Task { try await run("sleep", ["63"]) }
        await Task.yield()
        task.cancel()
        let result = try await task.value
        #expect(result.status == Processes.ExitStatus.signalled(SIGKILL))
        #expect(!result.timedOut)
        #expect(Monotonic.now - start < .seconds(5))
    }

    @Test("a program that is not there, or may not be run, is an error that names it")
    func missing() async throws {
        for program in ["no-such-program", "/etc/passwd", "/nowhere/x"] {
            let error = await #expect(throws: SpawnError.self) { try await run(program, []) }
            #expect(error?.description.contains(program) == true)
        }
        #expect(findExecutable("sh") != nil)
        #expect(findExecutable("no-such-program") == nil)
    }

    @Test("many children at once are each told their own end")
    func many() async throws {
        try await withThrowingTaskGroup(of: (Int32, ChildOutput).self) { group in
            for index in 0..<50 as Range<Int32> {
                group.addTask { (index, try await run("sh", ["-c", "echo \(index); exit \(index)"])) }
            }
            for try await (index, result) in group {
                #expect(result.status == Processes.ExitStatus.exited(index))
                #expect(result.output == Bytes("\(index)\n"))
            }
        }
    }

    @Test("a signal to a child that has ended reaches nobody")
    func lateSignal() async throws {
        let ended = AsyncStream<Processes.ExitStatus>.makeStream()
        let child = try ChildProcess.spawn(ChildSpec("true", [])) { ended.continuation.yield($0) }
        var ends = ended.stream.makeAsyncIterator()
        #expect(await ends.next()?.succeeded == true)
        child.signal(SIGKILL)
        #expect(kill(child.pid, 0) != 0)
    }

    /// The process whose number is in `output` is gone, or about to be.
    private func expectGone(_ output: Bytes) async throws {
        let pid = try #require(Int32(output.text.split(separator: "\n").first ?? ""))
        // Killed at the same moment as its parent, but reaped by somebody else. Each round takes about a millisecond.
        for _ in 0..<2000 where isAlive(pid) { _ = try await run("true", []) }
        #expect(!isAlive(pid))
    }

    private func isAlive(_ pid: Int32) -> Bool {
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &buffer, buffer.count)
        let state = String(decoding: buffer[..<max(0, count)], as: UTF8.self).split(separator: ")").last
        // A zombie that its new parent has not reaped yet runs no more.
        return state?.hasPrefix(" Z") == false
    }
}
