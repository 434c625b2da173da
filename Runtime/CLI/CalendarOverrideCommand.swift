import ArgumentParser
import Fetch
import FunctionCore
import HostKit
import HTTPTrigger
import Scheduling
import Settings

extension MarketCalendars {
    /// `swiftlet calendar override`.
    struct Override: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says that a day is different: closed, or with another open or close.",
            discussion: """
                Writes schedules/calendars/overrides/NAME.yaml, and has the running host, if there is one, read its \
                files anew: open windows follow at once. `--remove` takes a day's override back.
                """
        )

        @Argument(help: "A calendar's name, such as XNYS.") var name: String
        @Argument(help: "The session's date, such as 2026-11-23.") var date: String
        @Option(help: "It opens at this time of the market's clock, such as 10:30.") var open: String?
        @Option(help: "It closes at this time, such as 13:00.") var close: String?
        @Flag(help: "It does not open.") var closed = false
        @Flag(help: "Take the day's override back.") var remove = false
        @Option(help: "Why; stands in the file.") var reason: String?
        @OptionGroup var place: Place
        @OptionGroup var address: HostAddress
        @OptionGroup var output: OutputOptions

        func run() {
            guard let day = CivilDate(parsing: date) else {
                leave(64, "\(date) is no date such as 2026-11-23")
            }
            let problems = Problems()
            let files = CalendarFiles(schedules: place.schedules)
            let file = files.overrides(of: name)
            let reader = ScheduleReader(problems: problems, calendarFiles: files)
            var overrides = CalendarOverrides(calendar: name, days: reader.readOverrides(of: name))
            if !problems.isEmpty { leaveFor(ConfigurationError(problems.all)) }
            if remove {
                guard overrides.remove(day) else { leave(1, "\(file) has nothing on \(day)") }
            } else {
                overrides.set(override(day))
            }
            let calendar = place.calendar(name, overrides: overrides.days)
            guard overrides.write(to: file) else { leave(73, "\(file) cannot be written") }
            tell(day, try? calendar.session(on: day), file)
        }

        private func override(_ day: CivilDate) -> DayOverride {
            let times = [open, close].map { text in text.map { SessionTime(parsing: $0) } }
            guard !times.contains(where: { $0 == .some(nil) }) else {
                leave(64, "--open and --close are times such as 13:00 or 17:00-1d")
            }
            guard closed != (open != nil || close != nil) else {
                leave(64, "say --closed, or --open or --close with a time")
            }
            guard let reason, !reason.isEmpty else { leave(64, "--reason is missing: it stands in the file") }
            let change: DayOverride.Change =
                closed ? .closed : .hours(open: times[0].flatMap(\.self), close: times[1].flatMap(\.self))
            return DayOverride(date: day, change: change, reason: reason)
        }

        private func tell(_ day: CivilDate, _ session: MarketCalendar.Session?, _ file: String) {
            let host = reload()
            if output.json {
                let line: JSON = [
                    "calendar": .string(name), "date": .string(day.description), "file": .string(file),
                    "open": session.map { .string($0.open.rfc3339) } ?? .null,
                    "close": session.map { .string($0.close.rfc3339) } ?? .null, "host": .string(host),
                ]
                return print(line.text)
            }
            let hours =
                session.map { "is open from \($0.open.rfc3339) to \($0.close.rfc3339)" } ?? "is closed"
            print("\(name) \(hours) on \(day), by \(file); \(host)")
        }

        /// Has the host read its files anew, and says what came of it; a host that does not run reads them when
        /// it starts.
        private func reload() -> String {
            let note = readText("\(address.directory)/host.json").flatMap { try? JSON.parse(Bytes($0)) }
            guard let base = address.admin ?? note?["admin"]?.stringValue else {
                return "no host is running here"
            }
            let request = OutboundRequest(
                method: "POST",
                url: "\(base)/v1/reload",
                headers: HostClient.authorization,
                body: Bytes(),
                timeout: .seconds(330),
                responseLimit: 1 << 20
            )
            guard let (head, body) = try? BlockingFetch.send(request) else {
                return "no host is running here"
            }
            guard head.status == 200 else { leave(1, "the host did not take it: \(body.text)") }
            return "the host goes by it"
        }
    }
}
