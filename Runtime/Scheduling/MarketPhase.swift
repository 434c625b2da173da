import FunctionCore

/// What a market does at a time; at any other time it is closed.
package enum MarketPhase: String, Sendable, Hashable, CaseIterable {
    /// Before the session.
    case pre
    /// The session itself.
    case regular
    /// The session's pause.
    case lunch
    /// After the session.
    case post
    /// Trading through the night, by itself or as the early part of a session that opens the day before.
    case overnight
}

/// When a phase beside the regular one is, told by a session.
///
/// What reaches into the session takes the place of its regular phase there, never that of its pause.
package struct PhaseRule: Sendable, Hashable {
    /// An edge of a phase.
    package enum Edge: Sendable, Hashable {
        case open(Duration)
        case close(Duration)
        case time(SessionTime)
    }

    package let phase: MarketPhase
    /// The first session it is told by; `nil` is from the beginning.
    package let from: CivilDate?
    package let start: Edge
    package let end: Edge

    package init(_ phase: MarketPhase, from: CivilDate? = nil, start: Edge, end: Edge) {
        self.phase = phase
        self.from = from
        self.start = start
        self.end = end
    }
}

/// One stretch of one phase.
package struct PhaseSpan: Sendable, Hashable {
    package let phase: MarketPhase
    package let start: Instant
    package let end: Instant
    /// The label of the session it belongs to.
    package let session: CivilDate
}

/// What a market has to be doing for a time to count.
package enum PhaseCondition: Sendable, Hashable {
    /// In a session, outside of its pause: what `isOpen` tells.
    case open
    /// Outside of sessions: what lies before the open and after the close, other phases there included.
    ///
    /// A pause is within its session, so it is neither open nor closed.
    case closed
    /// In one of the phases.
    case phases(Set<MarketPhase>)

    /// Reads `open`, `closed` or a phase's name.
    package init?(parsing text: String) {
        switch text {
        case "open": self = .open
        case "closed": self = .closed
        default:
            guard let phase = MarketPhase(rawValue: text) else { return nil }
            self = .phases([phase])
        }
    }
}
