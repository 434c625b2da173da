import FunctionCore
import Scheduling
import Settings

/// Calendars: found by name when something asks for them, read once.
extension ScheduleReader {
    /// The calendar that a setting names: by its name, or put together as
    /// `{ anyOf: [XNYS, XLON] }`; nil, with a problem, where there is none.
    package mutating func calendar(_ node: SettingsNode) -> MarketCalendar? {
        guard node.isScalar else {
            guard let expression = expression(node) else { return nil }
            return calendar(of: expression, name: expression.text, node)
        }
        guard let name = node.string() else { return nil }
        if let calendar = calendar(named: name) { return calendar }
        guard calendarFiles.file(of: name) == nil else {
            node.wrong("the calendar `\(name)` is not sound", hint: "see what is said of its file")
            return nil
        }
        let known = calendarFiles.names
        let near = nearest(name, known).map { "did you mean \($0)?" }
        let hint = near ?? "one of \(known.joined(separator: ", ")); see schedules/calendars/"
        node.wrong("there is no calendar `\(name)`", hint: hint)
        return nil
    }

    /// A calendar by its name; nil where there is none, or, with problems, where its file is not sound.
    package mutating func calendar(named name: String) -> MarketCalendar? {
        if let known = book.calendars[name] { return known }
        guard let file = calendarFiles.file(of: name), !unsound.contains(file) else { return nil }
        // Until it has been read it counts as unsound: so one that is made from itself finds none.
        unsound.insert(file)
        readCalendar(readText(file) ?? "", file: file)
        guard let calendar = book.calendars[name] else { return nil }
        unsound.remove(file)
        return calendar
    }

    /// Reads every calendar of the project's own folder that has not been read.
    package mutating func readOwnCalendars() {
        for file in calendarFiles.ownFiles where !unsound.contains(file) {
            let name = file.split(separator: "/").last?.dropLast(".yaml".count) ?? ""
            guard book.calendars[String(name)] == nil else { continue }
            readCalendar(readText(file) ?? "", file: file)
        }
    }

    /// Reads a calendar file: a market's rules, or a calendar put together from others.
    mutating func readCalendar(_ text: String, file: String) {
        guard let root = SettingsNode.parse(text, file: file, problems: problems) else { return }
        if root.entries.contains(where: { ["anyOf", "allOf", "noneOf"].contains($0.key) }) {
            return readComposition(root)
        }
        guard let (rules, zone) = calendarRules(root), hasFileOfName(rules.name, root) else { return }
        let overrides = overrides[rules.name] ?? readOverrides(of: rules.name)
        do throws(SchedulingError) {
            book.calendars[rules.name] = try MarketCalendar(rules: rules, zone: zone, overrides: overrides)
        } catch {
            root.wrong(error.message, hint: "correct the calendar")
        }
    }

    private mutating func readComposition(_ root: SettingsNode) {
        let members = root.members(["name", "version", "sources", "anyOf", "allOf", "noneOf"])
        guard let name = (members["name"] ?? root.missing("name", "new-york-and-london"))?.string(),
            hasFileOfName(name, root),
            let expression = operation(members, root),
            let calendar = calendar(of: expression, name: name, root)
        else { return }
        book.calendars[name] = calendar
    }

    private func hasFileOfName(_ name: String, _ root: SettingsNode) -> Bool {
        let expected = CalendarFiles.fileName(of: name)
        guard !root.file.hasSuffix("/\(expected)") else { return true }
        root.wrong(
            "the calendar `\(name)` is looked for in \(expected)",
            hint: "rename the file or the calendar"
        )
        return false
    }

    // MARK: Expressions

    /// Reads `XNYS`, `XNYS pre`, or a mapping with one of `anyOf`, `allOf` and `noneOf`.
    package func expression(_ node: SettingsNode) -> CalendarExpression? {
        guard node.isScalar else { return operation(node.members(["anyOf", "allOf", "noneOf"]), node) }
        guard let text = node.string() else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2 else { return .market(text, while: .open) }
        guard let condition = PhaseCondition(parsing: words[1]) else {
            let phases = MarketPhase.allCases.map(\.rawValue).joined(separator: ", ")
            node.wrong("`\(words[1])` is no phase", hint: "one of open, closed, \(phases)")
            return nil
        }
        return .market(words[0], while: condition)
    }

    private func operation(_ members: [String: SettingsNode], _ node: SettingsNode) -> CalendarExpression? {
        let given = ["anyOf", "allOf", "noneOf"].compactMap { key in members[key].map { (key, $0) } }
        guard given.count == 1, let (key, list) = given.first else {
            node.wrong("one of anyOf, allOf and noneOf was expected", hint: "write anyOf: [XNYS, XLON]")
            return nil
        }
        let parts = list.list.map { expression($0) }
        let sound = parts.compactMap(\.self)
        guard sound.count == parts.count else { return nil }
        switch key {
        case "anyOf": return .anyOf(sound)
        case "allOf": return .allOf(sound)
        default: return .noneOf(sound)
        }
    }

    private mutating func calendar(
        of expression: CalendarExpression,
        name: String,
        _ node: SettingsNode
    ) -> MarketCalendar? {
        var parts: [String: MarketCalendar] = [:]
        for part in expression.names {
            guard let calendar = calendar(named: part) else {
                node.wrong(
                    "there is no calendar `\(part)` to make `\(name)` from",
                    hint: "see its file, or the name"
                )
                return nil
            }
            parts[part] = calendar
        }
        do throws(SchedulingError) {
            let spans = try expression.spans { (part) throws(SchedulingError) in
                guard let calendar = parts[part] else {
                    throw SchedulingError(.calendarInvalid, "there is no calendar \(part)")
                }
                return calendar
            }
            return MarketCalendar(
                name: name,
                version: expression.names.compactMap { parts[$0]?.version }.joined(separator: ", "),
                spans: spans,
                zone: expression.names.first.flatMap { parts[$0]?.zone } ?? .utc
            )
        } catch {
            node.wrong(error.message, hint: "write anyOf: [XNYS, XLON]")
            return nil
        }
    }
}

extension CalendarExpression {
    /// As it is written in a file.
    var text: String {
        func list(_ parts: [CalendarExpression]) -> String { parts.map(\.text).joined(separator: ", ") }
        switch self {
        case .market(let name, .open): return name
        case .market(let name, .closed): return "\(name) closed"
        case .market(let name, .phases(let phases)):
            return "\(name) \(phases.map(\.rawValue).sorted().joined(separator: "|"))"
        case .anyOf(let parts): return "any of (\(list(parts)))"
        case .allOf(let parts): return "all of (\(list(parts)))"
        case .noneOf(let parts): return "none of (\(list(parts)))"
        }
    }
}
