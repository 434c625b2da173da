import ArgumentParser
import FunctionCore
import Glibc
import HostKit
import HTTPTrigger
import Scheduling
import Settings

/// `swiftlet functions`.
struct Functions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the running host's functions, their triggers and workers."
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() {
        let answer = HostClient(base: address.urls().admin).value("GET", "/v1/functions")
        for function in answer["functions"]?.arrayValue ?? [] {
            if output.json {
                print(function.text)
                continue
            }
            let workers = function["workers"]?.intValue ?? 0
            let name = Banner.padded(function["name"]?.stringValue ?? "", 15)
            let summary = function["summary"]?.stringValue ?? ""
            print("\(name) \(workers) worker\(workers == 1 ? " " : "s")  \(summary)")
            if let wanted = function["wanted"]?.intValue, let why = function["why"]?.stringValue {
                print("\(Banner.padded("", 15)) wants \(wanted): \(why)")
            }
            for member in ["routes", "websockets", "streams"] {
                for trigger in function[member]?.arrayValue ?? [] {
                    print("\(Banner.padded("", 15)) \(trigger.stringValue ?? "")")
                }
            }
        }
    }
}

/// `swiftlet check`.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks functions, schedules, calendars and settings, and tells all faults at once.",
        discussion: "Exit code 78 where there are faults. Each is printed with its file, line and a hint."
    )

    @Flag(help: "Show every setting with its value and where it is from; secrets are masked.")
    var effective = false
    @Option(help: "A configuration file for `serve`.") var config: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var project: ProjectOptions

    func run() async throws {
        let problems = Problems()
        var environment = parseDotEnv(readText(".env") ?? "")
        environment.merge(processEnvironment()) { _, real in real }
        var file: (path: String, text: String)?
        if let config {
            guard let text = readText(config) else { leave(78, "\(config) cannot be read") }
            file = (config, text)
        }
        let settings = Configuration.resolve(
            flags: project.flags,
            environment: environment,
            file: file,
            problems: problems
        )
        if effective { show(settings) }
        let profile = HostSettings(settings, problems: problems).profile
        let bundle = await bundleFunctions(settings, problems)
        let project = Project.load(
            functions: settings["functions"],
            schedules: settings["schedules"],
            bundle: bundle,
            profile: profile,
            everyCalendar: true,
            problems: problems
        )
        project.checkCalendars(at: VirtualClock().now, schedules: settings["schedules"], problems)
        for problem in problems.all {
            print(output.json ? json(problem).text : problem.description)
        }
        for warning in problems.warnings {
            print(output.json ? json(warning, isWarning: true).text : "warning: \(warning)")
        }
        if !problems.isEmpty { throw ExitCode(78) }
        if !output.json {
            let counts = "\(project.manifests.count) functions, \(project.book.entries.count) schedules"
            print("all is well: \(counts), \(project.book.calendars.count) calendars")
        }
    }

    private func bundleFunctions(_ settings: Configuration, _ problems: Problems) async -> [String]? {
        let path = ProjectSource.bundle(
            settings,
            program: programPath(),
            isDevelopment: config == nil
        )
        if settings["bundle"].isEmpty, access(path, X_OK) != 0 {
            let message = "it is not built yet, so that manifests are not held against it"
            problems.warn(Problem(file: path, message: message, hint: "`swiftlet dev` builds it"))
            return nil
        }
        do {
            return try await Bundle.describe(path)
        } catch {
            problems.add(Problem(file: path, message: "\(error)", hint: "build it with `make build`"))
            return nil
        }
    }

    private func show(_ settings: Configuration) {
        for (name, value, source) in settings.effective {
            if output.json {
                let line: JSON = ["name": .string(name), "value": .string(value), "source": .string(source)]
                print(line.text)
            } else {
                print("\(Banner.padded(name, 26))\(Banner.padded(value.isEmpty ? "-" : value, 32))\(source)")
            }
        }
    }

    private func json(_ problem: Problem, isWarning: Bool = false) -> JSON {
        [
            "severity": isWarning ? "warning" : "fault", "file": .string(problem.file),
            "line": problem.line.map { .integer(Int64($0)) } ?? .null,
            "message": .string(problem.message), "hint": .string(problem.hint),
        ]
    }
}

