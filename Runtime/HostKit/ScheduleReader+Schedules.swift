import FunctionCore
import Scheduling
import Settings

/// Schedules: files of their own, and the triggers of manifests.
extension ScheduleReader {
    private static let keys = [
        "schedule", "cron", "zone", "dst", "dialect", "every", "anchor", "at", "calendar", "sessions", "from",
        "until", "start", "end", "exclude", "jitter", "catchUp", "overlap", "deadline", "pauseOnFailure",
        "remaining", "event",
    ]

    mutating func readSchedule(_ root: SettingsNode, function: String?, functions: [String]) {
        let members = root.members(ScheduleReader.keys + (function == nil ? ["function"] : []))
        let kind = kind(root, members)
        let limits = limits(members)
        let policy = policy(members, kind)
        guard
            let target = function
                ?? self.function(members["function"] ?? root.missing("function", "motto"), functions)
        else { return }
        let id = members["schedule"]?.string() ?? "\(target)@\(root.line)"
        guard !book.entries.contains(where: { $0.id == id }) else {
            root.wrong("two schedules are called `\(id)`", hint: "give each its own `schedule:`")
            return
        }
        guard let kind, let limits else { return }
        book.inputs[id] = input(members["event"])
        book.entries.append(
            ScheduleEntry(
                id: id,
                function: target,
                kind: kind,
                limits: common.limits.insert(limits).memberAfterInsert,
                policy: common.policies.insert(policy).memberAfterInsert
            )
        )
    }

    // MARK: Kinds

    private mutating func kind(_ root: SettingsNode, _ members: [String: SettingsNode]) -> ScheduleEntry.Kind?
    {
        let example =
            "write cron: \"30 9 * * 1-5\", every: 15m, at: an instant, or calendar: XNYS with at: open+5m"
        let kinds = ["cron", "every", "at"].filter { members[$0] != nil }
        guard kinds.count == 1 else {
            let what =
                kinds.isEmpty
                ? "none of `cron`, `every` and `at`" : "\(kinds.map { "`\($0)`" }.joined(separator: " and "))"
            root.wrong("\(what); a schedule has one of them", hint: example)
            return nil
        }
        alone(members, "anchor", with: "every", without: "calendar")
        for key in ["sessions", "from", "until"] { alone(members, key, with: "calendar") }
        for key in ["dst", "dialect"] { alone(members, key, with: "cron") }
        if let calendar = members["calendar"] { return sessions(calendar, members) }
        if let node = members["cron"] { return cron(node, members) }
        if let node = members["at"] { return moment(node, members["zone"]).map { .at($0) } }
        guard let interval = interval(members["every"]) else { return nil }
        let anchor = members["anchor"] ?? members["start"]
        return .every(
            EverySchedule(
                interval: interval,
                anchor: anchor.flatMap { moment($0, members["zone"]) } ?? Instant(nanoseconds: 0)
            )
        )
    }

    /// Refuses a key that says nothing beside the others.
    private func alone(
        _ members: [String: SettingsNode],
        _ key: String,
        with other: String,
        without rival: String? = nil
    ) {
        guard let node = members[key], members[other] == nil || rival.map({ members[$0] != nil }) ?? false
        else { return }
        node.wrong("it goes with `\(other)` only", hint: "take it out, or add \(other):")
    }

    private mutating func sessions(
        _ node: SettingsNode,
        _ members: [String: SettingsNode]
    ) -> ScheduleEntry.Kind? {
        guard let calendar = calendar(node) else { return nil }
        var selection = SessionSchedule.Selection.all
        if let node = members["sessions"], let text = node.string() {
            guard let read = SessionSchedule.Selection(parsing: text) else {
                let hint =
                    "all, first of month, 3 of month, last of week, -2 of month, before holiday, after holiday"
                node.wrong("`\(text)` names no sessions", hint: hint)
                return nil
            }
            selection = read
        }
        let time: SessionSchedule.Time
        if let at = members["at"] {
            guard let edge = edge(at) else { return nil }
            time = .at(edge)
        } else if members["every"] != nil {
            guard let interval = interval(members["every"]) else { return nil }
            let from = members["from"].map { edge($0) } ?? SessionEdge(.open)
            let until = members["until"].map { edge($0) } ?? SessionEdge(.close)
            guard let from, let until else { return nil }
            time = .every(interval, from: from, until: until)
        } else {
            node.wrong("a calendar goes with `at` or `every`", hint: "write at: open+5m, or every: 1m")
            return nil
        }
        return .sessions(SessionSchedule(calendar: calendar, time: time, selection: selection))
    }

    // MARK: Limits

