import FunctionCore

/// What handlers say, as lines on standard error in the form that the function's logging settings ask for.
struct LambdaLog: Sendable {
    let writesJSON: Bool
    let level: LogLevel
    let write: @Sendable ([UInt8]) -> Void

    /// A logger for one invocation.
    func logger(_ id: String, clock: @escaping @Sendable () -> Instant) -> Logger {
        Logger { level, message, metadata in
            guard level >= self.level else { return }
            let fields = metadata.sorted { $0.key < $1.key }
            let line =
                writesJSON ? json(id, clock(), level, message, fields) : text(id, level, message, fields)
            write(Array((line + "\n").utf8))
        }
    }

    private func json(
        _ id: String,
        _ now: Instant,
        _ level: LogLevel,
        _ message: String,
        _ fields: [(key: String, value: String)]
    ) -> String {
        var line: JSONObject = [
            "timestamp": .string(now.rfc3339), "level": .string(LambdaLog.name(level)),
            "message": .string(message), "requestId": .string(id),
        ]
        for (key, value) in fields where line[key] == nil { line[key] = .string(value) }
        return JSON.object(line).text
    }

    private func text(
        _ id: String,
        _ level: LogLevel,
        _ message: String,
        _ fields: [(key: String, value: String)]
    ) -> String {
        let rest = fields.map { " \($0.key)=\($0.value)" }.joined()
        // CloudWatch takes every line for an entry of its own.
        return "[\(LambdaLog.name(level))] \(id) \(message)\(rest)".replacing("\n", with: "\r")
    }

    private static func name(_ level: LogLevel) -> String {
        level == .warning ? "WARN" : level.name.uppercased()
    }
}
