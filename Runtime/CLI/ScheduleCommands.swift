import ArgumentParser
import FunctionCore
import HostKit
import Scheduling
import Settings

/// `swiftlet schedule`.
struct Schedule: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what runs when and what became of it, and takes the operator's wishes.",
        subcommands: [
            List.self, Show.self, Status.self, Next.self, History.self, Why.self, Pause.self, Resume.self,
            Trigger.self, Backfill.self, Simulate.self, Audit.self,
        ]
    )

    static func host(_ address: HostAddress) -> HostClient { HostClient(base: address.urls().admin) }

    static func path(_ name: String, _ more: String = "") -> String {
        "/v1/schedules/\(encoded(name))\(more)"
    }

    /// A time of the ledger as one line.
    static func line(_ time: JSON) -> String {
        let verdict = time["verdict"]?.stringValue ?? ""
        let into = time["into"]?.stringValue.map { "into \($0)" }
        let reason = time["reason"]?.stringValue ?? into ?? time["end"]?.stringValue ?? ""
        let cause = time["cause"]?.stringValue ?? ""
        return Banner.padded(time["nominal"]?.stringValue ?? "", 30) + Banner.padded(verdict, 11)
            + Banner.padded(reason, 24) + (cause == "scheduled" ? "" : cause)
    }

    static func printTimes(_ times: [JSON], _ output: OutputOptions) {
        for time in times { print(output.json ? time.text : line(time)) }
    }

    /// Of several hosts, whose account this is.
    fileprivate static func printAccount(_ answer: JSON) {
        guard let host = answer["host"]?.stringValue else { return }
        print("by the account of \(host); other hosts that share its Redis keep their own")
    }

    /// The project's schedules, from the files that a host would read.
    static func plan(_ files: ProjectFiles) -> SchedulePlan {
        let problems = Problems()
        let settings = files.resolve(problems)
        let project = Project.load(
            functions: settings["functions"],
            schedules: settings["schedules"],
            bundle: nil,
            problems: problems
        )
        if !problems.isEmpty { leaveFor(ConfigurationError(problems.all)) }
        return project.plan
    }

    static func instant(_ text: String, _ option: String) -> Instant {
        do throws(SchedulingError) {
            return try Instant(text: text) { name throws(SchedulingError) in try .load(name) }
        } catch {
            leave(64, "\(option): \(error.message)")
        }
    }

    /// `swiftlet schedule list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the schedules, and how each window stands."
        )

        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let state = Schedule.host(address).value("GET", "/v1/schedule")
            if output.json {
                let all = (state["windows"]?.arrayValue ?? []) + (state["schedules"]?.arrayValue ?? [])
                return all.forEach { print($0.text) }
            }
            Schedule.printWindows(state)
            for schedule in state["schedules"]?.arrayValue ?? [] {
                let id = Banner.padded(schedule["id"]?.stringValue ?? "", 24)
                let function = Banner.padded(schedule["function"]?.stringValue ?? "", 15)
                print("  \(id)\(function)\(schedule["when"]?.stringValue ?? "")")
            }
        }
    }

    /// `swiftlet schedule status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how each window and each schedule stands."
        )

        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let state = Schedule.host(address).value("GET", "/v1/schedule")
            if output.json { return print(state.text) }
            Schedule.printWindows(state)
            for schedule in state["schedules"]?.arrayValue ?? [] {
                func count(_ name: String) -> Int64 { schedule[name]?.intValue.map { Int64($0) } ?? 0 }
                let id = Banner.padded(schedule["id"]?.stringValue ?? "", 24)
                let next = Banner.padded(schedule["next"]?.stringValue ?? "no more", 26)
                var notes = ["\(count("runs")) runs"]
                for name in ["running", "waiting", "failures"] where count(name) > 0 {
                    notes.append("\(count(name)) \(name)")
                }
                if let remaining = schedule["remaining"]?.intValue { notes.append("\(remaining) remaining") }
                if let note = schedule["paused"]?.stringValue { notes.append("paused: \(note)") }
                print("  \(id)next \(next)\(notes.joined(separator: ", "))")
            }
        }
    }

    fileprivate static func printWindows(_ state: JSON) {
        print("now \(state["now"]?.stringValue ?? "")")
        for window in state["windows"]?.arrayValue ?? [] {
            let name = "\(window["rotation"]?.stringValue ?? "").\(window["window"]?.stringValue ?? "")"
            let token = window["token"]?.intValue.map { "  token \($0)" } ?? ""
            print("  \(Banner.padded(name, 24))\(window["stage"]?.stringValue ?? "")\(token)")
        }
    }

    /// `swiftlet schedule show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows all of one schedule, and its last times."
        )

        @Argument(help: "A schedule's name.") var name: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let schedule = Schedule.host(address).value("GET", Schedule.path(name))["schedule"] ?? .null
            if output.json { return print(schedule.text) }
            guard case .object(let object) = schedule else { return }
            for (key, value) in zip(object.keys, object.values) where key != "history" {
                print("\(Banner.padded(key, 12))\(value.stringValue ?? value.text)")
            }
            Schedule.printTimes(schedule["history"]?.arrayValue ?? [], output)
        }
    }

    /// `swiftlet schedule next`.
    struct Next: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the coming runs, of one function, of one schedule, or of all.",
            discussion:
                "Asks the running host, by its clock. With --from it needs no host and reads the files."
        )

        @Argument(help: "A function's or a schedule's name.") var name: String?
        @Option(help: "How many, 1 to 1000.") var count = 5
        @Option(
            name: [.long, .customLong("after")],
            help: "After this instant, by the files, without a host."
        )
        var from: String?
        @Option(help: "Not beyond this instant.") var until: String?
        @OptionGroup var files: ProjectFiles
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            guard 1...SchedulePlan.previewLimit ~= count else {
                leave(64, "--count \(count) is not within 1 to \(SchedulePlan.previewLimit)")
            }
            let (runs, faults) = from == nil ? asked() : planned()
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
            for fault in faults.dropLast() { writeError(fault) }
            if let fault = faults.last { leave(1, fault) }
        }

        private func asked() -> ([JSON], [String]) {
            var path = "/v1/schedule/next?count=\(count)"
            if let name { path += "&name=\(encoded(name))" }
            if let until { path += "&until=\(encoded(Schedule.instant(until, "--until").rfc3339))" }
            let answer = Schedule.host(address).value("GET", path)
            return (
                answer["next"]?.arrayValue ?? [],
                (answer["faults"]?.arrayValue ?? []).compactMap(\.stringValue)
            )
        }

        private func planned() -> ([JSON], [String]) {
            let after = Schedule.instant(from ?? "", "--from")
            let end = until.map { Schedule.instant($0, "--until") }
            if let end, end <= after { leave(64, "--until is not after --from") }
            let plan = Schedule.plan(files)
            if let name, !plan.knows(name) { leave(1, plan.unknown(name)) }
            let preview = plan.next(count, for: name, after: after, until: end)
            return (preview.upcoming.map(\.json), preview.faults.map(\.message))
        }
    }

    /// `swiftlet schedule history`.
    struct History: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints what became of a schedule's times, the newest first."
        )

        @Argument(help: "A schedule's name.") var name: String
        @Option(help: "How many, 1 to 1000.") var count = 20
        @Option(help: "Only times before this instant.") var before: String?
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            guard 1...1_000 ~= count else { leave(64, "--count \(count) is not within 1 to 1000") }
            var path = Schedule.path(name, "/history?limit=\(count)")
            if let before { path += "&before=\(encoded(Schedule.instant(before, "--before").rfc3339))" }
            let answer = Schedule.host(address).value("GET", path)
            Schedule.printTimes(answer["times"]?.arrayValue ?? [], output)
            if !output.json { Schedule.printAccount(answer) }
        }
    }

    /// `swiftlet schedule why`.
    struct Why: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says what became of one nominal time, and for what reason."
        )

        @Argument(help: "A schedule's name.") var name: String
        @Argument(help: "The nominal time, such as \(Instant.forms).") var time: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let nominal = Schedule.instant(time, "the time")
            let path = Schedule.path(name, "/times/\(encoded(nominal.rfc3339))")
            let told = Schedule.host(address).value("GET", path)
            if output.json { return print(told.text) }
            print(Schedule.line(told))
            print(told["text"]?.stringValue ?? "")
            for later in told["chain"]?.arrayValue ?? [] { print("  \(Schedule.line(later))") }
            if let job = told["job"] {
                print("job \(job["id"]?.stringValue ?? "") is \(job["state"]?.stringValue ?? "")")
            }
            Schedule.printAccount(told)
        }
    }
}
