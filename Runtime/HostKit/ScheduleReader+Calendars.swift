import FunctionCore
import Scheduling
import Settings

/// Calendar files.
extension ScheduleReader {
    /// Reads a calendar file.
    package mutating func readCalendar(_ text: String, file: String) {
        guard let root = SettingsNode.parse(text, file: file, problems: problems) else { return }
        let members = root.members([
            "name", "zone", "open", "close", "firstYear", "lastYear", "holidays", "earlyCloses",
        ])
        guard let name = (members["name"] ?? root.missing("name", "XNYS"))?.string(),
            let zoneNode = members["zone"] ?? root.missing("zone", "America/New_York"),
            let zone = self.zone(zoneNode),
            let open = (members["open"] ?? root.missing("open", "\"09:30\"")).flatMap(time),
            let close = (members["close"] ?? root.missing("close", "\"16:00\"")).flatMap(time),
            let first = (members["firstYear"] ?? root.missing("firstYear", "2026"))?.integer(1970...2199),
            let last = (members["lastYear"] ?? root.missing("lastYear", "2028"))?.integer(1970...2199)
        else { return }
        let holidays = members["holidays"]?.list.compactMap { node -> CalendarRules.Holiday? in
            let members = node.members(["date", "name"])
            guard let date = members["date"].flatMap(date) else { return nil }
            return CalendarRules.Holiday(date: date, name: members["name"]?.string() ?? "")
        }
        let early = members["earlyCloses"]?.list.compactMap { node -> CalendarRules.EarlyClose? in
            let members = node.members(["date", "close", "name"])
            guard let date = members["date"].flatMap(date), let close = members["close"].flatMap(time) else {
                return nil
            }
            return CalendarRules.EarlyClose(date: date, close: close, name: members["name"]?.string() ?? "")
        }
        let rules = CalendarRules(
            name: name,
            zone: zoneNode.string() ?? "UTC",
            open: open,
            close: close,
            holidays: holidays ?? [],
            earlyCloses: early ?? [],
            years: min(first, last)...max(first, last)
        )
        let faults = rules.problems()
        for fault in faults { root.wrong(fault, hint: "correct the calendar") }
        guard faults.isEmpty else { return }
        do throws(SchedulingError) {
            book.calendars[name] = try MarketCalendar(rules: rules, zone: zone)
        } catch {
            root.wrong(error.message, hint: "correct the calendar")
        }
    }

    private func date(_ node: SettingsNode) -> CivilDate? {
        guard let text = node.string() else { return nil }
        if let date = CivilDate(parsing: text) { return date }
        node.wrong("`\(text)` is no date", hint: "write \"2026-11-26\", in quotes")
        return nil
    }

    private func time(_ node: SettingsNode) -> TimeOfDay? {
        guard let text = node.string() else { return nil }
        if let time = TimeOfDay(parsing: text) { return time }
        node.wrong("`\(text)` is no time of day", hint: "write \"09:30\", in quotes")
        return nil
    }
}
