import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Observe
import RedisTrigger
import Synchronization

/// Keeps the buckets of rate limits: in the Redis that hosts share, or, where there is none or it is away,
/// in this host.
///
/// Threading: any.
package final class RateLimiter: RateLimiting {
    private struct State {
        var buckets = RateBuckets(bound: RateLimiter.bound)
        /// Redis did not answer, and is left alone until then.
        var restsUntil: Monotonic?
    }

    /// Some 10 MB at most.
    private static let bound = 100_000
    /// For how long a server that did not answer is left alone.
    private static let rest = Duration.seconds(1)

    private let shared: SharedBuckets?
    private let telemetry: Telemetry
    private let state = Mutex(State())

    /// `shared` is nil for a host with a Redis of its own, whose buckets nobody else would see.
    package init(shared: SharedBuckets?, telemetry: Telemetry) {
        self.shared = shared
        self.telemetry = telemetry
    }

    package func admit(
        _ claims: [RateClaim],
        of function: String,
        on loop: any EventLoop,
        later: @escaping @Sendable (RateVerdict) -> Void
    ) -> RateVerdict? {
        guard let shared, !isResting else { return counted(own(claims), claims, function) }
        shared.take(claims) { verdict in
            let verdict = self.counted(verdict ?? self.fallBack(claims), claims, function)
            loop.execute { later(verdict) }
        }
        return nil
    }

    private var isResting: Bool {
        state.withLock { state in state.restsUntil.map { $0 > .now } ?? false }
    }

    private func own(_ claims: [RateClaim]) -> RateVerdict {
        let now = Monotonic.now.nanoseconds / 1000
        return state.withLock { $0.buckets.take(claims, at: now) }
    }

    /// Each host for itself, until Redis is back.
    private func fallBack(_ claims: [RateClaim]) -> RateVerdict {
        state.withLock { $0.restsUntil = .now + RateLimiter.rest }
        return own(claims)
    }

    private func counted(_ verdict: RateVerdict, _ claims: [RateClaim], _ function: String) -> RateVerdict {
        if !verdict.isAdmitted { telemetry.metrics.add("swiftlet_rate_limited_total", [function]) }
        return verdict
    }
}