    private mutating func limits(_ members: [String: SettingsNode]) -> ScheduleLimits? {
        let exclusions = members["exclude"]?.list.map { exclusion($0, members["zone"]) } ?? []
        if exclusions.contains(where: { $0 == nil }) { return nil }
        return ScheduleLimits(
            start: members["start"].flatMap { moment($0, members["zone"]) },
            end: members["end"].flatMap { moment($0, members["zone"]) },
            exclusions: exclusions.compactMap { $0 },
            jitter: members["jitter"]?.duration(.zero ... .seconds(86_400)) ?? .zero
        )
    }

    private mutating func exclusion(
        _ node: SettingsNode,
        _ zoneNode: SettingsNode?
    ) -> ScheduleLimits.Exclusion? {
        let members = node.members(["cron", "zone", "dst", "dialect", "dates", "calendar", "days"])
        if let cronNode = members["cron"] {
            var all = members
            if all["zone"] == nil { all["zone"] = zoneNode }
            guard case .cron(let cron, let zone)? = cron(cronNode, all) else { return nil }
            return .cron(cron, zone: zone)
        }
        if let dates = members["dates"] {
            let read = dates.list.map { date($0) }
            if read.isEmpty || read.contains(nil) { return nil }
            guard let zone = (members["zone"] ?? zoneNode).map({ self.zone($0) }) ?? .utc else { return nil }
            return .dates(Set(read.compactMap { $0 }), zone: zone)
        }
        if let name = members["calendar"] {
            guard let calendar = calendar(name) else { return nil }
            let days = (members["days"] ?? node.missing("days", "closed"))?.word(["closed", "open"])
            return days.map { .calendar(calendar, sessions: $0 == "open") }
        }
        node.wrong("it says nothing to leave out", hint: "write cron:, dates:, or calendar: with days:")
        return nil
    }

    private func edge(_ node: SettingsNode) -> SessionEdge? {
        guard let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try SessionEdge(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write open, close, open+5m or close-10m")
            return nil
        }
    }

    private func date(_ node: SettingsNode) -> CivilDate? {
        guard let text = node.string() else { return nil }
        if let date = CivilDate(parsing: text) { return date }
        node.wrong("`\(text)` is no date", hint: "write \"2026-11-26\", in quotes")
        return nil
    }

    /// An instant, or a reading of the schedule's wall clock.
    private mutating func moment(_ node: SettingsNode, _ zoneNode: SettingsNode?) -> Instant? {
        guard let text = node.string() else { return nil }
        if let instant = Instant(rfc3339: text) { return instant }
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard let zone = zoneNode.map({ zone($0) }) ?? .utc else { return nil }
        if let date = CivilDate(parsing: parts[0]),
            let time = parts.count == 1 ? TimeOfDay(0, 0) : TimeOfDay(parsing: parts[1]), parts.count <= 2
        {
            return zone.instant(of: CivilTime(date, time))
        }
        node.wrong(
            "`\(text)` is no time",
            hint: "write \"2026-12-01T09:00\" by the schedule's zone, or \"2026-12-01T09:00:00Z\""
        )
        return nil
    }

    // MARK: Policies

    private func policy(
        _ members: [String: SettingsNode],
        _ kind: ScheduleEntry.Kind?
    ) -> SchedulePolicy {
        let words = SchedulePolicy.Overlap.allCases.map(\.rawValue)
        let overlap = members["overlap"]?.word(words).flatMap { SchedulePolicy.Overlap(rawValue: $0) }
        var deadline: Duration?
        var isBound = false
        if let node = members["deadline"] {
            if node.isScalar, node.string() == "window" {
                isBound = true
                if case .sessions(let sessions)? = kind {
                    if !sessions.isWithin {
                        let hint = "write a duration, or move the time between open and close"
                        node.wrong("the schedule's times are not all within a session", hint: hint)
                    }
                } else if kind != nil {
                    let hint = "write a duration, or give the schedule a calendar: with at: or every:"
                    node.wrong("there is no window", hint: hint)
                }
            } else {
                deadline = node.duration(.seconds(1) ... .seconds(366 * 86_400))
            }
        }
        return SchedulePolicy(
            catchUp: catchUp(members["catchUp"]),
            overlap: overlap ?? .skip,
            deadline: deadline,
            isBoundToWindow: isBound,
            pauseOnFailure: members["pauseOnFailure"]?.integer(1...1_000),
            remaining: members["remaining"]?.integer(1...1_000_000_000)
        )
    }

    private func catchUp(_ node: SettingsNode?) -> SchedulePolicy.CatchUp {
        guard let node, let text = node.string() else { return .latest }
        switch text {
        case "none": return .none
        case "latest": return .latest
        default:
            let inner =
                text.hasPrefix("all(") && text.hasSuffix(")") ? text.dropFirst(4).dropLast() : text[...]
            if let count = Int(inner), (1...1000).contains(count) { return .all(max: count) }
            node.wrong("`\(text)` is not known", hint: "none, latest, all(24), or how many (1 to 1000)")
            return .latest
        }
    }
}
