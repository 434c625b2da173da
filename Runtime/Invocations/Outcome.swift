import FunctionCore

/// Every way in which an invocation can end.
package enum Outcome: Sendable {
    /// The function replied; a status of 500 or above counts as its own failure.
    case replied(status: Int)
    /// The function, or a binding it called, failed.
    case failed(FunctionError)
    /// The function did not end within its time.
    case timedOut
    /// The caller went away or asked to stop.
    case cancelled
    /// Its time was over before it began.
    case expired
    /// The worker died, or was killed for a sibling's sake.
    case workerLost(String)
    /// The worker needed more memory than its function is allowed.
    case outOfMemory(String)
    /// The host refused to take it on.
    case shed(ShedReason, retryAfter: Duration)

    /// Why an invocation was refused.
    package enum ShedReason: String, Sendable {
        /// The function's queue is full, or it may run no more at once.
        case overloaded
        /// The host runs as much as it may, and the function's queue is full.
        case hostOverloaded = "host_overloaded"
        /// It has waited for a worker for as long as the function allows.
        case queueTimeout = "queue_timeout"
        /// The function's workers crash, and the pool waits before it starts another.
        case crashLoop = "crash_loop"
        /// The host is stopping.
        case draining
    }

    /// The outcome's word in logs and metrics.
    package var label: String {
        switch self {
        case .replied(let status): status < 500 ? "ok" : "error"
        case .failed: "failed"
        case .timedOut: "timed_out"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .workerLost: "worker_lost"
        case .outOfMemory: "out_of_memory"
        case .shed: "shed"
        }
    }

    /// Whether the function has done what it was asked.
    package var succeeded: Bool {
        if case .replied(let status) = self { return status < 400 }
        return false
    }

    /// Whether the end counts against the function's retries: its own failures do, the host's do not.
    package var countsAgainstRetries: Bool {
        switch self {
        case .replied, .failed, .timedOut, .workerLost, .outOfMemory: true
        case .cancelled, .expired, .shed: false
        }
    }

    /// The error a caller sees, or nil where the function replied.
    package var error: FunctionError? {
        switch self {
        case .replied: nil
        case .failed(let error): error
        case .timedOut:
            FunctionError(
                status: 504,
                code: "timed_out",
                message: "the function did not answer within its time limit"
            )
        case .cancelled: FunctionError(status: 499, code: "cancelled", message: "the caller gave up")
        case .expired:
            FunctionError(
                status: 504,
                code: "expired",
                message: "the time limit passed before a worker was free"
            )
        case .workerLost(let reason):
            FunctionError(
                status: 502,
                code: "worker_lost",
                message: "the worker ended before it answered: \(reason)"
            )
        case .outOfMemory(let reason):
            FunctionError(
                status: 502,
                code: "out_of_memory",
                message: "the worker ended before it answered: \(reason)"
            )
        case .shed(.overloaded, _):
            FunctionError(
                status: 429,
                code: "overloaded",
                message: "the function is at its limit; try again later"
            )
        case .shed(.hostOverloaded, _):
            FunctionError(
                status: 503,
                code: "host_overloaded",
                message: "the host runs as much as its maxInFlight allows; try again later"
            )
        case .shed(.queueTimeout, _):
            FunctionError(
                status: 503,
                code: "queue_timeout",
                message: "no worker was free within the function's queueWait; try again later"
            )
        case .shed(.crashLoop, _):
            FunctionError(
                status: 503,
                code: "crash_loop",
                message: "the function's workers keep crashing; see `swiftlet logs`, and try again later"
            )
        case .shed(.draining, _):
            FunctionError(status: 503, code: "draining", message: "the host is stopping; try again")
        }
    }

    /// How long a caller should wait before it tries again, where the outcome says so.
    package var retryAfter: Duration? {
        if case .shed(_, let wait) = self { return wait }
        if case .failed(let error) = self, case .after(let wait) = error.retry { return wait }
        return nil
    }
}
