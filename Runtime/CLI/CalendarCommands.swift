import ArgumentParser
import FunctionCore
import Glibc
import HostKit
import Scheduling
import Settings

/// `swiftlet calendar`.
struct MarketCalendars: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calendar",
        abstract: "Tells when markets are open, by their calendars' files; needs no host.",
        discussion: """
            A calendar is looked for in the project's schedules/calendars, and then among those that came with \
            swiftlet. A question beyond the years it knows ends with 1 and calendar_expired.
            """,
        subcommands: [
            List.self, Sessions.self, Status.self, IsOpen.self, NextOpen.self, NextClose.self,
            Override.self,
        ]
    )

    /// Where calendars are.
    struct Place: ParsableArguments {
        @Option(help: "Where schedules and calendars/ are; default: schedules.") var schedules = "schedules"

        /// The calendar, or the end of the command with what is wrong.
        ///
        /// `overrides` count instead of those of its file.
        func calendar(_ name: String, overrides: [DayOverride]? = nil) -> MarketCalendar {
            let problems = Problems()
            let files = CalendarFiles(schedules: schedules)
            var reader = ScheduleReader(problems: problems, calendarFiles: files)
            reader.overrides[name] = overrides
            let calendar = reader.calendar(named: name)
            if !problems.isEmpty { leaveFor(ConfigurationError(problems.all)) }
            guard let calendar else {
                let known = files.names
                let near = nearest(name, known).map { "did you mean \($0)?" }
                leave(
                    78,
                    "there is no calendar \(name); \(near ?? "there are \(known.joined(separator: ", "))")"
                )
            }
            return calendar
        }
    }

    /// A calendar and an instant.
    struct Question: ParsableArguments {
        @Argument(help: "A calendar's name, such as XNYS.") var name: String
        @Option(help: "The instant, such as \(Instant.forms); default: now.") var at: String?
        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        func answer<Value>(
            _ ask: (MarketCalendar, Instant) throws(SchedulingError) -> Value
        ) -> Value {
            let instant = at.map { Schedule.instant($0, "--at") } ?? VirtualClock().now
            let calendar = place.calendar(name)
            do throws(SchedulingError) {
                return try ask(calendar, instant)
            } catch {
                leave(1, error.description)
            }
        }
    }

    /// `swiftlet calendar list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the calendars, the years they know and what they are from."
        )

        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        func run() {
            for name in CalendarFiles(schedules: place.schedules).names {
                let calendar = place.calendar(name)
                let years = "\(calendar.years.lowerBound) to \(calendar.years.upperBound)"
                guard output.json else {
                    let zone = Banner.padded(calendar.zone.name, 20)
                    print("\(Banner.padded(name, 12))\(years)  \(zone)version \(calendar.version)")
                    continue
                }
                let line: JSON = [
                    "calendar": .string(name), "version": .string(calendar.version),
                    "zone": .string(calendar.zone.name),
                    "first_year": .integer(Int64(calendar.years.lowerBound)),
                    "last_year": .integer(Int64(calendar.years.upperBound)),
                    "sessions": .integer(Int64(calendar.sessions.count)),
                    "sources": .array(calendar.sources.map { .string($0) }),
                ]
                print(line.text)
            }
        }
    }

    /// `swiftlet calendar sessions`.
    struct Sessions: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the sessions of a range of dates, with their times in UTC.",
            discussion: "The dates are sessions' labels; both are included."
        )

        @Argument(help: "A calendar's name, such as XNYS.") var name: String
        @Option(help: "The first date, such as 2026-01-01; default: the first the calendar knows.")
        var from: String?
        @Option(help: "The last date; default: the last the calendar knows.") var to: String?
        @OptionGroup var place: Place
        @OptionGroup var output: OutputOptions

        func run() {
            let calendar = place.calendar(name)
            guard
                let first = from.map({ CivilDate(parsing: $0) })
                    ?? CivilDate(calendar.years.lowerBound, 1, 1),
                let last = to.map({ CivilDate(parsing: $0) }) ?? CivilDate(calendar.years.upperBound, 12, 31),
                first <= last
            else { leave(64, "--from and --to must be dates such as 2026-01-01, the earlier one first") }
            do throws(SchedulingError) {
                let sessions = try calendar.sessions(of: first...last)
                let lines = sessions.map { output.json ? $0.json.text : $0.line }
                writeOut(Bytes(lines.map { $0 + "\n" }.joined()))
            } catch {
                leave(1, error.description)
            }
        }
    }

    /// `swiftlet calendar status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells a market's phase, its session and what comes next."
        )

        @OptionGroup var question: Question

        func run() {
            let status = question.answer { (calendar, instant) throws(SchedulingError) -> JSON in
                let span = calendar.phaseSpans(from: instant, to: instant + .nanoseconds(1)).first
                return [
                    "calendar": .string(calendar.name), "version": .string(calendar.version),
                    "at": .string(instant.rfc3339),
                    "phase": .string(span?.phase.rawValue ?? "closed"),
                    "open": .bool(try calendar.isOpen(at: instant)),
                    "session": span.map { .string($0.session.description) } ?? .null,
                    "next_open": .string(try calendar.nextOpen(after: instant).rfc3339),
                    "next_close": .string(try calendar.nextClose(after: instant).rfc3339),
                ]
            }
            if question.output.json { return print(status.text) }
            for key in ["calendar", "version", "at", "phase", "open", "session", "next_open", "next_close"] {
                let value = status[key].map { $0.stringValue ?? ($0 == .null ? "none" : $0.text) }
                print("\(Banner.padded(key, 12))\(value ?? "")")
            }
        }
    }

    /// `swiftlet calendar is-open`.
    struct IsOpen: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints true where a market trades, or else false."
        )

        @OptionGroup var question: Question

        func run() {
            let isOpen = question.answer { (calendar, instant) throws(SchedulingError) in
                try calendar.isOpen(at: instant)
            }
            print(isOpen)
        }
    }

    /// `swiftlet calendar next-open`.
    struct NextOpen: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the first opening after an instant."
        )

        @OptionGroup var question: Question

        func run() {
            let next = question.answer { (calendar, instant) throws(SchedulingError) in
                try calendar.nextOpen(after: instant)
            }
            print(question.output.json ? JSON.string(next.rfc3339).text : next.rfc3339)
        }
    }

    /// `swiftlet calendar next-close`.
    struct NextClose: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the first close after an instant.")

        @OptionGroup var question: Question

        func run() {
            let next = question.answer { (calendar, instant) throws(SchedulingError) in
                try calendar.nextClose(after: instant)
            }
            print(question.output.json ? JSON.string(next.rfc3339).text : next.rfc3339)
        }
    }
}

extension MarketCalendar.Session {
    /// As `swiftlet calendar sessions --json` prints it.
    fileprivate var json: JSON {
        [
            "session": .string(date.description), "open": .string(open.rfc3339),
            "close": .string(close.rfc3339),
            "break_start": pause.map { .string($0.lowerBound.rfc3339) } ?? .null,
            "break_end": pause.map { .string($0.upperBound.rfc3339) } ?? .null,
            "early_close": .bool(isEarlyClose), "late_open": .bool(isLateOpen),
        ]
    }

    fileprivate var line: String {
        var line = "\(date)  \(open.rfc3339)  \(close.rfc3339)"
        if let pause { line += "  break \(pause.lowerBound.rfc3339) to \(pause.upperBound.rfc3339)" }
        return line + (isEarlyClose ? "  early close" : "") + (isLateOpen ? "  late open" : "")
    }
}
