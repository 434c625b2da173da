import FunctionCore
import Scheduling
import Settings

/// A market's own file: hours, days and phases.
extension ScheduleReader {
    /// What a file tells; nil where something is wrong with it.
    mutating func calendarRules(_ root: SettingsNode) -> (CalendarRules, TimeZoneRules)? {
        let known = [
            "name", "version", "sources", "zone", "firstYear", "lastYear", "open", "close", "breakStart",
            "breakEnd", "hours", "week", "holidays", "closures", "earlyCloses", "lateOpens", "phases",
        ]
        let before = problems.all.count
        let members = root.members(known)
        let name = (members["name"] ?? root.missing("name", "XNYS"))?.string()
        let zoneNode = members["zone"] ?? root.missing("zone", "America/New_York")
        let zone = zoneNode.flatMap { self.zone($0) }
        let first = (members["firstYear"] ?? root.missing("firstYear", "2026"))?.integer(1970...2199)
        let last = (members["lastYear"] ?? root.missing("lastYear", "2028"))?.integer(1970...2199)
        let hours =
            members["hours"].map { $0.list.compactMap { calendarHours($0, $0.members(CalendarKeys.hours)) } }
            ?? [calendarHours(root, members)].compactMap(\.self)
        let days = (members["holidays"]?.list ?? []) + (members["closures"]?.list ?? [])
        let holidays = days.compactMap { node -> CalendarRules.Holiday? in
            let members = node.members(CalendarKeys.day)
            return dayRule(node, members).map { .init(name: members["name"]?.string() ?? "", day: $0) }
        }
        let version = members["version"]?.string() ?? ""
        let sources = members["sources"]?.list.compactMap { $0.string() } ?? []
        let weeks = members["week"]?.list.compactMap { calendarWeek($0) } ?? []
        let early = specialTimes(members["earlyCloses"], "close")
        let late = specialTimes(members["lateOpens"], "open")
        let phases = members["phases"]?.list.compactMap { phaseRule($0) } ?? []
        guard let name, let zone, let first, let last, problems.all.count == before else { return nil }
        let rules = CalendarRules(
            name: name,
            version: version,
            sources: sources,
            zone: zone.name,
            years: min(first, last)...max(first, last),
            weeks: weeks,
            hours: hours,
            holidays: holidays,
            earlyCloses: early,
            lateOpens: late,
            phases: phases
        )
        let faults = rules.problems()
        for fault in faults { root.wrong(fault, hint: "correct the calendar") }
        return faults.isEmpty ? (rules, zone) : nil
    }

    /// What is different on single days, by the file of overrides, if there is one.
    package func readOverrides(of name: String) -> [DayOverride] {
        let file = calendarFiles.overrides(of: name)
        guard let text = readText(file), let root = SettingsNode.parse(text, file: file, problems: problems)
        else { return [] }
        let members = root.members(["calendar", "days"])
        if let calendar = members["calendar"]?.string(), calendar != name {
            root.wrong("the file is for `\(name)` and names `\(calendar)`", hint: "rename it")
        }
        return members["days"]?.list.compactMap { node in
            let members = node.members(["date", "closed", "open", "close", "reason"])
            guard let date = (members["date"] ?? node.missing("date", "2026-11-23")).flatMap(date) else {
                return nil
            }
            let reason = members["reason"]?.string() ?? ""
            if members["closed"]?.flag() == true {
                return DayOverride(date: date, change: .closed, reason: reason)
            }
            let (open, close) = (members["open"].flatMap(time), members["close"].flatMap(time))
            if open == nil, close == nil {
                node.wrong("nothing is different on \(date)", hint: "write closed: true, open or close")
            }
            return DayOverride(date: date, change: .hours(open: open, close: close), reason: reason)
        } ?? []
    }

    // MARK: Parts

    private func calendarHours(
        _ node: SettingsNode,
        _ members: [String: SettingsNode]
    ) -> CalendarRules.Hours? {
        guard let open = (members["open"] ?? node.missing("open", "\"09:30\"")).flatMap(time),
            let close = (members["close"] ?? node.missing("close", "\"16:00\"")).flatMap(time)
        else { return nil }
        let (start, end) = (members["breakStart"].flatMap(time), members["breakEnd"].flatMap(time))
        if (start == nil) != (end == nil) {
            node.wrong("a break has a start and an end", hint: "write both breakStart and breakEnd")
        }
        let pause = start.flatMap { start in end.map { CalendarRules.Pause(start: start, end: $0) } }
        let from = members["from"].flatMap(date)
        return CalendarRules.Hours(from: from, open: open, close: close, pause: pause)
    }

