import FunctionCore

/// The lines that Lambda writes around each invocation.
enum LambdaLines {
    static func start(_ request: String) -> String { "START RequestId: \(request) Version: $LATEST" }
    static func end(_ request: String) -> String { "END RequestId: \(request)" }

    /// What an invocation took.
    struct Report {
        var duration: Duration
        var memoryMiB: Int
        var maxMemoryMiB: Int
        /// How long the worker's start took; for the first invocation on it.
        var start: Duration?
        /// `timeout` or `error`, where it did not go well.
        var status: String?
    }

    static func report(_ request: String, _ report: Report) -> String {
        let billed = Int(report.duration.milliseconds.rounded(.up))
        var line = "REPORT RequestId: \(request)\tDuration: \(text(report.duration)) ms\t"
        line += "Billed Duration: \(billed) ms\tMemory Size: \(report.memoryMiB) MB\t"
        line += "Max Memory Used: \(report.maxMemoryMiB) MB\t"
        if let start = report.start { line += "Init Duration: \(text(start)) ms\t" }
        if let status = report.status { line += "Status: \(status)\t" }
        return line
    }

    static func initTimedOut(after limit: Duration) -> String {
        "INIT_REPORT Init Duration: \(text(limit)) ms\tPhase: init\tStatus: timeout\t"
    }

    static func timedOut(_ request: String, after limit: Duration, at now: Instant) -> String {
        "\(now.rfc3339) \(request) Task timed out after \(seconds(limit)) seconds"
    }

    static func seconds(_ duration: Duration) -> String { fixed(duration.milliseconds / 1000) }

    private static func text(_ duration: Duration) -> String { fixed(duration.milliseconds) }

    /// A number with two decimals.
    private static func fixed(_ value: Double) -> String {
        let hundredths = Int((max(0, value) * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
