import FunctionCore
import Glibc
import Processes
import Synchronization
import TestSupport

/// A `swiftlet serve` of the fixture project, one of several that may follow each other on one data directory.
final class ServeProcess: Sendable {
    /// A process's end, once it is known.
    private final class End: Sendable {
        let status = Mutex<ExitStatus?>(nil)
    }

    private let process: ChildProcess
    private let end = End()
    private let place: String

    var pid: pid_t { process.pid }
    var status: ExitStatus? { end.status.withLock { $0 } }

    /// Starts one; `more` goes into its configuration file, a socket that listens to the process.
    convenience init(
        in place: String,
        _ arguments: [String] = [],
        more: String = "",
        listening: Int32? = nil
    ) throws {
        let file = "\(place)/serve-\(UInt32.random(in: 0...UInt32.max)).yaml"
        let text = """
            gateway: {port: 0}
            admin: {port: 0}
            data: \(place)/data
            bundle: \(place)/bundle
            functions: \(place)/Functions
            schedules: \(place)/schedules
            stop: {grace: 4s}
            \(more)

            """
        Text.write(text.utf8, to: file)
        let words = ["serve", "--config", file] + arguments
        try self.init(in: place, words: words, environment: [:], listening: listening)
    }

    /// Starts one by a file of settings that is there; ports, data and what is run are the place's all the same.
    convenience init(in place: String, settings: String, environment: [String: String]) throws {
        let own = [
            "SWIFTLET_PORT": "0", "SWIFTLET_ADMIN_PORT": "0", "SWIFTLET_DATA": "\(place)/data",
            "SWIFTLET_BUNDLE": "\(place)/bundle", "SWIFTLET_FUNCTIONS": "\(place)/Functions",
            "SWIFTLET_SCHEDULES": "\(place)/schedules",
        ]
        let all = own.merging(environment) { _, given in given }
        try self.init(in: place, words: ["serve", "--config", settings], environment: all, listening: nil)
    }

    private init(
        in place: String,
        words: [String],
        environment: [String: String],
        listening: Int32?
    ) throws {
        self.place = place
        let output = open("\(place)/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(output) }
        let command = ["\(Installed.directory)/swiftlet"] + words
        // A process that is given sockets is told its own number, which only a shell knows before it.
        let script = listening == nil ? "exec \"$@\"" : "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\""
        var spec = ChildSpec("/bin/sh", ["-c", script, "sh"] + command, directory: place)
        spec.environment.merge(environment) { _, given in given }
        spec.descriptors = [1: output, 2: output]
        if let listening { spec.descriptors[3] = listening }
        let end = self.end
        process = try ChildProcess.spawn(spec) { status in end.status.withLock { $0 = status } }
    }

    /// What `host.json` says, once it is this process that serves.
    func ready() async throws -> (gateway: String, admin: String) {
        try await ServeProcess.ready(pid, in: place) { self.status }
    }

    /// The same for a process that another one has started.
    static func ready(
        _ pid: pid_t?,
        in place: String,
        _ status: () -> ExitStatus? = { nil }
    ) async throws -> (gateway: String, admin: String) {
        try await eventually("host.json of \(pid.map { "\($0)" } ?? "a successor")") {
            if let status = status() {
                throw DevHost.Failure("it ended with \(status): \(Text.read("\(place)/output") ?? "")")
            }
            guard let note = Text.read("\(place)/data/host.json").flatMap({ try? JSON.parse(Bytes($0)) }),
                pid == nil || note["pid"]?.intValue == pid.map({ Int($0) }),
                let gateway = note["gateway"]?.stringValue, let admin = note["admin"]?.stringValue
            else { return nil }
            return (gateway, admin)
        }
    }

    func signal(_ number: Int32) { kill(pid, number) }

    func ended() async throws -> ExitStatus {
        try await eventually("the end of \(pid)") { self.status }
    }

    /// The process that serves on a place, by `host.json`.
    static func serving(in place: String) -> pid_t? {
        let note = Text.read("\(place)/data/host.json").flatMap { try? JSON.parse(Bytes($0)) }
        return note?["pid"]?.intValue.map { pid_t($0) }
    }
}
