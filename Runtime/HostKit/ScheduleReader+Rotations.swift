import FunctionCore
import Scheduling
import Settings

/// Files that say which windows take turns.
extension ScheduleReader {
    mutating func readRotation(_ root: SettingsNode, functions: [String]) {
        let members = root.members(["rotation", "calendar", "windows"])
        guard let id = members["rotation"]?.string(),
            let calendarNode = members["calendar"] ?? root.missing("calendar", "XNYS"),
            let windowsNode = members["windows"]
                ?? root.missing("windows", "trading: {from: open, to: close}")
        else { return }
        guard let calendar = calendar(calendarNode) else { return }
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

    private func edge(_ node: SettingsNode?) -> SessionEdge? {
        guard let node, let text = node.string() else { return nil }
        do throws(SchedulingError) {
            return try SessionEdge(parsing: text)
        } catch {
            node.wrong(error.message, hint: "write open, close, close+15m or open-30m")
            return nil
        }
    }
}
