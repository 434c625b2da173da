import FunctionCore

/// The line of an invocation's end, by far the most frequent one: written from its values, with no list of
/// fields in between.
package struct InvocationLine: Sendable {
    package var time: Instant
    package var level: LogLevel
    package var function: String
    package var invocation: String
    package var trace: String
    package var trigger: String
    package var outcome: String
    package var ran: Duration
    package var queued: Duration
    package var cold: Bool
    package var worker: Int32
    package var attempt: Int
    package var status: Int?
    package var error: FunctionError?

    package init(
        time: Instant,
        level: LogLevel,
        function: String,
        invocation: String,
        trace: String,
        trigger: String,
        outcome: String,
        ran: Duration,
        queued: Duration,
        cold: Bool,
        worker: Int32,
        attempt: Int,
        status: Int?,
        error: FunctionError?
    ) {
        self.time = time
        self.level = level
        self.function = function
        self.invocation = invocation
        self.trace = trace
        self.trigger = trigger
        self.outcome = outcome
        self.ran = ran
        self.queued = queued
        self.cold = cold
        self.worker = worker
        self.attempt = attempt
        self.status = status
        self.error = error
    }

    /// Appends the line as one JSON object, without a line's end: the same bytes as those of `record`.
    func write(to line: inout LineBytes, _ clock: inout LineClock) {
        line.literal("{\"time\":")
        clock.write(time, to: &line)
        line.literal(",\"level\":")
        line.string(level.name)
        line.literal(",\"message\":\"invocation\",\"function\":")
        line.string(function)
        line.literal(",\"invocation\":")
        line.string(invocation)
        line.literal(",\"trace\":")
        line.string(trace)
        line.literal(",\"trigger\":")
        line.string(trigger)
        line.literal(",\"outcome\":")
        line.string(outcome)
        line.literal(",\"duration_ms\":")
        line.milliseconds(ran)
        line.literal(",\"queued_ms\":")
        line.milliseconds(queued)
        line.literal(cold ? ",\"start\":\"cold\",\"worker\":" : ",\"start\":\"warm\",\"worker\":")
        line.number(Int64(worker))
        line.literal(",\"attempt\":")
        line.number(Int64(attempt))
        if let status {
            line.literal(",\"status\":")
            line.number(Int64(status))
        }
        if let error {
            line.literal(",\"code\":")
            line.string(error.code)
            line.literal(",\"error\":")
            line.string(error.message)
        }
        line.literal("}")
    }

    /// The same as a list of fields.
    package var record: LogRecord {
        var fields: [(String, JSON)] = [
            ("trigger", .string(trigger)), ("outcome", .string(outcome)),
            ("duration_ms", .number(Double(LineBytes.microseconds(ran)) / 1000)),
            ("queued_ms", .number(Double(LineBytes.microseconds(queued)) / 1000)),
            ("start", .string(cold ? "cold" : "warm")), ("worker", .integer(Int64(worker))),
            ("attempt", .integer(Int64(attempt))),
        ]
        if let status { fields.append(("status", .integer(Int64(status)))) }
        if let error {
            fields.append(("code", .string(error.code)))
            fields.append(("error", .string(error.message)))
        }
        return LogRecord(
            time: time,
            level: level,
            message: "invocation",
            function: function,
            invocation: invocation,
            trace: trace,
            fields: fields
        )
    }
}
