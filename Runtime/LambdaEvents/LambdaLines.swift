import FunctionCore

/// The lines that Lambda writes around each invocation.
package enum LambdaLines {
    package static func start(_ request: String) -> String { "START RequestId: \(request) Version: $LATEST" }
    package static func end(_ request: String) -> String { "END RequestId: \(request)" }

    /// What an invocation took.
    package struct Report: Sendable, Hashable {
        package var duration: Duration
        package var memoryMiB: Int
        /// The most that the worker ever had, where it is known.
        package var maxMemoryMiB: Int?
        /// How long the worker's start took; for the first invocation on it.
        package var start: Duration?
        package var end: End

        package init(
            duration: Duration,
            memoryMiB: Int,
            maxMemoryMiB: Int? = nil,
            start: Duration? = nil,
            end: End = .success
        ) {
            self.duration = duration
            self.memoryMiB = memoryMiB
            self.maxMemoryMiB = maxMemoryMiB
            self.start = start
            self.end = end
        }
    }

    /// How an invocation, or a worker's start, ended.
    package enum End: Sendable, Hashable {
        case success
        case timeout
        /// The type, such as `Runtime.ExitError`.
        case error(String)

        fileprivate var fields: String {
            switch self {
            case .success: ""
            case .timeout: "Status: timeout"
            case .error(let type): "Status: error\tError Type: \(type)"
            }
        }
    }

    package static func report(_ request: String, _ report: Report) -> String {
        let billed = Int(report.duration.milliseconds.rounded(.up))
        var line = "REPORT RequestId: \(request)\tDuration: \(milliseconds(report.duration)) ms\t"
        line += "Billed Duration: \(billed) ms\tMemory Size: \(report.memoryMiB) MB\t"
        if let most = report.maxMemoryMiB { line += "Max Memory Used: \(most) MB\t" }
        if let start = report.start { line += "Init Duration: \(milliseconds(start)) ms\t" }
        return line + report.end.fields
    }

    /// A worker's start that did not go well.
    package static func initReport(_ duration: Duration, _ end: End) -> String {
        "INIT_REPORT Init Duration: \(milliseconds(duration)) ms\tPhase: init\t\(end.fields)"
    }

    /// A time in seconds with two decimals.
    package static func seconds(_ duration: Duration) -> String { fixed(duration.milliseconds / 1000) }

    private static func milliseconds(_ duration: Duration) -> String { fixed(duration.milliseconds) }

    private static func fixed(_ value: Double) -> String {
        let hundredths = Int((max(0, value) * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
