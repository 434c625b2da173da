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
