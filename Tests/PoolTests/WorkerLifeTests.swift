import CShims
import FunctionCore
import Glibc
import Invocations
import NIOCore
import Processes
import Synchronization
import Testing
import Wire

@testable import WorkerPool

extension WorkerSuite {
    @Suite("a worker's life")
    struct Life {
        @Test(
            "a worker has limited itself before it serves: no core, few files, no new privileges, nothing inherited"
        )
        func limits() async throws {
            let bench = PoolBench("limits", environment: ["ONLY": "this"]) {
                $0.limits.openFiles = 47
                $0.environment = ["GRANTED": "yes"]
            }
            let reply = await bench.run()
            let told = try #require(try JSON.parse(reply.body).objectValue)
            let limits = told["limits"]?.stringValue ?? ""
            func limit(_ name: String) -> [Substring] {
                let line = limits.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
                return Array(line.dropFirst(26).split(separator: " ").prefix(2))
            }
            #expect(limit("Max core file size") == ["0", "0"])
            #expect(limit("Max open files") == ["47", "47"])
            #expect(limit("Max data size").first == "\(256 << 20)")
            let status = told["status"]?.stringValue ?? ""
            func field(_ name: String) -> String {
                let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
                return line.dropFirst(name.count + 1).filter { !$0.isWhitespace }
            }
            #expect(field("NoNewPrivs") == "1")
            #expect(field("SigBlk") == "0000000000000000")
            #expect(
                told["environment"]?.arrayValue?.compactMap(\.stringValue) == ["ONLY", "SWIFT_BACKTRACE"]
            )
            #expect(told["granted"]?.stringValue == "yes")
            #expect(told["descriptors"]?.arrayValue?.compactMap(\.intValue) == [0, 1, 2, 3, 4])
            #expect(told["group"]?.intValue.map { Int32($0) } == bench.reports.invocations.first?.pid)
            try await bench.drain()
        }

