import FunctionCore
import Scheduling
import Settings

/// Files that say which windows take turns.
extension ScheduleReader {
    mutating func readRotation(_ root: SettingsNode, functions: [String]) {
        let members = root.members(["rotation", "calendar", "exclusive", "gap", "phases"])
        guard let id = members["rotation"]?.string(),
            let calendarNode = members["calendar"] ?? root.missing("calendar", "XNYS"),
            let phases = members["phases"]
                ?? root.missing("phases", "trading: {function: trading, while: regular}")
        else { return }
        if members["exclusive"]?.flag() == false {
            let hint = "write a rotation for each: those of different files run side by side"
            members["exclusive"]?.wrong("the windows of one rotation never overlap", hint: hint)
        }
        guard let calendar = calendar(calendarNode) else { return }
        let gap = members["gap"]?.duration(.seconds(1) ... .seconds(24 * 3600)) ?? .seconds(60)
        var windows: [RotationWindow] = []
        for (name, node) in phases.entries {
            let members = node.members([
                "function", "while", "from", "until", "every", "arm", "cutoff", "hardStop", "drain",
                "checkpoint", "event",
            ])
            let function = function(members["function"] ?? node.missing("function", name), functions)
            let every = interval(members["every"])
            guard let window = window(name, node, members) else { continue }
            windows.append(window)
            if let function { addWindow(window, every, of: id, function, node, members) }
        }
        do throws(SchedulingError) {
            // Of all together nothing can be said before those that are faulty are mended.
            if windows.count == phases.entries.count {
                book.rotations.append(
                    try RotationPlan(id: id, calendar: calendar, windows: windows, gap: gap)
                )
            }
        } catch {
            root.wrong(error.message, hint: "see \"Rotations\" in the guide")
        }
        // What follows the windows of a faulty rotation is not at fault itself.
        if book.rotations.last?.id != id { book.entries.removeAll { $0.kind.rotation == id } }
    }

    private func window(
        _ name: String,
        _ node: SettingsNode,
        _ members: [String: SettingsNode]
    ) -> RotationWindow? {
        let known = ["open", "closed"] + MarketPhase.allCases.map(\.rawValue)
        let phase = members["while"]?.word(known).flatMap { PhaseCondition(parsing: $0) }
        if members["while"] == nil, members["from"] == nil || members["until"] == nil {
            _ = node.missing("while", "regular")
            return nil
        }
        let limit = Duration.zero ... .seconds(6 * 3600)
        let (from, until) = (edge(members["from"]), edge(members["until"]))
        let (cutoff, hardStop) = (edge(members["cutoff"]), edge(members["hardStop"]))
        let arm = members["arm"]?.duration(limit) ?? .zero
        let drain = members["drain"]?.duration(limit) ?? .seconds(60)
        let checkpoint = members["checkpoint"]?.duration(.seconds(1) ... .seconds(3600))
        // A fault of an edge is told; nothing is made up in its place.
        guard (members["while"] == nil) == (phase == nil), (members["from"] == nil) == (from == nil),
            (members["until"] == nil) == (until == nil)
        else { return nil }
        let isSession = phase != .closed
        return RotationWindow(
            name: name,
            base: phase.map { .phase($0) },
            from: from ?? SessionEdge(isSession ? .open : .close),
            to: until ?? SessionEdge(isSession ? .close : .open),
            arm: arm,
            cutoff: cutoff,
            hardStop: hardStop,
            drainLimit: drain,
            checkpoint: checkpoint
        )
    }

    private mutating func addWindow(
        _ window: RotationWindow,
        _ every: Duration?,
        of rotation: String,
        _ function: String,
        _ node: SettingsNode,
        _ members: [String: SettingsNode]
    ) {
        if let other = book.rotationOf[function] {
            let hint = "a function has one window, whose token it runs under"
            return node.wrong("`\(function)` has a window of the rotation `\(other)` already", hint: hint)
        }
        book.rotationOf[function] = rotation
        let entry = "\(rotation).\(window.name)"
        book.inputs[entry] = input(members["event"])
        book.entries.append(
            ScheduleEntry(
                id: entry,
                function: function,
                kind: .window(
                    rotation: rotation,
                    window: window.name,
                    every: every
                ),
                catchUp: .latest,
                overlap: .skip
            )
        )
    }

    private func edge(_ node: SettingsNode?) -> SessionEdge? {
        guard let node, let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try SessionEdge(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write open, close+15m or 30m before open")
            return nil
        }
    }
}

extension ScheduleEntry.Kind {
    /// The rotation whose window the entry follows.
    fileprivate var rotation: String? {
        if case .window(let rotation, _, _) = self { rotation } else { nil }
    }
}
