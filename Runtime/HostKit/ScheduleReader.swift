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
    /// The zones that any of them names.
    package var zones: [String: TimeZoneRules] = [:]
    /// The rotation that a function's window belongs to.
    package var rotationOf: [String: String] = [:]
}

/// Reads calendars, schedules and rotations; all faults are gathered.
package struct ScheduleReader {
    let problems: Problems
    private let zones: String
    let calendarFiles: CalendarFiles
    /// What is different on single days of a calendar, instead of what its file of overrides says.
    package var overrides: [String: [DayOverride]] = [:]
    /// Calendar files that are being read, or are not sound.
    var unsound: Set<String> = []
    package internal(set) var book = ScheduleBook()
    /// What schedules have in common is kept once: of a hundred thousand most say the same.
    var common = CommonParts()

    struct CommonParts {
        var limits: Set<ScheduleLimits> = []
        var policies: Set<SchedulePolicy> = []
        var inputs: [String: JSON] = [:]
    }

    package init(
        problems: Problems,
        calendarFiles: CalendarFiles = CalendarFiles(schedules: "schedules"),
        zones: String = "/usr/share/zoneinfo"
    ) {
        self.problems = problems
        self.calendarFiles = calendarFiles
        self.zones = zones
    }

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

    mutating func zone(_ node: SettingsNode) -> TimeZoneRules? {
        node.string().flatMap { zone($0, at: node) }
    }

    /// The zone of a name that stands at a node.
    mutating func zone(_ name: String, at node: SettingsNode) -> TimeZoneRules? {
        if name == "UTC" { return .utc }
        if let known = book.zones[name] { return known }
        do throws(SchedulingError) {
            let zone = try TimeZoneRules.load(name, from: zones)
            book.zones[name] = zone
            return zone
        } catch {
            node.wrong(
                error.message,
                hint: "a name such as Europe/Vienna; `apt-get install tzdata` brings them"
            )
            return nil
        }
    }

    func interval(_ node: SettingsNode?) -> Duration? {
        guard let node, let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try EverySchedule.interval(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write such as 30s, 5m or 1h30m")
            return nil
        }
    }

    func function(_ node: SettingsNode?, _ functions: [String]) -> String? {
        guard let node, let name = node.string() else { return nil }
        if let known = functions.first(where: { $0 == name }) { return known }
        let hint =
            nearest(name, functions).map { "did you mean \($0)?" }
            ?? "one of \(functions.joined(separator: ", "))"
        node.wrong("there is no function `\(name)`", hint: hint)
        return nil
    }

    mutating func input(_ node: SettingsNode?) -> JSON? {
        guard let node else { return nil }
        guard let text = node.string() else { return nil }
        if let known = common.inputs[text] { return known }
        do {
            let input = try JSON.parse(Bytes(text))
            common.inputs[text] = input
            return input
        } catch {
            node.wrong("the event is no JSON: \(error)", hint: "write event: '{\"name\": \"value\"}'")
            return nil
        }
    }
}