    private func calendarWeek(_ node: SettingsNode) -> CalendarRules.Week? {
        let members = node.members(["from", "days"])
        guard let days = members["days"] ?? node.missing("days", "[mon, tue, wed, thu, fri]") else {
            return nil
        }
        return CalendarRules.Week(from: members["from"].flatMap(date), weekdays: weekdays(days))
    }

    private func specialTimes(_ node: SettingsNode?, _ key: String) -> [CalendarRules.SpecialTime] {
        (node?.list ?? []).compactMap { node in
            let members = node.members(CalendarKeys.day + [key])
            guard let time = (members[key] ?? node.missing(key, "\"13:00\"")).flatMap(time),
                let day = dayRule(node, members)
            else { return nil }
            return .init(name: members["name"]?.string() ?? "", day: day, time: time)
        }
    }

    private func dayRule(_ node: SettingsNode, _ members: [String: SettingsNode]) -> DayRule? {
        guard let (anchor, offset) = anchor(node, members) else { return nil }
        let words = DayRule.Observance.allCases.map(\.rawValue)
        let observance = members["observe"]?.word(words).flatMap { DayRule.Observance(rawValue: $0) }
        let from = members["from"]?.integer(1900...2199)
        let until = members["until"]?.integer(1900...2199)
        var years: ClosedRange<Int>?
        if from != nil || until != nil {
            let (first, last) = (from ?? 1900, until ?? 2199)
            if first > last { node.wrong("until is before from", hint: "correct one of them") }
            years = min(first, last)...max(first, last)
        }
        return DayRule(
            anchor,
            offset: offset,
            observance: observance ?? .none,
            years: years,
            except: members["except"]?.list.compactMap { $0.integer(1900...2199) } ?? [],
            weekdays: members["when"].map { weekdays($0) }
        )
    }

    private func anchor(
        _ node: SettingsNode,
        _ members: [String: SettingsNode]
    ) -> (anchor: DayRule.Anchor, offset: Int)? {
        guard [members["on"], members["date"], members["dates"]].compactMap(\.self).count == 1 else {
            node.wrong("one of on, date and dates was expected", hint: "write on: \"4th thu nov\"")
            return nil
        }
        if let list = members["dates"] { return (.dates(list.list.compactMap(date)), 0) }
        if let day = members["date"] { return date(day).map { (.dates([$0]), 0) } }
        guard let on = members["on"], let text = on.string() else { return nil }
        if let anchor = DayRule.Anchor.parse(text) { return anchor }
        on.wrong(
            "`\(text)` is no rule for a day",
            hint: "write \"12-25\", \"3rd mon jan\", \"last mon may\", \"mon before 05-25\", \"easter-2\""
        )
        return nil
    }

    private func phaseRule(_ node: SettingsNode) -> PhaseRule? {
        let members = node.members(["phase", "from", "start", "end"])
        let names = MarketPhase.allCases.map(\.rawValue)
        guard let phase = (members["phase"] ?? node.missing("phase", "pre"))?.word(names),
            let start = (members["start"] ?? node.missing("start", "\"04:00\"")).flatMap(phaseEdge),
            let end = (members["end"] ?? node.missing("end", "open")).flatMap(phaseEdge)
        else { return nil }
        let from = members["from"].flatMap(date)
        return MarketPhase(rawValue: phase).map { PhaseRule($0, from: from, start: start, end: end) }
    }

    private func phaseEdge(_ node: SettingsNode) -> PhaseRule.Edge? {
        guard let text = node.string() else { return nil }
        if text.hasPrefix("open") || text.hasPrefix("close"), let edge = try? SessionEdge(parsing: text) {
            return edge.anchor == .open ? .open(edge.offset) : .close(edge.offset)
        }
        return time(node).map { .time($0) }
    }

    private func weekdays(_ node: SettingsNode) -> Set<Int> {
        Set(
            node.list.compactMap { item in
                guard let text = item.string() else { return nil }
                if let day = DayRule.Anchor.weekday(text) { return day }
                item.wrong("`\(text)` is no weekday", hint: "write mon, tue, wed, thu, fri, sat or sun")
                return nil
            }
        )
    }

    private func date(_ node: SettingsNode) -> CivilDate? {
        guard let text = node.string() else { return nil }
        if let date = CivilDate(parsing: text) { return date }
        node.wrong("`\(text)` is no date", hint: "write \"2026-11-26\", in quotes")
        return nil
    }

    private func time(_ node: SettingsNode) -> SessionTime? {
        guard let text = node.string() else { return nil }
        if let time = SessionTime(parsing: text) { return time }
        node.wrong("`\(text)` is no time of day", hint: "write \"09:30\" or \"17:00-1d\", in quotes")
        return nil
    }
}

private enum CalendarKeys {
    static let hours = ["from", "open", "close", "breakStart", "breakEnd"]
    static let day = [
        "name", "on", "date", "dates", "observe", "from", "until", "except", "when", "source",
    ]
}
