import FunctionCore

/// One trading session: from the opening, inclusive, to the close, exclusive.
package struct MarketSession: Sendable, Hashable {
    package var open: Instant
    package var close: Instant

    package init(open: Instant, close: Instant) {
        self.open = open
        self.close = close
    }

    /// Whether the session is under way at `instant`.
    package func contains(_ instant: Instant) -> Bool {
        open <= instant && instant < close
    }

    /// How many bars of a minute the session has; one for each begun minute.
    var minutes: Int {
        max(0, Int(((close - open).nanoseconds + 59_999_999_999) / 60_000_000_000))
    }
}

/// The market's sessions.
///
/// The host adapts its calendar; this module knows none.
package protocol SessionSource: Sendable {
    /// The session that contains `instant` or, where none does, the last one before it; nil before the
    /// calendar begins.
    func session(containingOrBefore instant: Instant) -> MarketSession?
}

extension SessionSource {
    /// The session before `session`.
    package func session(before session: MarketSession) -> MarketSession? {
        guard let earlier = self.session(containingOrBefore: session.open - .nanoseconds(1)),
            earlier.open < session.open
        else { return nil }
        return earlier
    }

    /// Whether the market is open at `instant`.
    package func isOpen(at instant: Instant) -> Bool {
        session(containingOrBefore: instant)?.contains(instant) ?? false
    }
}
