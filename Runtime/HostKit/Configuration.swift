import FunctionCore
import Glibc
import Scheduling
import Settings

/// The host's settings: flags over environment over file over defaults.
package struct Configuration: Sendable {
    /// A setting's value and where it is from.
    package struct Value: Sendable {
        package var text: String
        /// `flag`, a variable's name, a file with its line, or `default`.
        package var source: String
    }

    package private(set) var values: [String: Value]

    /// Resolves all keys.
    package static func resolve(
        flags: [String: String],
        environment: [String: String],
        file: (path: String, text: String)?,
        problems: Problems
    ) -> Configuration {
        var fromFile: [String: Value] = [:]
        if let file, let root = SettingsNode.parse(file.text, file: file.path, problems: problems) {
            read(root, prefix: "", into: &fromFile)
        }
        var values: [String: Value] = [:]
        for key in keys {
            if let text = flags[key.name] {
                values[key.name] = Value(text: text, source: "flag")
            } else if let text = environment[key.variable], !text.isEmpty {
                values[key.name] = Value(text: text, source: key.variable)
            } else if let value = fromFile[key.name] {
                values[key.name] = value
            } else {
                values[key.name] = Value(text: key.fallback, source: "default")
            }
        }
        return Configuration(values: values)
    }

    /// Sections of the file become dotted names.
    private static func read(_ node: SettingsNode, prefix: String, into values: inout [String: Value]) {
        for (key, value) in node.entries {
            let name = prefix.isEmpty ? key : "\(prefix).\(key)"
            if keys.contains(where: { $0.name == name }) {
                if let text = value.string() {
                    values[name] = Value(text: text, source: "\(node.file):\(value.line)")
                }
            } else if keys.contains(where: { $0.name.hasPrefix("\(name).") }) {
                read(value, prefix: name, into: &values)
            } else {
                let hint =
                    nearest(name, keys.map(\.name)).map { "did you mean \($0)?" }
                    ?? "see `swiftlet check --effective`"
                value.wrong("there is no setting `\(name)`", hint: hint)
            }
        }
    }

    package subscript(_ name: String) -> String { values[name]?.text ?? "" }

    /// All settings, secrets masked, as `check --effective` shows them.
    package var effective: [(name: String, value: String, source: String)] {
        Configuration.keys.map { key in
            let value = values[key.name] ?? Value(text: "", source: "default")
            let shown = key.isSecret && !value.text.isEmpty ? "[secret]" : value.text
            return (key.name, shown, value.source)
        }
    }

    /// The values that must never appear in a log.
    package var secrets: [String] {
        Configuration.keys.filter(\.isSecret).compactMap { key in
            guard let text = values[key.name]?.text, !text.isEmpty else { return nil }
            guard key.name == "redis.url" else { return text }
            // Of a URL only the password is secret: what lies between the colon and the @.
            let rest = text.split(separator: "//", maxSplits: 1).last ?? ""
            guard let at = rest.lastIndex(of: "@"), let colon = rest[..<at].firstIndex(of: ":") else {
                return nil
            }
            let password = rest[rest.index(after: colon)..<at]
            return password.isEmpty ? nil : String(password)
        }
    }

    func wrong(_ name: String, _ message: String, _ hint: String, _ problems: Problems) {
        let source = values[name]?.source ?? "default"
        problems.add(
            Problem(file: source == "flag" ? "--\(name)" : source, message: "\(name): \(message)", hint: hint)
        )
    }

    package func port(_ name: String, _ problems: Problems) -> Int {
        if let port = Int(self[name]), (0...65_535).contains(port) { return port }
        wrong(name, "`\(self[name])` is no port", "a number from 0 to 65535", problems)
        return 0
    }

    package func duration(_ name: String, _ problems: Problems) -> Duration {
        if let duration = parseDuration(self[name]) { return duration }
        wrong(name, "`\(self[name])` is no duration", "such as 3s or 7d", problems)
        return .seconds(1)
    }

    package func size(_ name: String, _ problems: Problems) -> Int {
        if let size = parseSize(self[name]) { return size }
        wrong(name, "`\(self[name])` is no size", "such as 64MiB", problems)
        return 1 << 26
    }

    package func number(_ name: String, _ range: ClosedRange<Double>, _ problems: Problems) -> Double {
        if let number = Double(self[name]), range.contains(number) { return number }
        wrong(
            name,
            "`\(self[name])` is out of range",
            "from \(range.lowerBound) to \(range.upperBound)",
            problems
        )
        return range.lowerBound
    }

    package func instant(_ name: String, _ problems: Problems) -> Instant? {
        if self[name].isEmpty { return nil }
        do throws(SchedulingError) {
            return try Instant(text: self[name]) { name throws(SchedulingError) in try .load(name) }
        } catch {
            wrong(name, error.message, "such as \(Instant.forms)", problems)
            return nil
        }
    }

    /// One of a few words.
    package func word(_ name: String, _ known: [String], _ problems: Problems) {
        if known.contains(self[name]) { return }
        wrong(name, "`\(self[name])` is not known", "one of \(known.joined(separator: ", "))", problems)
    }

    package func level(_ problems: Problems) -> LogLevel {
        if let level = LogLevel.allCases.first(where: { $0.name == self["log.level"] }) { return level }
        wrong("log.level", "`\(self["log.level"])` is not known", "debug, info, warning or error", problems)
        return .info
    }
}

/// Reads a `.env` file: `NAME=value` lines, with or without `export`, `#` comments, quotes taken off.
package func parseDotEnv(_ text: String) -> [String: String] {
    var result: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { continue }
        let words = parts[0].split(whereSeparator: \.isWhitespace)
        guard let name = words.last, words.first?.hasPrefix("#") == false else { continue }
        guard words.count == 1 || (words.count == 2 && words[0] == "export") else { continue }
        var value = parts[1].drop { $0.isWhitespace }
        while value.last?.isWhitespace == true { value = value.dropLast() }
        if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
            value = value.dropFirst().dropLast()
        }
        result[String(name)] = String(value)
    }
    return result
}

/// The process's environment, read once at start.
package func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let mark = text.firstIndex(of: "=") {
            result[String(text[..<mark])] = String(text[text.index(after: mark)...])
        }
        next += 1
    }
    return result
}
