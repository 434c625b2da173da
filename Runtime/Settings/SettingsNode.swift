import FunctionCore
import Yams

/// A place in a YAML file, read with defaults; whatever is wrong goes to `problems` with its line, and
/// reading goes on.
package struct SettingsNode {
    package let file: String
    /// Where, as `limits.timeout`.
    package let path: String
    private let node: Node
    package let problems: Problems

    /// The root of a file's text; nil, with a problem, where it is no YAML mapping.
    package static func parse(_ text: String, file: String, problems: Problems) -> SettingsNode? {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                problems.add(
                    Problem(file: file, message: "the file is empty", hint: "see the guide for its keys")
                )
                return nil
            }
            return SettingsNode(file: file, path: "", node: node, problems: problems)
        } catch let error as YamlError {
            problems.add(
                Problem(
                    file: file,
                    line: line(of: error),
                    message: "no YAML: \(short(error))",
                    hint: "fix the syntax"
                )
            )
        } catch {
            problems.add(Problem(file: file, message: "no YAML: \(error)", hint: "fix the syntax"))
        }
        return nil
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    private static func short(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
            problem
        case .duplicatedKeysInMapping(let names, _):
            "a key stands there twice: \(names.sorted().joined(separator: ", "))"
        default: "it cannot be read"
        }
    }

    /// The line of the place, from 1.
    package var line: Int { node.mark?.line ?? 1 }

    /// Tells what is wrong here.
    package func wrong(_ message: String, hint: String) {
        let place = path.isEmpty ? "" : "\(path): "
        problems.add(Problem(file: file, line: line, message: place + message, hint: hint))
    }

    /// Tells what works and is hardly meant.
    package func warn(_ message: String, hint: String) {
        let place = path.isEmpty ? "" : "\(path): "
        problems.warn(Problem(file: file, line: line, message: place + message, hint: hint))
    }

    private func at(_ name: String, _ node: Node) -> SettingsNode {
        SettingsNode(
            file: file,
            path: path.isEmpty ? name : "\(path).\(name)",
            node: node,
            problems: problems
        )
    }

    // MARK: Shapes

    /// The members of a mapping; a key that is not `known` is a problem.
    package func members(_ known: [String]) -> [String: SettingsNode] {
        guard let mapping = node.mapping else {
            wrong("a mapping was expected", hint: "keys: \(known.joined(separator: ", "))")
            return [:]
        }
        var result: [String: SettingsNode] = [:]
        for (key, value) in mapping {
            let name = key.string ?? "?"
            if !known.contains(name) {
                let near =
                    nearest(name, known).map { "did you mean \($0)?" }
                    ?? "known keys: \(known.joined(separator: ", "))"
                at(name, key).wrong("unknown key", hint: near)
                continue
            }
            result[name] = at(name, value)
        }
        return result
    }

    /// The members of a mapping whose keys are the user's own.
    package var entries: [(key: String, value: SettingsNode)] {
        guard let mapping = node.mapping else {
            wrong("a mapping was expected", hint: "write name: value")
            return []
        }
        return mapping.map { (key: $0.key.string ?? "?", value: at($0.key.string ?? "?", $0.value)) }
    }

    /// The members of a list; one that is missing or null has none.
    package var list: [SettingsNode] {
        if isNull { return [] }
        guard let sequence = node.sequence else {
            wrong("a list was expected", hint: "write [a, b], or a line `- a` for each")
            return []
        }
        return sequence.enumerated().map { at("\($0.offset)", $0.element) }
    }

    package var isNull: Bool { node.null != nil }

    /// Whether there is one value here, and neither a mapping nor a list.
    package var isScalar: Bool { node.scalar != nil }

    // MARK: Values

    /// A text.
    package func string() -> String? {
        if let scalar = node.scalar, !isNull { return scalar.string }
        wrong("a text was expected", hint: "write a value after the colon")
        return nil
    }

    /// One of a few words.
    package func word(_ known: [String]) -> String? {
        guard let value = string() else { return nil }
        if known.contains(value) { return value }
        wrong("`\(value)` is not known", hint: "one of \(known.joined(separator: ", "))")
        return nil
    }

    /// A whole number in a range.
    package func integer(_ range: ClosedRange<Int>) -> Int? {
        if let value = node.int, range.contains(value) { return value }
        wrong(
            "a whole number from \(range.lowerBound) to \(range.upperBound) was expected",
            hint: "write such as \(range.lowerBound)"
        )
        return nil
    }

    /// `true` or `false`.
    package func flag() -> Bool? {
        if let value = node.bool { return value }
        wrong("true or false was expected", hint: "write true or false")
        return nil
    }

    /// A duration such as `250ms`, `30s`, `5m`, `1h`, in a range.
    package func duration(_ range: ClosedRange<Duration>) -> Duration? {
        guard let text = node.scalar?.string, let value = parseDuration(text) else {
            wrong("a duration was expected", hint: "write such as 250ms, 30s, 5m or 1h")
            return nil
        }
        guard range.contains(value) else {
            wrong("\(text) is out of range", hint: "from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A size such as `64KiB`, `1MiB`, in bytes.
    package func size(_ range: ClosedRange<Int>) -> Int? {
        guard let text = node.scalar?.string, let value = parseSize(text) else {
            wrong("a size was expected", hint: "write such as 4096, 64KiB, 16MiB or 1GiB")
            return nil
        }
        guard range.contains(value) else {
            wrong("\(text) is out of range", hint: "from \(range.lowerBound) to \(range.upperBound) bytes")
            return nil
        }
        return value
    }
}

/// Reads `250ms`, `30s`, `5m`, `1h`, `1d`.
package func parseDuration(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), count < 1_000_000_000 else { return nil }
    switch text.dropFirst(digits.count) {
    case "ms": return .milliseconds(count)
    case "s": return .seconds(count)
    case "m": return .seconds(count * 60)
    case "h": return .seconds(count * 3600)
    case "d": return .seconds(count * 86400)
    default: return nil
    }
}

/// Writes a duration as `parseDuration` reads it, in the largest unit that leaves no rest: `1m`, `90s`.
package func durationText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard attoseconds == 0 else {
        let (milliseconds, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return rest == 0 ? "\(seconds * 1000 + milliseconds)ms" : "\(duration)"
    }
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] as [(String, Int64)]
    where seconds != 0 && seconds.isMultiple(of: length) {
        return "\(seconds / length)\(unit)"
    }
    return "\(seconds)s"
}

/// Reads `4096`, `64KiB`, `16MiB`, `1GiB`.
package func parseSize(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits) else { return nil }
    let unit: Int
    switch text.dropFirst(digits.count) {
    case "", "B": unit = 1
    case "KiB": unit = 1 << 10
    case "MiB": unit = 1 << 20
    case "GiB": unit = 1 << 30
    default: return nil
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : size
}

/// The known word nearest to `word`, if it is near enough to be meant.
package func nearest(_ word: String, _ known: [String]) -> String? {
    let ranked = known.map { ($0, editDistance(word, $0)) }.min { $0.1 < $1.1 }
    guard let (name, distance) = ranked, distance <= max(1, word.count / 3) else { return nil }
    return name
}

private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left), right = Array(right)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let above = row[j + 1]
            row[j + 1] = a == b ? diagonal : 1 + min(diagonal, above, row[j])
            diagonal = above
        }
    }
    return row[right.count]
}
