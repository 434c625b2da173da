import FunctionCore
import Scheduling
import Settings

/// Schedules: files of their own, and the triggers of manifests.
extension ScheduleReader {
    mutating func readSchedule(_ root: SettingsNode, function: String?, functions: [String]) {
        let own = function == nil ? ["schedule", "function"] : ["schedule"]
        let members = root.members(
            own + ["cron", "zone", "dst", "dialect", "every", "catchUp", "overlap", "event"]
        )
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
        if let node = members["cron"] { return cron(node, members) }
        if let interval = interval(members["every"]) { return .every(EverySchedule(interval: interval)) }
        if members["every"] == nil {
            root.wrong("neither `cron` nor `every`", hint: "write cron: \"30 9 * * 1-5\" or every: 15m")
        }
        return nil
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
}
