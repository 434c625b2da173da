import FunctionCore
import Glibc
import HostKit
import HTTPTrigger
import Invocations
import NIOCore
import Processes
import Settings
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RequiredProgramsTests {
    private func manifest(_ name: String, _ bindings: [String]) -> Manifest {
        var manifest = Manifest(name: name)
        manifest.grants = bindings.map { Manifest.Grant(binding: $0, line: 1) }
        return manifest
    }

    @Test("what nobody is granted is not asked for")
    func notNeeded() throws {
        try RequiredPrograms.check([manifest("motto", ["text", "blobs"])]) { _ in false }
    }

    @Test("all that is missing is named at once, with who needs it and the packages to install")
    func missing() throws {
        let manifests = [manifest("video", ["render", "speech"]), manifest("voice", ["speech"])]
        let error = #expect(throws: HostError.self) { try RequiredPrograms.check(manifests) { _ in false } }
        #expect(error?.code == .unavailable && error?.code.rawValue == 69)
        let text = error?.description ?? ""
        for part in [
            "ffmpeg (render, granted to video)", "ffprobe", "espeak-ng (speech, granted to video, voice)",
        ] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(text.hasSuffix("apt-get install ffmpeg espeak-ng"))
        let one = #expect(throws: HostError.self) {
            try RequiredPrograms.check(manifests) { $0 != "espeak-ng" }
        }
        #expect(one?.description.hasSuffix("apt-get install espeak-ng") == true)
        try RequiredPrograms.check(manifests) { _ in true }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct HostStartTests {
    private let workspace = Workspace()

    /// A program that prints a port, as the offline provider does, notes its process, and ends with its
    /// input.
    private func provider() -> String {
        program(
            "provider",
            """
            echo "$$ $3" >> "$(dirname "$0")/started"
            [ "$3" = 0 ] && echo 41000 || echo "$3"
            exec cat > /dev/null
            """
        )
    }

    private func program(_ name: String, _ text: String) -> String {
        let path = "\(workspace.path)/\(name)"
        store(Array("#!/bin/sh\n\(text)\n".utf8), at: path)
        chmod(path, 0o700)
        return path
    }

    /// The offline providers that were started: process and port.
    private var started: [(pid: pid_t, port: String)] {
        (Text.read("\(workspace.path)/started") ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let pid = pid_t(words[0]) else { return nil }
            return (pid, String(words[1]))
        }
    }

    @Test("an offline provider that dies is started again on its port, and ends with its host")
    func restarted() async throws {
        let losses = Mutex(0)
        let child = try await OfflineChild.start(program: provider(), on: testLoop) { _ in
            losses.withLock { $0 += 1 }
        }
        #expect(child.port == 41_000)
        let first = try #require(started.first)
        let begin = Monotonic.now
        kill(first.pid, SIGKILL)
        let second = try await until("the second") { started.count == 2 ? started[1] : nil }
        #expect(Monotonic.now - begin >= .milliseconds(900))
        #expect(second.port == "41000")
        #expect(losses.withLock { $0 } == 1)
        child.stop()
        _ = try await until("its end") { Text.isAlive(second.pid) ? nil : true }
        #expect(started.count == 2)
    }

    @Test("an offline provider that says nothing is an error of the start, and leaves no process")
    func silent() async throws {
        let path = program("silent", "echo $$ x >> \"$(dirname \"$0\")/started\"\nexec true")
        let error = await #expect(throws: HostError.self) {
            try await OfflineChild.start(program: path, on: testLoop) { _ in }
        }
        #expect(error?.code == .unavailable)
        let pid = try #require(started.first).pid
        _ = try await until("its end") { Text.isAlive(pid) ? nil : true }
    }

    private func options(
        _ data: String,
        flags: [String: String] = [:],
        isDevelopment: Bool = true
    ) -> HostOptions {
        let folder = "\(workspace.path)/project"
        for path in [folder, "\(folder)/One", "\(folder)/none"] { mkdir(path, 0o700) }
        store(Array(manifestText("one").utf8), at: "\(folder)/One/function.yaml")
        let bundle = program("functions", "echo '{\"name\": \"one\"}'")
        let problems = Problems()
        var all = [
            "data": data, "functions": folder, "schedules": "\(folder)/none", "bundle": bundle,
            "log.format": "none",
            "gateway.port": "0", "admin.port": "0",
        ]
        all.merge(flags) { _, flag in flag }
        let configuration = Configuration.resolve(flags: all, environment: [:], file: nil, problems: problems)
        return HostOptions(
            configuration: configuration,
            isDevelopment: isDevelopment,
            program: provider(),
            isTerminal: false
        )
    }

    @Test("a start that fails on its last port leaves no process, no lock and no open port behind")
    func halfStarted() async throws {
        let data = "\(workspace.path)/data"
        let taken = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: 0,
            group: testLoop,
            gateway: Gateway(router: try Router(endpoints: []), hash: { _ in "" }),
            clock: { at("2026-11-25T08:00:00Z") }
        )
        let error = await #expect(throws: ServerError.self) {
            try await Host.start(options(data, flags: ["admin.port": String(taken.port)]))
        }
        #expect(error?.code == "port_in_use")
        let provider = try #require(started.first).pid
        _ = try await until("the provider's end") { Text.isAlive(provider) ? nil : true }
        let redis = pid_t((Text.read("\(data)/redis/redis.pid") ?? "0").prefix { $0.isNumber }) ?? 0
        #expect(redis == 0 || !Text.isAlive(redis))
        #expect(Text.read("\(data)/host.json") == nil)
        // The same directory, at once; what was opened before is closed.
        await taken.stop(grace: .zero)
        let host = try await Host.start(options(data))
        #expect(Text.read("\(data)/host.json") != nil)
        let begin = Monotonic.now
        await host.stop()
        #expect(Monotonic.now - begin < .seconds(5))
        #expect(Text.read("\(data)/host.json") == nil)
        for (pid, _) in started {
            _ = try await until("the end of \(pid)") { Text.isAlive(pid) ? nil : true }
        }
    }

    @Test("a second host on a data directory is refused, naming the first")
    func locked() async throws {
        let data = "\(workspace.path)/data"
        let directory = try DataDirectory(data)
        let error = await #expect(throws: HostError.self) { try await Host.start(options(data)) }
        #expect(error?.code == .dataDirectory && error?.description.contains("\(getpid())") == true)
        directory.release()
    }

    @Test("what a killed host was working on in its scratch directory goes at the next start")
    func scratch() throws {
        let data = "\(workspace.path)/data"
        try DataDirectory(data).release()
        mkdir("\(data)/scratch/film", 0o700)
        store([1, 2, 3], at: "\(data)/scratch/film/scene.mp4")
        store([1], at: "\(data)/scratch/stray")
        let directory = try DataDirectory(data)
        #expect(listDirectory("\(data)/scratch") == [])
        directory.release()
    }

    @Test("a host that serves has the real clock, and says so where another is asked for")
    func serveOnRealClock() async throws {
        let data = "\(workspace.path)/data"
        let error = await #expect(throws: ConfigurationError.self) {
            try await Host.start(options(data, flags: ["clock.speed": "60"], isDevelopment: false))
        }
        #expect(error?.description.contains("real clock") == true)
    }

    @Test("Redis away at the start: the host serves on, degraded, and stops in time")
    func redisAway() async throws {
        let data = "\(workspace.path)/data"
        let flags = ["redis.url": "unix://\(workspace.path)/nowhere.sock"]
        let host = try await Host.start(options(data, flags: flags))
        let begin = Monotonic.now
        await host.stop()
        #expect(Monotonic.now - begin < .seconds(5))
    }
}