        @Test("workers see the host's wall clock, and its changes at once")
        func clock() async throws {
            let noon = Instant(nanoseconds: 1_900_000_000_000_000_000)
            let bench = PoolBench("typed", clock: ClockReading(wall: noon, monotonic: .now, speed: 0))
            func seen() async throws -> Int64 {
                let reply = await bench.run(#"{"name": "x", "times": 0}"#)
                return Int64(try JSON.parse(reply.body).objectValue?["now"]?.intValue ?? 0)
            }
            #expect(try await seen() == noon.nanoseconds)
            let later = Instant(nanoseconds: noon.nanoseconds + 86_400_000_000_000)
            bench.setClock(ClockReading(wall: later, monotonic: .now, speed: 0))
            #expect(try await seen() == later.nanoseconds)
            bench.setClock(ClockReading(wall: later, monotonic: .now + .seconds(-10), speed: 100))
            let fast = try await seen() - later.nanoseconds
            #expect((1_000_000_000_000...3_000_000_000_000).contains(fast))
            try await bench.drain()
        }

        @Test("a worker that reads the shared page while the host writes it never sees half of a change")
        func tornReads() async throws {
            // All settings lie on one line, so that half of one and half of another is off by an hour.
            let wall = Instant(nanoseconds: 1_900_000_000_000_000_000)
            let origin = Monotonic.now
            let bench = PoolBench("clock", clock: ClockReading(wall: wall, monotonic: origin, speed: 1))
            let reader = bench.watch(
                #"{"reads": 300000, "wall": \#(wall.nanoseconds), "origin": \#(origin.nanoseconds)}"#
            )
            try await bench.untilRunning()
            var writes = 0
            while !reader.ended {
                writes += 1
                let hours = Int64(writes % 24) * 3_600_000_000_000
                bench.setClock(
                    ClockReading(
                        wall: Instant(nanoseconds: wall.nanoseconds + hours),
                        monotonic: Monotonic(nanoseconds: origin.nanoseconds + hours),
                        speed: 1
                    )
                )
                // The loop has written before the next one is asked for.
                _ = try await bench.status()
            }
            #expect(writes > 10)
            #expect(String(decoding: reader.bytes, as: UTF8.self) == "0")
            try await bench.drain()
        }

        @Test("idle workers leave, and min stay")
        func idle() async throws {
            let bench = PoolBench("slow") {
                $0.scale.min = 1
                $0.scale.idle = .milliseconds(100)
            }
            bench.pool.start()
            try await bench.until { bench.reports.ready == 1 }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { _ = await bench.run(#"{"ms": 150}"#) } }
            }
            #expect(try await bench.status().workers == 3)
            try await bench.until { bench.reports.gone.count == 2 }
            #expect(try await bench.status().workers == 1)
            #expect(bench.reports.gone.allSatisfy { $0.asked && $0.reason == "exit status 0" })
            // One that is killed from outside is replaced.
            let pid = try #require(try await bench.status().pids.first)
            kill(pid, SIGKILL)
            try await bench.until { bench.reports.ready == 4 }
            #expect(bench.reports.gone.last?.asked == false)
            try await bench.drain()
        }

        @Test("a hundred workers leave no descriptor behind")
        func descriptors() async throws {
            @Sendable func open() -> Int { (0..<4096).count { fcntl(Int32($0), F_GETFD) >= 0 } }
            func round(_ function: String) async throws {
                let bench = PoolBench(function)
                _ = await bench.run(#"{"mode": "noise"}"#)
                try await bench.drain()
            }
            try await round("echo")
            let before = open()
            for index in 0..<100 { try await round(index.isMultiple(of: 4) ? "leave" : "echo") }
            // The ends of the last outputs close within a second of their worker's end. Other suites run beside this one,
            // so a few are allowed; one a round would be a hundred.
            try await PoolBench("echo").until { open() < before + 50 }
        }

        @Test("a second drain, and one of a pool without workers, come to their end")
        func drains() async throws {
            let bench = PoolBench("echo")
            try await bench.drain()
            _ = await bench.run()
            let both = PoolBench("slow")
            async let running = both.run(#"{"ms": 200}"#)
            try await both.untilRunning()
            async let first: Void = both.pool.drain(grace: .seconds(5)).get()
            async let second: Void = both.pool.drain(grace: .seconds(5)).get()
            try await first
            try await second
            #expect(await running.outcome.label == "ok")
        }

        @Test("a worker ends when the host's end of its channel closes", arguments: ["idle", "hang", "busy"])
        func hostGone(_ state: String) async throws {
            let worker = try BareWorker(function: state == "idle" ? "echo" : state)
            worker.send { writer in
                Hello(bundle: "", function: worker.function, confinement: Confinement(), environment: [:])
                    .write(to: &writer)
            }
            #expect(worker.read() == .ready)
            if state != "idle" {
                let head = InvokeHead(
                    invocation: "x",
                    slot: 0,
                    attempt: 1,
                    depth: 0,
                    remaining: 1_000_000_000,
                    trace: .begin(),
                    principal: nil,
                    fencingToken: nil,
                    kind: .plain,
                    operation: "",
                    request: nil
                )
                worker.send { head.write(to: &$0, id: 1, body: "{}") }
                try await PoolBench("echo").until { worker.page.hasBegun(slot: 0, id: 1) }
            }
            worker.close()
            try await PoolBench("echo").until { worker.status != nil }
            #expect(worker.status == Processes.ExitStatus.exited(0))
        }

        @Test("a worker refuses a host of another version, and says so")
        func version() async throws {
            let worker = try BareWorker(function: "echo")
            var hello = Hello(bundle: "", function: "echo", confinement: Confinement(), environment: [:])
            hello.version = 9
            worker.send { hello.write(to: &$0) }
            try await PoolBench("echo").until { worker.status != nil }
            #expect(worker.status == Processes.ExitStatus.exited(70))
            worker.close()
        }
    }
}

/// A worker process without a pool, for what a pool would never do.
private final class BareWorker: Sendable {
    let function: String
    let page: SharedPage
    private let process: ChildProcess
    private let channel: Int32
    private let exit: ExitBox

    private final class ExitBox: Sendable {
        let status = Mutex<Processes.ExitStatus?>(nil)
    }

    init(function: String) throws {
        self.function = function
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let memory = swiftlet_memfd("page", SharedPage.length)
        try #require(memory >= 0)
        let mapping = mmap(nil, SharedPage.length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0)
        // SAFETY: the mapping is never ended; a test's process is short.
        page = SharedPage(try #require(mapping))
        page.setClock(wall: Instant(nanoseconds: 0), monotonic: .now, speed: 1)
        var spec = ChildSpec(PoolBench.bundle, ["--worker"], environment: ["SWIFT_BACKTRACE": "enable=no"])
        spec.descriptors = [3: ends[1], 4: memory]
        let exit = ExitBox()
        self.exit = exit
        process = try ChildProcess.spawn(spec) { status in exit.status.withLock { $0 = status } }
        channel = ends[0]
        Glibc.close(ends[1])
        Glibc.close(memory)
    }

    var status: Processes.ExitStatus? { exit.status.withLock { $0 } }

    func send(_ body: (inout WireWriter) -> Void) {
        var writer = WireWriter()
        body(&writer)
        _ = write(channel, writer.bytes, writer.bytes.count)
    }

    /// The kind of the next frame; for the few and small ones of these tests.
    func read() -> Frame.Kind? {
        let decoder = FrameDecoder()
        while true {
            if let frame = try? decoder.next() { return frame.kind }
            guard decoder.fill({ Glibc.read(channel, $0.baseAddress, $0.count) }) > 0 else { return nil }
        }
    }

    func close() { Glibc.close(channel) }
}
