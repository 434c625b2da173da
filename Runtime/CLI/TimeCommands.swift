import ArgumentParser
import FunctionCore
import HostKit
import Scheduling
import Settings

/// `swiftlet schedule`.
struct Schedule: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what runs when.",
        subcommands: [List.self, Next.self, Audit.self]
    )

    /// `swiftlet schedule list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the schedules, and how each window stands."
        )

        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let state = HostClient(base: address.urls().admin).value("GET", "/v1/schedule")
            let windows = state["windows"]?.arrayValue ?? []
            let schedules = state["schedules"]?.arrayValue ?? []
            if output.json { return (windows + schedules).forEach { print($0.text) } }
            print("now \(state["now"]?.stringValue ?? "")")
            for window in windows {
                let name = "\(window["rotation"]?.stringValue ?? "").\(window["window"]?.stringValue ?? "")"
                let token = window["token"]?.intValue.map { "  token \($0)" } ?? ""
                print("  \(Banner.padded(name, 24))\(window["phase"]?.stringValue ?? "")\(token)")
            }
            for schedule in schedules {
                let id = Banner.padded(schedule["id"]?.stringValue ?? "", 24)
                let function = Banner.padded(schedule["function"]?.stringValue ?? "", 15)
                print("  \(id)\(function)\(schedule["when"]?.stringValue ?? "")")
            }
        }
    }

    /// `swiftlet schedule next`.
    struct Next: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the coming runs, of one function or of all.",
            discussion:
                "Asks the running host, by its clock. With --after it needs no host and reads the files."
        )

        @Argument(help: "A function's name.") var function: String?
        @Option(help: "How many, 1 to 1000.") var count = 5
        @Option(help: "From this instant, by the files, without a host.") var after: String?
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() throws {
            let (runs, faults) = after == nil ? asked() : try planned()
            for run in runs {
                if output.json {
                    print(run.text)
                } else {
                    let window = run["window"]?.stringValue.map { "  window \($0)" } ?? ""
                    let at = Banner.padded(run["at"]?.stringValue ?? "", 26)
                    let name = Banner.padded(run["function"]?.stringValue ?? "", 15)
                    print("\(at)\(name)\(run["schedule"]?.stringValue ?? "")\(window)")
                }
            }
            for fault in faults { writeError(fault) }
        }

        private func asked() -> ([JSON], [String]) {
            var path = "/v1/schedule/next?count=\(count)"
            if let function { path += "&function=\(encoded(function))" }
            let answer = HostClient(base: address.urls().admin).value("GET", path)
            return (
                answer["next"]?.arrayValue ?? [],
                (answer["faults"]?.arrayValue ?? []).compactMap(\.stringValue)
            )
        }

        private func planned() throws -> ([JSON], [String]) {
            guard let instant = after.flatMap({ Instant(rfc3339: $0) }) else {
                leave(64, "--after must be an instant such as 2026-11-20T14:25:00Z")
            }
            let problems = Problems()
            let project = Project.load(
                functions: "Functions",
                schedules: "schedules",
                bundle: nil,
                problems: problems
            )
            if !problems.isEmpty { leaveFor(ConfigurationError(problems.all)) }
            let preview = project.plan.next(min(max(count, 1), 1000), for: function, after: instant)
            return (preview.upcoming.map(\.json), preview.faults.map(\.message))
        }
    }
}

/// `swiftlet clock`.
struct Clock: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows and sets the wall clock of a development host.",
        discussion: "Time limits of functions, grace and idleness follow the real clock always.",
        subcommands: [Show.self, Set.self, Advance.self, Speed.self, Freeze.self]
    )

    fileprivate static func show(_ clock: JSON, _ output: OutputOptions) {
        if output.json { return print(clock.text) }
        let speed = clock["speed"]?.doubleValue ?? 1
        let kind =
            clock["virtual"]?.boolValue != true
            ? "real" : speed == 0 ? "virtual, stands still" : "virtual, speed \(speed)"
        print("\(clock["now"]?.stringValue ?? "")  (\(kind))")
    }

    fileprivate static func change(_ body: JSON, _ address: HostAddress, _ output: OutputOptions) {
        show(HostClient(base: address.urls().admin).value("POST", "/v1/clock", body: body), output)
    }

    /// `swiftlet clock show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the clock.")
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.show(HostClient(base: address.urls().admin).value("GET", "/v1/clock"), output)
        }
    }

    /// `swiftlet clock set`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sets the clock to an instant.")
        @Argument(help: "Such as 2026-11-20T14:25:00Z or \"2026-11-20 09:25 America/New_York\".")
        var instant: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.change(["set": .string(instant)], address, output)
        }
    }

    /// `swiftlet clock advance`.
    struct Advance: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Moves the clock forwards.")
        @Argument(help: "Such as 30s, 5m, 8h, 2d.") var duration: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            guard let duration = parseDuration(duration) else {
                leave(64, "`\(duration)` is no duration; write 30s, 5m, 8h or 2d")
            }
            Clock.change(["advance": .number(duration.milliseconds / 1000)], address, output)
        }
    }

    /// `swiftlet clock speed`.
    struct Speed: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sets how many seconds pass in a real one.")
        @Argument(help: "0 stands still, 60 passes a minute in a second.") var factor: Double
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            guard (0...100_000).contains(factor) else {
                leave(64, "the speed \(factor) is not within 0, which stands still, and 100000")
            }
            Clock.change(["speed": .number(factor)], address, output)
        }
    }

    /// `swiftlet clock freeze`.
    struct Freeze: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets the clock stand still; `set` and `advance` move it, `speed 1` lets it go on."
        )
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            Clock.change(["speed": 0], address, output)
        }
    }
}
