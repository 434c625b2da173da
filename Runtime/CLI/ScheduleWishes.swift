import ArgumentParser
import FunctionCore
import HostKit
import Scheduling

extension Schedule {
    /// `swiftlet schedule pause`.
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Holds a schedule; its times are skipped until it is resumed."
        )

        @Argument(help: "A schedule's name.") var name: String
        @Option(help: "Why, for those who wonder.") var note = "by the operator"
        @OptionGroup var address: HostAddress

        func run() {
            let answer = Schedule.host(address).value(
                "POST",
                Schedule.path(name, "/pause"),
                body: ["note": .string(note)]
            )
            print("\(name) is paused: \(answer["schedule"]?["paused"]?.stringValue ?? "")")
        }
    }

    /// `swiftlet schedule resume`.
    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a schedule go on; what it skipped is not caught up with (see backfill)."
        )

        @Argument(help: "A schedule's name.") var name: String
        @OptionGroup var address: HostAddress

        func run() {
            let answer = Schedule.host(address).value("POST", Schedule.path(name, "/resume"))
            print("\(name) goes on, next \(answer["schedule"]?["next"]?.stringValue ?? "never")")
        }
    }

    /// `swiftlet schedule trigger`.
    struct Trigger: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has a schedule run now, besides its times and by its overlap policy."
        )

        @Argument(help: "A schedule's name.") var name: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let answer = Schedule.host(address).value("POST", Schedule.path(name, "/trigger"))
            Schedule.printTimes(answer["times"]?.arrayValue ?? [], output)
        }
    }

    /// `swiftlet schedule backfill`.
    struct Backfill: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has a schedule run for its past times that had no run, in their order.",
            discussion: "A time that has had its run gets no second one. At most 1000 times wait at once."
        )

        @Argument(help: "A schedule's name.") var name: String
        @Option(help: "The first time, such as \(Instant.forms).") var from: String
        @Option(help: "The last time.") var to: String
        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() {
            let first = Schedule.instant(from, "--from").rfc3339
            let last = Schedule.instant(to, "--to").rfc3339
            let answer = Schedule.host(address).value(
                "POST",
                Schedule.path(name, "/backfill"),
                body: ["from": .string(first), "to": .string(last)]
            )
            let times = answer["times"]?.arrayValue ?? []
            Schedule.printTimes(times, output)
            if times.isEmpty, !output.json { print("no time of \(name) there is without a run") }
        }
    }
}
