import Glibc

/// The real monotonic clock.
///
/// It alone rules timeouts, kills, grace and idleness, whatever the wall clock is told.
public struct Monotonic: Sendable, Hashable, Comparable {
    /// Nanoseconds of CLOCK_MONOTONIC, the same in all processes of a machine.
    public var nanoseconds: Int64

    /// The point `nanoseconds` on the clock.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Now.
    public static var now: Monotonic {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Monotonic(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Orders by time.
    public static func < (left: Monotonic, right: Monotonic) -> Bool { left.nanoseconds < right.nanoseconds }
    /// The point `duration` later.
    public static func + (point: Monotonic, duration: Duration) -> Monotonic {
        Monotonic(nanoseconds: point.nanoseconds &+ duration.nanoseconds)
    }
    /// The time from `right` to `left`.
    public static func - (left: Monotonic, right: Monotonic) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}
