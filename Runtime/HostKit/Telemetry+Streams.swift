import FunctionCore
import Observe
import RedisTrigger

extension Telemetry {
    /// What a trigger of a stream or list reports; `group` is `list` for a list.
    func stream(_ report: StreamReport, _ function: String, key: String, group: String) {
        let labels = [key, group]
        func note(_ level: LogLevel, _ message: String, _ fields: [(String, JSON)] = []) {
            self.note(level, message, function: function, [("stream", .string(key))] + fields)
        }
        switch report {
        case .delivered(let invocation, let entries, let attempt):
            metrics.add("swiftlet_stream_entries_total", labels + ["delivered"], by: Double(entries.count))
            note(
                .debug,
                "entries delivered",
                [
                    ("entries", .array(entries.map { .string($0) })), ("attempt", .integer(Int64(attempt))),
                    ("invocation", .string(invocation)),
                ]
            )
        case .acked(let entries):
            metrics.add("swiftlet_stream_entries_total", labels + ["acked"], by: Double(entries.count))
        case .filtered(let entries):
            metrics.add("swiftlet_stream_entries_total", labels + ["filtered"], by: Double(entries.count))
        case .counts(let counts):
            metrics.set("swiftlet_stream_pending", labels, to: Double(counts.pending))
            metrics.set("swiftlet_stream_lag", labels, to: Double(counts.lag))
        case .retried(let entry, let wait):
            metrics.add("swiftlet_stream_entries_total", labels + ["retried"])
            note(
                .warning,
                "entry is tried again",
                [("entry", .string(entry)), ("after_ms", .number(wait.milliseconds))]
            )
        case .deadLettered(let entry, let reason, let attempts):
            metrics.add("swiftlet_stream_entries_total", labels + ["dead"])
            note(
                .error,
                "entry is a dead letter",
                [
                    ("entry", .string(entry)), ("reason", .string(reason)),
                    ("attempts", .integer(Int64(attempts))),
                ]
            )
        case .lost(let entries):
            metrics.add("swiftlet_stream_entries_total", labels + ["lost"], by: Double(entries.count))
            note(
                .error,
                "entries were trimmed before they were run",
                [("entries", .array(entries.map { .string($0) }))]
            )
        case .groupLost:
            note(.error, "the consumer group was gone and is made anew; entries may run a second time")
        case .settleFailed(let error):
            note(.warning, "an acknowledgement is sent again", [("reason", .string(error.message))])
        case .redisDown(let error):
            note(.warning, "stream is not read: redis is away", [("reason", .string(error.message))])
        case .redisUp:
            note(.debug, "stream is read")
        }
    }
}
