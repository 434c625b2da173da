import Activity
import FunctionCore

/// An entry that says what matters to a test.
func entry(
    _ id: String,
    _ function: String = "echo",
    outcome: String = "ok",
    error: ActivityError? = nil,
    trigger: String = "http",
    attempt: Int = 1
) -> ActivityEntry {
    ActivityEntry(
        id: id,
        function: function,
        trigger: trigger,
        operation: "",
        attempt: attempt,
        trace: "trace-\(id)",
        ended: Instant(seconds: 1000 + Int64(attempt)),
        queued: .milliseconds(2),
        ran: .milliseconds(3),
        isCold: false,
        worker: 7,
        outcome: outcome,
        status: error == nil ? 200 : 500,
        error: error,
        bytesIn: 1,
        bytesOut: 2
    )
}

/// A line of an invocation.
func line(_ message: String, of invocation: String?) -> ActivityLine {
    ActivityLine(
        time: Instant(seconds: 1000),
        level: .info,
        message: message,
        fields: [:],
        function: "echo",
        invocation: invocation,
        source: "log"
    )
}