/// `swiftlet logs`.
struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the log of a host that runs or ran, oldest first.",
        discussion: """
            Filters are joined: `swiftlet logs script --trace 4bf9…` shows one function's lines of one trace.
            """
    )

    @Argument(help: "Only this function's lines.") var name: String?
    @Option(help: "Only the lines of this invocation.") var invocation: String?
    @Option(help: "Only the lines of this trace.") var trace: String?
    @Option(help: "Only lines of this level and above: debug, info, warning or error.") var level: String?
    @Option(help: "How many lines at most, the last ones.") var lines = 200
    @Flag(help: "Go on as lines come.") var follow = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() {
        if let level, LogLevel(named: level) == nil {
            leave(64, "--level is debug, info, warning or error, not \(level)")
        }
        let path = "\(address.directory)/logs/swiftlet.jsonl"
        guard var content = readFile(path) else {
            leave(69, "there is no log at \(path); has a host run there?")
        }
        if let older = readFile(path + ".1"), content.count < 1 << 20 { content = older + content }
        var matching: [JSON] = []
        for line in content.split(separator: 10) { if let record = record(line) { matching.append(record) } }
        for record in matching.suffix(max(0, lines)) { show(record) }
        if follow { followFile(path) }
    }

    private func record(_ line: ArraySlice<UInt8>) -> JSON? {
        guard let json = try? JSON.parse(Bytes(Array(line))) else { return nil }
        if let name, json["function"]?.stringValue != name { return nil }
        if let level = level.flatMap({ LogLevel(named: $0) }) {
            guard let own = LogLevel(named: json["level"]?.stringValue ?? ""), own >= level else {
                return nil
            }
        }
        if let invocation, json["invocation"]?.stringValue != invocation { return nil }
        if let trace, json["trace"]?.stringValue != trace { return nil }
        return json
    }

    private func show(_ record: JSON) {
        if output.json { return print(record.text) }
        let head = ["time", "level", "function", "message"].compactMap { record[$0]?.stringValue }
        let known: Set = ["time", "level", "function", "message"]
        let rest = (record.objectValue ?? [:]).filter { !known.contains($0.key) }.map {
            "\($0.key)=\($0.value.stringValue ?? $0.value.text)"
        }
        print((head + rest).joined(separator: " "))
    }

    private func followFile(_ path: String) -> Never {
        var descriptor = open(path, O_RDONLY)
        lseek(descriptor, 0, SEEK_END)
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 {
                var now = stat()
                var opened = stat()
                if stat(path, &now) == 0, fstat(descriptor, &opened) == 0, now.st_ino != opened.st_ino {
                    close(descriptor)
                    descriptor = open(path, O_RDONLY)
                }
                usleep(200_000)
                continue
            }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 10) {
                if let record = record(pending[..<end]) { show(record) }
                pending.removeSubrange(...end)
            }
            // Into a pipe lines would be kept back by the block.
            fflush(nil)
        }
    }
}

extension LogLevel {
    /// The level that a word names.
    fileprivate init?(named name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}

/// `swiftlet shards`.
struct Shards: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells where users' data lie.",
        subcommands: [Locate.self]
    )

    /// `swiftlet shards locate`.
    struct Locate: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the shard and the file of a user.")

        @Argument(help: "The user's number, from 1.") var user: Int
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let place = HostClient(base: address.urls().admin).value("GET", "/v1/shards/\(user)")
            if output.json { return print(place.text) }
            let (shard, file) = (place["shard"]?.intValue ?? 0, place["file"]?.stringValue ?? "")
            print("user \(user) is in shard \(shard): \(file)")
        }
    }
}
