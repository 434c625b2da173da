import FunctionCore
import Scheduling
import Settings

/// What the schedule files and the manifests say about time.
package struct ScheduleBook: Sendable, Hashable {
    /// The event's object of each schedule that gives one.
    package var inputs: [String: JSON] = [:]
    package var entries: [ScheduleEntry] = []
    package var rotations: [RotationPlan] = []
    package var calendars: [String: MarketCalendar] = [:]
    /// The rotation that a function's window belongs to.
    package var rotationOf: [String: String] = [:]
}

/// Reads calendars, schedules and rotations; all faults are gathered.
package struct ScheduleReader {
    private let problems: Problems
    private let zones: String
    private var zoneCache: [String: TimeZoneRules] = [:]
    package private(set) var book = ScheduleBook()

    package init(problems: Problems, zones: String = "/usr/share/zoneinfo") {
        self.problems = problems
        self.zones = zones
    }

    // MARK: Calendars

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

    private mutating func zone(_ node: SettingsNode) -> TimeZoneRules? {
        guard let name = node.string() else { return nil }
        if name == "UTC" { return .utc }
        if let known = zoneCache[name] { return known }
        do throws(SchedulingError) {
            let zone = try TimeZoneRules.load(name, from: zones)
            zoneCache[name] = zone
            return zone
        } catch {
            node.wrong(
                error.message,
                hint: "a name such as Europe/Vienna; `apt-get install tzdata` brings them"
            )
            return nil
        }
    }

    // MARK: Schedules and rotations

    /// Reads a file of `schedules/`: a rotation or a schedule.
    package mutating func readFile(_ text: String, file: String, functions: [String]) {
        guard let root = SettingsNode.parse(text, file: file, problems: problems) else { return }
        if root.entries.contains(where: { $0.key == "rotation" }) {
            readRotation(root, functions: functions)
        } else {
            readSchedule(root, function: nil, functions: functions)
        }
    }

    /// Reads one of a manifest's `triggers.schedule`.
    package mutating func readTrigger(_ node: SettingsNode, function: String) {
        readSchedule(node, function: function, functions: [function])
    }

    private mutating func readRotation(_ root: SettingsNode, functions: [String]) {
        let members = root.members(["rotation", "calendar", "windows"])
        guard let id = members["rotation"]?.string(),
            let calendarNode = members["calendar"] ?? root.missing("calendar", "XNYS"),
            let calendarName = calendarNode.string(),
            let windowsNode = members["windows"]
                ?? root.missing("windows", "trading: {from: open, to: close}")
        else { return }
        guard let calendar = book.calendars[calendarName] else {
            let known = book.calendars.keys.sorted().joined(separator: ", ")
            calendarNode.wrong(
                "there is no calendar `\(calendarName)`",
                hint: "one of \(known); see schedules/calendars/"
            )
            return
        }
        var windows: [RotationWindow] = []
        for (name, node) in windowsNode.entries {
            let members = node.members(["from", "to", "drain", "function", "every", "event"])
            let from = edge(members["from"] ?? node.missing("from", "open"))
            let to = edge(members["to"] ?? node.missing("to", "close"))
            let drain = members["drain"]?.duration(.zero ... .seconds(3600)) ?? .seconds(60)
            let function = function(members["function"] ?? node.missing("function", name), functions)
            guard let from, let to else { continue }
            windows.append(RotationWindow(name: name, from: from, to: to, drainLimit: drain))
            guard let function else { continue }
            if let other = book.rotationOf[function] {
                let hint = "a function has one window, whose token it runs under"
                node.wrong("`\(function)` has a window of the rotation `\(other)` already", hint: hint)
                continue
            }
            book.rotationOf[function] = id
            let entry = "\(id).\(name)"
            book.inputs[entry] = input(members["event"])
            book.entries.append(
                ScheduleEntry(
                    id: entry,
                    function: function,
                    kind: .window(rotation: id, window: name, every: interval(members["every"])),
                    catchUp: .latest,
                    overlap: .skip
                )
            )
        }
        do throws(SchedulingError) {
            book.rotations.append(try RotationPlan(id: id, calendar: calendar, windows: windows))
        } catch {
            root.wrong(error.message, hint: "see `schedules/` in the README")
        }
    }

    private mutating func readSchedule(_ root: SettingsNode, function: String?, functions: [String]) {
        let own = function == nil ? ["schedule", "function"] : ["schedule"]
        let members = root.members(own + ["cron", "zone", "every", "catchUp", "overlap", "event"])
        let kind = kind(root, members)
        guard
            let target = function
                ?? self.function(members["function"] ?? root.missing("function", "motto"), functions)
        else { return }
        let id = members["schedule"]?.string() ?? "\(target)@\(root.line)"
        guard !book.entries.contains(where: { $0.id == id }) else {
            root.wrong("two schedules are called `\(id)`", hint: "give each its own `schedule:`")
            return
        }
        guard let kind else { return }
        book.inputs[id] = input(members["event"])
        book.entries.append(
            ScheduleEntry(
                id: id,
                function: target,
                kind: kind,
                catchUp: catchUp(members["catchUp"]),
                overlap: members["overlap"]?.word(["skip", "allow"]) == "allow" ? .allow : .skip
            )
        )
    }

    private mutating func kind(_ root: SettingsNode, _ members: [String: SettingsNode]) -> ScheduleEntry.Kind?
    {
        if let node = members["cron"] {
            guard let text = node.string() else { return nil }
            let zone = members["zone"] == nil ? .utc : members["zone"].flatMap { self.zone($0) }
            do throws(SchedulingError) {
                let cron = try CronExpression(text)
                return zone.map { .cron(cron, zone: $0) }
            } catch {
                node.wrong(
                    error.message,
                    hint: "five fields: minute hour day month weekday, such as 30 9 * * 1-5"
                )
                return nil
            }
        }
        if let interval = interval(members["every"]) { return .every(EverySchedule(interval: interval)) }
        if members["every"] == nil {
            root.wrong("neither `cron` nor `every`", hint: "write cron: \"30 9 * * 1-5\" or every: 15m")
        }
        return nil
    }

    private func interval(_ node: SettingsNode?) -> Duration? {
        guard let node, let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try EverySchedule.interval(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write such as 30s, 5m or 1h30m")
            return nil
        }
    }

    private func catchUp(_ node: SettingsNode?) -> ScheduleEntry.CatchUp {
        guard let node, let text = node.string() else { return .latest }
        switch text {
        case "none": return .none
        case "latest": return .latest
        default:
            if let count = Int(text), (1...1000).contains(count) { return .all(max: count) }
            node.wrong("`\(text)` is not known", hint: "none, latest, or how many (1 to 1000)")
            return .latest
        }
    }

    private func edge(_ node: SettingsNode?) -> SessionEdge? {
        guard let node, let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try SessionEdge(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write open, close, close+15m or open-30m")
            return nil
        }
    }

    private func function(_ node: SettingsNode?, _ functions: [String]) -> String? {
        guard let node, let name = node.string() else { return nil }
        if functions.contains(name) { return name }
        let hint =
            nearest(name, functions).map { "did you mean \($0)?" }
            ?? "one of \(functions.joined(separator: ", "))"
        node.wrong("there is no function `\(name)`", hint: hint)
        return nil
    }

    private func input(_ node: SettingsNode?) -> JSON? {
        guard let node else { return nil }
        guard let text = node.string() else { return nil }
        do {
            return try JSON.parse(Bytes(text))
        } catch {
            node.wrong("the event is no JSON: \(error)", hint: "write event: '{\"name\": \"value\"}'")
            return nil
        }
    }
}
