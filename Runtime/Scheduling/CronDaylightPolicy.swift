/// What an expression does where the wall clock is put forward or back.
///
/// An expression is *fixed* when none of second, minute and hour starts with `*`, otherwise a *frequency*.
/// A frequency keeps to its grid under every policy: readings in a gap vanish, and those that the clock
/// shows twice fire twice. The policies differ in what becomes of a fixed expression, and `utc` leaves the
/// zone's clock aside. A gap of more than 3 hours (a zone that skips a day) fires nothing.
package enum CronDaylightPolicy: String, Sendable, Hashable, CaseIterable {
    /// All readings in a gap fire once, at the first instant after it; of two equal readings the first fires.
    case cron
    /// Readings in a gap do not fire; of two equal readings the first does.
    case skip
    /// A reading in a gap fires as much later as the gap is long; of two equal readings the first fires.
    case shift
    /// Readings in a gap fire as with `cron`; equal readings fire both times.
    case both
    /// The fields are read by UTC's clock, which has neither gaps nor repetitions.
    case utc
}
