import FunctionCore
import Glibc
import Settings

/// A setting of the host: its name, how it is set, and what it is without.
package struct ConfigurationKey: Sendable {
    package var name: String
    package var variable: String
    package var fallback: String
    package var isSecret = false
    package var help: String
}

/// The host's settings: flags over environment over file over defaults.
package struct Configuration: Sendable {
    /// A setting's value and where it is from.
    package struct Value: Sendable {
        package var text: String
        /// `flag`, a variable's name, a file with its line, or `default`.
        package var source: String
    }

    package static let keys: [ConfigurationKey] = [
        ConfigurationKey(name: "gateway.host", variable: "SWIFTLET_HOST", fallback: "127.0.0.1", help: "address of the gateway"),
        ConfigurationKey(name: "gateway.port", variable: "SWIFTLET_PORT", fallback: "8080", help: "0 picks a free one"),
        ConfigurationKey(name: "gateway.principalHeader", variable: "SWIFTLET_PRINCIPAL_HEADER", fallback: "", help: "a header that a trusted proxy sets to who asks"),
        ConfigurationKey(name: "gateway.url", variable: "SWIFTLET_URL", fallback: "", help: "how clients reach the gateway, for signed URLs"),
        ConfigurationKey(name: "admin.port", variable: "SWIFTLET_ADMIN_PORT", fallback: "8081", help: "on loopback always; 0 picks a free one"),
        ConfigurationKey(name: "data", variable: "SWIFTLET_DATA", fallback: ".swiftlet", help: "the data directory"),
        ConfigurationKey(name: "bundle", variable: "SWIFTLET_BUNDLE", fallback: "", help: "the bundle's executable; beside this program"),
        ConfigurationKey(name: "functions", variable: "SWIFTLET_FUNCTIONS", fallback: "Functions", help: "where */function.yaml are"),
        ConfigurationKey(name: "schedules", variable: "SWIFTLET_SCHEDULES", fallback: "schedules", help: "where schedules and calendars/ are"),
        ConfigurationKey(name: "redis.url", variable: "REDIS_URL", fallback: "", isSecret: true, help: "redis://[user:password@]host:port; empty starts a private server"),
        ConfigurationKey(name: "provider.baseURL", variable: "OPENAI_BASE_URL", fallback: "", help: "an OpenAI-compatible server; empty starts the offline provider"),
        ConfigurationKey(name: "provider.apiKey", variable: "OPENAI_API_KEY", fallback: "", isSecret: true, help: "its key"),
        ConfigurationKey(name: "provider.textModel", variable: "SWIFTLET_TEXT_MODEL", fallback: "gpt-4o-mini", help: "the language model"),
        ConfigurationKey(name: "provider.imageModel", variable: "SWIFTLET_IMAGE_MODEL", fallback: "gpt-image-1", help: "the image model"),
        ConfigurationKey(name: "market.seed", variable: "SWIFTLET_MARKET_SEED", fallback: "7", help: "the seed of the price generator"),
        ConfigurationKey(name: "market.file", variable: "SWIFTLET_MARKET_FILE", fallback: "", help: "a CSV of bars instead of the generator: SYMBOL=FILE,…"),
        ConfigurationKey(name: "log.level", variable: "SWIFTLET_LOG_LEVEL", fallback: "info", help: "debug, info, warning or error"),
        ConfigurationKey(name: "log.format", variable: "SWIFTLET_LOG_FORMAT", fallback: "auto", help: "json, pretty, none; auto is pretty on a terminal"),
        ConfigurationKey(name: "clock.at", variable: "SWIFTLET_CLOCK_AT", fallback: "", help: "begin at this instant on a virtual clock"),
        ConfigurationKey(name: "clock.speed", variable: "SWIFTLET_CLOCK_SPEED", fallback: "1", help: "seconds that pass in a real one"),
        ConfigurationKey(name: "loops", variable: "SWIFTLET_LOOPS", fallback: "1", help: "event loops"),
        ConfigurationKey(name: "stop.grace", variable: "SWIFTLET_STOP_GRACE", fallback: "3s", help: "what runs may take to end when the host stops"),
        ConfigurationKey(name: "keep.jobs", variable: "SWIFTLET_KEEP_JOBS", fallback: "7d", help: "for how long ended jobs are kept"),
        ConfigurationKey(name: "keep.blobs", variable: "SWIFTLET_KEEP_BLOBS", fallback: "4GiB", help: "how much the blob store takes"),
        ConfigurationKey(name: "keep.logs", variable: "SWIFTLET_KEEP_LOGS", fallback: "64MiB", help: "size at which the log is turned over"),
    ]

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
                if let text = value.string() { values[name] = Value(text: text, source: "\(node.file):\(value.line)") }
            } else if keys.contains(where: { $0.name.hasPrefix("\(name).") }) {
                read(value, prefix: name, into: &values)
            } else {
                let hint = nearest(name, keys.map(\.name)).map { "did you mean \($0)?" } ?? "see `swiftlet check --effective`"
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
            // Of a URL only the password is secret.
            guard let at = text.firstIndex(of: "@"), let colon = text[..<at].lastIndex(of: ":") else { return nil }
            return String(text[text.index(after: colon)..<at])
        }
    }

    private func wrong(_ name: String, _ message: String, _ hint: String, _ problems: Problems) {
        let source = values[name]?.source ?? "default"
        problems.add(Problem(file: source == "flag" ? "--\(name)" : source, message: "\(name): \(message)", hint: hint))
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
        wrong(name, "`\(self[name])` is out of range", "from \(range.lowerBound) to \(range.upperBound)", problems)
        return range.lowerBound
    }

    package func instant(_ name: String, _ problems: Problems) -> Instant? {
        if self[name].isEmpty { return nil }
        if let instant = Instant(rfc3339: self[name]) { return instant }
        wrong(name, "`\(self[name])` is no instant", "such as 2026-11-20T14:25:00Z", problems)
        return nil
    }

    package func level(_ problems: Problems) -> LogLevel {
        if let level = LogLevel.allCases.first(where: { $0.name == self["log.level"] }) { return level }
        wrong("log.level", "`\(self["log.level"])` is not known", "debug, info, warning or error", problems)
        return .info
    }
}

/// Reads a `.env` file: `NAME=value` lines, `#` comments, quotes taken off.
package func parseDotEnv(_ text: String) -> [String: String] {
    var result: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
        let parts = line.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { continue }
        let name = parts[0].drop { $0 == " " }.prefix { $0 != " " }
        guard !name.isEmpty, !name.hasPrefix("#") else { continue }
        var value = parts[1].drop { $0 == " " }
        while value.last == " " || value.last == "\r" { value = value.dropLast() }
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
        if let mark = text.firstIndex(of: "=") { result[String(text[..<mark])] = String(text[text.index(after: mark)...]) }
        next += 1
    }
    return result
}
