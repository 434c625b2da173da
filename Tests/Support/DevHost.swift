import FunctionCore
import Glibc
import Processes
import Synchronization

/// A real `swiftlet dev` process on free ports, with a data directory of its own that outlives a kill and a
/// restart.
///
/// All that it started ends with `run`; a shell at its side sees to the same when the test process dies.
package final class DevHost: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    /// What the host is started with beside its ports and its data directory.
    package struct Options: Sendable {
        package var arguments: [String] = []
        package var environment: [String: String] = [:]
        /// The folder of `*/function.yaml`; nil for the project's own functions and bundle.
        package var functions: String?
        package var schedules: String?
        package var bundle: String?
        /// How many bytes the data directory has, on a disk of its own that may be filled; only root has one.
        package var disk: Int?

        package init(_ arguments: [String] = [], environment: [String: String] = [:]) {
            self.arguments = arguments
            self.environment = environment
        }
    }

    private struct Running {
        var process: ChildProcess
        var exit: ExitFlag
        var gateway: String
        var admin: String
    }

    /// The host that a suite's tests share, where the suite has the trait `devHost`.
    @TaskLocal package static var shared: DevHost?

    /// Holds the data directory, and what the process printed.
    package let place: TemporaryPlace
    private let options: Options
    private let running = Mutex<Running?>(nil)

    package var data: String { "\(place.path)/data" }
    /// Whether the data directory is a disk of its own.
    package let hasDisk: Bool

    /// Runs `body` with a host that is up, and ends all that belongs to it.
    package static func run<Result>(
        _ options: Options = Options(),
        _ body: (DevHost) async throws -> Result
    ) async throws -> Result {
        let host = DevHost(options, try TemporaryPlace())
        do {
            try await host.start()
            let result = try await body(host)
            await host.remove()
            return result
        } catch {
            await host.remove()
            throw error
        }
    }

    private init(_ options: Options, _ place: TemporaryPlace) {
        self.options = options
        self.place = place
        hasDisk = options.disk.map { DevHost.mountDisk("\(place.path)/data", bytes: $0) } ?? false
    }

    /// Whether there is one: that takes root, where it may mount.
    private static func mountDisk(_ path: String, bytes: Int) -> Bool {
        mkdir(path, 0o700)
        return mount("swiftlet-test", path, "tmpfs", 0, "size=\(bytes),mode=700") == 0
    }

    /// Takes the last byte of the host's disk, which must be its own.
    package func fillDisk() {
        precondition(hasDisk, "this disk is not the host's alone")
        let descriptor = open("\(data)/filling", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        var size = 1 << 20
        let piece = [UInt8](repeating: 0, count: size)
        while size > 0 {
            if write(descriptor, piece, size) < size { size /= 2 }
        }
    }

    /// Gives it back.
    package func emptyDisk() { unlink("\(data)/filling") }

    // MARK: Life

    /// Starts the host, with other arguments than before where they are given, and waits until it is ready.
    package func start(_ arguments: [String]? = nil) async throws {
        unlink("\(data)/host.json")
        let output = open("\(place.path)/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(output) }
        var spec = DevHost.command(
            ["dev"] + flags + (arguments ?? options.arguments),
            options.environment,
            place.path
        )
        spec.descriptors = [1: output, 2: output]
        let exit = ExitFlag()
        let process = try ChildProcess.spawn(spec) { exit.set($0) }
        let note = try await eventually("host.json", within: .seconds(20)) { [data] in
            if let status = exit.status { throw Failure("the host ended with \(status): \(self.output)") }
            return Text.read("\(data)/host.json").flatMap { try? JSON.parse(Bytes($0)) }
        }
        guard let gateway = note["gateway"]?.stringValue, let admin = note["admin"]?.stringValue else {
            throw Failure("host.json lacks a URL: \(note.text)")
        }
        running.withLock {
            $0 = Running(process: process, exit: exit, gateway: gateway, admin: admin)
        }
    }

    private var flags: [String] {
        let root = Installed.project
        var flags = ["--data", data, "--port", "0", "--admin-port", "0"]
        flags += ["--functions", options.functions ?? "\(root)/Functions"]
        flags += ["--schedules", options.schedules ?? "\(root)/schedules"]
        return flags + ["--bundle", options.bundle ?? "\(Installed.directory)/functions"]
    }

    /// Kills the host as a crash would; its Redis is left behind.
    package func kill() async throws {
        guard let host = running.withLock({ $0.take() }) else { return }
        host.process.signal(SIGKILL)
        _ = try await eventually("the host's end") { host.exit.status }
    }

    /// Ends the host as Ctrl-C does; how it ended, and after which time.
    package func interrupt(_ signal: Int32 = SIGINT) async throws -> (status: ExitStatus, after: Duration) {
        guard let host = running.withLock({ $0.take() }) else { throw Failure("no host is running") }
        let begin = Monotonic.now
        host.process.signal(signal)
        do {
            let status = try await eventually("the host's end") { host.exit.status }
            return (status, Monotonic.now - begin)
        } catch {
            host.process.signal(SIGKILL)
            throw error
        }
    }

    /// Waits for the host's end, however it was asked for.
    package func end() async throws -> ExitStatus {
        guard let host = running.withLock({ $0 }) else { throw Failure("no host is running") }
        let status = try await eventually("the host's end") { host.exit.status }
        running.withLock { $0 = nil }
        return status
    }

    private func remove() async {
        _ = try? await interrupt()
        // Of a host that was killed and not started again.
        if let redis = redisPid, Text.read("/proc/\(redis)/comm") == "redis-server\n" {
            Glibc.kill(redis, SIGKILL)
        }
        if hasDisk { umount2(data, Int32(MNT_DETACH)) }
        place.remove()
    }

    // MARK: What is known of it

    package var gateway: String { running.withLock { $0?.gateway } ?? "http://127.0.0.1:1" }
    package var admin: String { running.withLock { $0?.admin } ?? "http://127.0.0.1:1" }
    package var pid: pid_t? { running.withLock { $0?.process.pid } }
    /// All that the process has printed, over restarts.
    package var output: String { Text.read("\(place.path)/output") ?? "" }

    /// The lines of the host's log, over restarts.
    package var log: [JSON] {
        (Text.read("\(data)/logs/swiftlet.jsonl") ?? "").split(separator: "\n").compactMap {
            try? JSON.parse(Bytes(String($0)))
        }
    }

    /// The log's lines of a message, and of a function where one is named.
    package func log(_ message: String, of function: String? = nil) -> [JSON] {
        log.filter { line in
            line["message"]?.stringValue == message
                && (function == nil || line["function"]?.stringValue == function)
        }
    }

    /// The pids of a function's workers.
    package func workers(of function: String) async throws -> [pid_t] {
        let list = try await HTTP.get("\(admin)/v1/functions").json["functions"]?.arrayValue ?? []
        let entry = list.first { $0["name"]?.stringValue == function }
        return (entry?["pids"]?.arrayValue ?? []).compactMap { $0.intValue.map { pid_t($0) } }
    }

    /// The private redis-server's pid.
    package var redisPid: pid_t? {
        Text.read("\(data)/redis/redis.pid").flatMap { pid_t($0.prefix { $0.isNumber }) }
    }

    /// Says something to the host's own Redis.
    package func redis(_ words: String...) async throws -> RedisAnswer {
        let socket = "\(data)/redis/redis.sock"
        return try await onThread { try RedisAnswer.ask(socket, words) }
    }

    // MARK: Requests

    package func get(_ path: String, _ headers: [Header] = []) async throws -> HTTP.Answer {
        try await HTTP.get(path.hasPrefix("http") ? path : gateway + path, headers)
    }

    package func post(_ path: String, _ body: JSON, _ headers: [Header] = []) async throws -> HTTP.Answer {
        try await HTTP.send("POST", gateway + path, body.bytes(), headers + [.json])
    }

    /// Moves the host's clock, such as by `["advance": 61]`.
    package func clock(_ change: JSON) async throws {
        let answer = try await HTTP.send("POST", "\(admin)/v1/clock", change.bytes(), [.json])
        guard answer.status == 200 else { throw Failure("the clock was not moved: \(answer.text)") }
    }

    /// Runs `swiftlet` with `--data` of this host.
    package func swiftlet(_ arguments: String..., input: String? = nil) async throws -> Ran {
        try await DevHost.swiftlet(arguments + ["--data", data], input: input)
    }

    /// Runs `swiftlet` to its end.
    package static func swiftlet(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> Ran {
        try await Ran.run(command(arguments, environment, Installed.project), input: input)
    }

    private static func command(
        _ arguments: [String],
        _ environment: [String: String],
        _ directory: String
    ) -> ChildSpec {
        var spec = ChildSpec("\(Installed.directory)/swiftlet", arguments, directory: directory)
        spec.environment.merge(environment) { _, given in given }
        return spec
    }
}

/// A child's end, once it is known.
private final class ExitFlag: Sendable {
    private let value = Mutex<ExitStatus?>(nil)

    var status: ExitStatus? { value.withLock { $0 } }

    func set(_ status: ExitStatus) { value.withLock { $0 = status } }
}
