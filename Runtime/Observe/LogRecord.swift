import FunctionCore

/// One line of the log: constant message, values in fields.
package struct LogRecord: Sendable {
    package var time: Instant
    package var level: LogLevel
    package var message: String
    package var function: String?
    package var invocation: String?
    package var trace: String?
    package var fields: [(String, JSON)]

    package init(
        time: Instant,
        level: LogLevel,
        message: String,
        function: String? = nil,
        invocation: String? = nil,
        trace: String? = nil,
        fields: [(String, JSON)] = []
    ) {
        self.time = time
        self.level = level
        self.message = message
        self.function = function
        self.invocation = invocation
        self.trace = trace
        self.fields = fields
    }

    /// Appends the line as one JSON object, without a line's end.
    func write(to line: inout LineBytes, _ clock: inout LineClock) {
        line.literal("{\"time\":")
        clock.write(time, to: &line)
        line.literal(",\"level\":")
        line.string(level.name)
        line.literal(",\"message\":")
        line.string(message)
        if let function {
            line.literal(",\"function\":")
            line.string(function)
        }
        if let invocation {
            line.literal(",\"invocation\":")
            line.string(invocation)
        }
        if let trace {
            line.literal(",\"trace\":")
            line.string(trace)
        }
        for (index, field) in fields.enumerated() {
            line.literal(",")
            line.string(isTaken(field.0, before: index) ? "field_\(field.0)" : field.0)
            line.literal(":")
            line.value(field.1)
        }
        line.literal("}")
    }

    /// Whether a field's name is the line's own or an earlier field's: a handler's field called `invocation`
    /// or `level` may not pass for them.
    private func isTaken(_ name: String, before index: Int) -> Bool {
        switch name {
        case "time", "level", "message": true
        case "function": function != nil
        case "invocation": invocation != nil
        case "trace": trace != nil
        default: fields[..<index].contains { $0.0 == name }
        }
    }

    /// The line as one JSON object.
    package var json: Bytes {
        var line = LineBytes()
        var clock = LineClock()
        write(to: &line, &clock)
        return Bytes(line.bytes)
    }

    /// The line for people: time of day, level, function, message, fields.
    package func pretty(colour: Bool) -> String {
        let clock = time.rfc3339.split(separator: "T").last.map { $0.prefix(12).replacingZ() } ?? ""
        let mark = colour ? LogRecord.colours[Int(level.rawValue)] : ""
        let off = colour ? "\u{1B}[0m" : ""
        let name = function.map { " \($0)" } ?? ""
        let tail = fields.map { " \(printable($0.0))=\(LogRecord.plain($0.1))" }.joined()
        let id = invocation.map { " invocation=\($0)" } ?? ""
        return "\(clock) \(mark)\(level.name)\(off)\(name)  \(printable(message))\(tail)\(id)"
    }

    private static let colours = ["\u{1B}[90m", "\u{1B}[32m", "\u{1B}[33m", "\u{1B}[31m"]

    private static func plain(_ value: JSON) -> String {
        value.stringValue.map(printable) ?? value.text
    }
}

/// The text without control characters, so that a line stays one line and no terminal is steered by it.
private func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? "\u{FFFD}" : $0 }
        )
    )
}

extension Substring {
    fileprivate func replacingZ() -> String {
        last == "Z" ? String(dropLast()) : String(self)
    }
}
