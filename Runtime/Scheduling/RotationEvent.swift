import FunctionCore

/// A step of a rotation, as the journal keeps it.
package struct RotationEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case granted
        /// The times of what is under way were corrected, or what runs was cancelled.
        case changed
        case cutOff = "cut_off"
        case draining
        case handover
        /// The token is worth nothing any more.
        case ended
    }

    /// Why; its text is safe as a metric label.
    package enum Reason: String, Sendable, Hashable {
        case planned
        case calendarUpdate = "calendar_update"
        case clockStep = "clock_step"
        /// What ran was cancelled, as the hard stop is near.
        case cancelled
        /// All had ended, and the checkpoint if there is one was made.
        case released
        case checkpointFailed = "checkpoint_failed"
        case hardStop = "hard_stop"
        /// Granted later after its time than the gap allows.
        case late
        /// Granted once more in the same span, as its holder was lost.
        case resumed
        /// The host was started anew, or whoever held the token is gone.
        case lost
        /// The rotation was taken out of the project.
        case removed
    }

    package let kind: Kind
    package let window: String
    package let token: UInt64
    /// By the wall clock.
    package let at: Instant
    /// When the window's span was to open.
    package let opens: Instant
    /// From here on the token is worth nothing, whatever happens.
    package let hardStop: Instant
    package let reason: Reason?

    package init(
        _ kind: Kind,
        window: String,
        token: UInt64,
        at: Instant,
        opens: Instant,
        hardStop: Instant,
        reason: Reason? = nil
    ) {
        self.kind = kind
        self.window = window
        self.token = token
        self.at = at
        self.opens = opens
        self.hardStop = hardStop
        self.reason = reason
    }

    init(_ kind: Kind, _ grant: RotationState.Grant, _ reason: Reason?, at now: Instant) {
        self.init(
            kind,
            window: grant.window,
            token: grant.token,
            at: now,
            opens: grant.opens,
            hardStop: grant.hardStop,
            reason: reason
        )
    }
}

/// Looks through what a rotation did for what must never happen.
///
/// It knows nothing of the machine that decided: it reads the events as they were written, in their order.
package struct RotationAudit: Sendable {
    /// What is wrong, in words, oldest first; the first thousand.
    package private(set) var findings: [String] = []
    /// Windows that opened later than the gap allows, as often.
    package private(set) var late = 0
    package private(set) var grants = 0

    private static let findingsMax = 1_000

    /// The token that is in force, by what has been read.
    private var held: RotationEvent?
    private var lastToken: UInt64 = 0
    private let gap: Duration

    package init(gap: Duration) {
        self.gap = gap
    }

    /// Takes in the next event.
    package mutating func take(_ event: RotationEvent) {
        switch event.kind {
        case .granted:
            grants += 1
            if let held, event.at < held.hardStop {
                report(
                    "\(event.window) was granted token \(event.token) while \(tell(held)) was valid",
                    event
                )
            }
            if event.token <= lastToken {
                report("token \(event.token) was granted after \(lastToken)", event)
            }
            if event.at < event.opens { report("\(event.window) opened early", event) }
            let isExplained = event.reason != .planned && event.reason != nil
            if event.at - event.opens > gap, !isExplained {
                report("\(event.window) opened after a gap that nobody was told of", event)
            }
            if event.reason == .late { late += 1 }
            lastToken = max(lastToken, event.token)
            held = event
        case .changed, .cutOff, .draining, .handover:
            guard let held, held.token == event.token, held.window == event.window else {
                return report("\(event.kind.rawValue) of \(tell(event)), which was not in force", event)
            }
            self.held = event
        case .ended:
            guard let held, held.token == event.token else {
                return report("the end of \(tell(event)), which was not in force", event)
            }
            self.held = nil
        }
    }

    private func tell(_ event: RotationEvent) -> String { "\(event.window)'s token \(event.token)" }

    private mutating func report(_ what: String, _ event: RotationEvent) {
        guard findings.count < RotationAudit.findingsMax else { return }
        findings.append("\(event.at.rfc3339) \(what)")
    }
}
