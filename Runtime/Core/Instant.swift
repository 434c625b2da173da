/// A point on the wall clock: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// The wall clock of a development host may be virtual; an `Instant` never says which.
public struct Instant: Sendable, Hashable, Comparable {
    /// Nanoseconds since the epoch; negative before it.
    ///
    /// The range is the years 1678 to 2262.
    public var nanoseconds: Int64

    /// The instant that lies `nanoseconds` after the epoch.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The instant that lies `seconds` after the epoch.
    public init(seconds: Int64) {
        self.nanoseconds = seconds * 1_000_000_000
    }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// Orders by time.
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant that lies `duration` later; saturates at the ends of the range.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        guard overflow else { return Instant(nanoseconds: sum) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// The instant that lies `duration` earlier; saturates at the ends of the range.
    public static func - (instant: Instant, duration: Duration) -> Instant {
        instant + (.zero - duration)
    }

    /// The time from `right` to `left`.
    public static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}

extension Duration {
    /// The duration in whole nanoseconds; saturates beyond 292 years.
    public var nanoseconds: Int64 {
        // Up to nine seconds one division of 64 bits does; those of 128 bits show in the cost of a request.
        if let small = Int64(exactly: attoseconds) { return small / 1_000_000_000 }
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product &+ attoseconds / 1_000_000_000
    }

    /// The duration in milliseconds, with fraction.
    public var milliseconds: Double {
        Double(nanoseconds) / 1e6
    }
}
