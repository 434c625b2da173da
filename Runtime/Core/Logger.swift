/// How much a log line matters.
public enum LogLevel: UInt8, Sendable, Comparable, CaseIterable {
    /// For whoever writes the function.
    case debug = 0
    /// Worth keeping.
    case info = 1
    /// Somebody should look at it some time.
    case warning = 2
    /// Something failed.
    case error = 3

    /// Orders by weight.
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// The level's name in a log line.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// A logger bound to one invocation: each line carries its id, function and trace.
///
/// Threading: any. A line never waits: what the host cannot take is counted and dropped.
public struct Logger: Sendable {
    private let sink: @Sendable (LogLevel, String, [String: String]) -> Void

    /// A logger that hands its lines to `sink`; used by the worker and tests.
    public init(_ sink: @escaping @Sendable (LogLevel, String, [String: String]) -> Void) {
        self.sink = sink
    }

    /// Logs for whoever writes the function.
    public func debug(_ message: String, _ metadata: [String: String] = [:]) {
        sink(.debug, message, metadata)
    }
    /// Logs something worth keeping.
    public func info(_ message: String, _ metadata: [String: String] = [:]) { sink(.info, message, metadata) }
    /// Logs something to look at.
    public func warning(_ message: String, _ metadata: [String: String] = [:]) {
        sink(.warning, message, metadata)
    }
    /// Logs a failure.
    public func error(_ message: String, _ metadata: [String: String] = [:]) {
        sink(.error, message, metadata)
    }
}
