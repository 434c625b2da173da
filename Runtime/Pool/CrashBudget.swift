import FunctionCore

/// How many crashes a function is allowed before the pool waits with the next worker.
///
/// A served invocation restores it.
///
/// Five crashes in a row close the function for 0.5 s, and twice as long at each further one, 30 s at most. A
/// minute without a crash ends the row, so that what went wrong last week is not held against a function
/// today.
package struct CrashBudget: Sendable {
    private var inRow = 0
    private var last: Monotonic?
    private(set) var until: Monotonic?

    package init() {}

    /// Twice the longest wait: a function that crashes at each reopening is not forgiven by the waits
    /// themselves.
    private static let memory = Duration.seconds(60)

    /// A worker ended without being asked.
    mutating func crashed(at now: Monotonic) {
        if let last, now - last > CrashBudget.memory { inRow = 0 }
        last = now
        inRow += 1
        guard inRow >= 5 else { return }
        let wait = min(Duration.milliseconds(500) * (1 << min(inRow - 5, 10)), .seconds(30))
        until = now + wait
    }

    /// A worker has answered an invocation.
    mutating func served() {
        inRow = 0
        until = nil
    }

    /// For how long no worker is started; nil where one may be.
    package func closedFor(at now: Monotonic) -> Duration? {
        guard let until, until > now else { return nil }
        return until - now
    }
}
