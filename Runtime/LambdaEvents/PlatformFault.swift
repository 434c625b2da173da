import FunctionCore

/// How the platform, and not the function itself, ended an invocation: in the words of AWS Lambda.
package enum PlatformFault: Sendable, Hashable {
    case timedOut(after: Duration)
    /// The process has ended: `exit status 3`, `signal: killed`.
    case exited(String)
    /// The kernel has killed the process for its memory.
    case outOfMemory

    package var type: String {
        switch self {
        case .timedOut: "Sandbox.Timedout"
        case .exited: "Runtime.ExitError"
        case .outOfMemory: "Runtime.OutOfMemory"
        }
    }

    package var message: String {
        switch self {
        case .timedOut(let limit): "Task timed out after \(LambdaLines.seconds(limit)) seconds"
        case .exited("exit status 0"): "Runtime exited without providing a reason"
        case .exited(let reason): "Runtime exited with error: \(reason)"
        case .outOfMemory: "Runtime exited with error: signal: killed"
        }
    }

    /// What a caller of the function reads.
    package func document(for request: String) -> Bytes {
        let error: JSONObject = [
            "errorType": .string(type), "errorMessage": .string("RequestId: \(request) Error: \(message)"),
        ]
        return JSON.object(error).bytes()
    }

    /// How REPORT tells it.
    package var end: LambdaLines.End {
        if case .timedOut = self { return .timeout }
        return .error(type)
    }

    /// The log's lines before END.
    package func lines(for request: String, at now: Instant) -> [String] {
        switch self {
        case .timedOut:
            // AWS's clock has milliseconds.
            let now = Instant(nanoseconds: now.nanoseconds / 1_000_000 * 1_000_000)
            return ["\(now.rfc3339) \(request) \(message)"]
        case .exited, .outOfMemory: return ["RequestId: \(request) Error: \(message)", type]
        }
    }
}
