import FunctionCore

/// When a failed request is sent again: the rule of the vendor's own client, with a lower cap on the wait.
package struct RetryRule: Sendable {
    /// How often a request is sent again.
    package var retries = 2
    /// The longest wait that is honoured; a provider that asks for more is not asked again.
    package var cap: Duration = .seconds(10)

    package init() {}

    /// How long to wait before retry number `attempt` (from 0), or nil to give up.
    ///
    /// `remaining` is until the invocation's deadline: a wait that reaches it is not begun. `spread` is 0 to
    /// 1, random, so that many clients do not come back at once.
    package func wait(
        _ failure: ProviderFailure,
        attempt: Int,
        remaining: Duration,
        spread: Double
    ) -> Duration? {
        guard failure.isTransient, attempt < retries else { return nil }
        if let asked = failure.wait {
            return asked <= cap && asked < remaining ? asked : nil
        }
        let doubled = min(0.5 * Double(1 << min(attempt, 10)), 8)
        let wait = Duration.seconds(doubled * (1 - 0.25 * spread))
        return wait < remaining ? wait : nil
    }

    /// What a reply asks for: `retry-after-ms`, else `retry-after` in seconds.
    ///
    /// A date is not looked at, for want of a clock that the provider shares.
    package static func wait(_ headers: [Header]) -> Duration? {
        if let text = headers.first("retry-after-ms"), let value = Double(text), value > 0, value < 1e9 {
            return .nanoseconds(Int64(value * 1e6))
        }
        if let text = headers.first("retry-after"), let value = Double(text), value > 0, value < 1e6 {
            return .nanoseconds(Int64(value * 1e9))
        }
        return nil
    }
}
