import FunctionCore

/// Lets windows take turns, so that never two of them hold a valid token.
///
/// Each window is in one of three states:
///
///     closed ──grant──► open ──startDraining──► draining ──revoke──► closed
///                         └──────────── revoke (holder lost, hard stop passed) ───────────┘
///
/// - *closed*: no token. It opens when its planned span has begun and no other window holds a token.
/// - *open*: its holder has a token. It drains when the span's close is reached, or when the plan or a step
///   of the clock puts the present outside the span.
/// - *draining*: the token is still valid, for orders to be withdrawn and models to be saved, until the
///   holder reports that it has drained or the hard stop passes, whichever is first.
///
/// There is one place for a holder, so the invariant does not depend on the clock: a step backwards can at
/// most end a window, and the span of each window that ended last does not open again. (Only the last is
/// remembered: a clock that once ran a year ahead would otherwise keep the windows closed for a year.)
/// Tokens strictly increase, also over restarts, as every grant is persisted before it is made. After a
/// restart whoever held a token is taken for lost: its token is fenced, and a span that is still on is
/// granted anew.
///
/// The actions of one reaction are to be performed in their order, and those behind a `.persist` only once
/// it is durable.
package struct WindowRotation: Sendable {
    /// What has happened.
    package enum Fact: Sendable, Hashable {
        /// The state read at start, a new one if there was none. Nothing is granted before it.
        case restored(RotationState)
        /// The wall clock shows this instant. Sent on every wake, and after each of the other facts.
        case tick(now: Instant)
        /// The holder has finished; ignored unless this token is draining.
        case drained(window: String, token: UInt64)
        /// Whoever held this token is gone, without having drained.
        case holderLost(token: UInt64)
        /// The calendar or the windows have been changed.
        case replanned(RotationPlan)
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Hand the token to the window's functions; `until` is the hard stop.
        case grant(window: String, token: UInt64, until: Instant)
        /// Begin nothing more under this token and finish by `until`.
        case startDraining(window: String, token: UInt64, until: Instant)
        /// Refuse the token from now on.
        case revoke(window: String, token: UInt64)
        /// Make the state durable.
        case persist(RotationState)
        /// The plan cannot answer for the present; all windows stay closed. Said once.
        case planExpired(SchedulingError)
    }

    /// A window's state.
    package enum Phase: String, Sendable, Hashable {
        case closed
        case open
        case draining
    }

    package private(set) var plan: RotationPlan
    package private(set) var state = RotationState()
    private var isRestored = false
    private var hasReportedExpiry = false

    package init(plan: RotationPlan) {
        self.plan = plan
    }

    /// Takes in a fact and says what is to be done about it.
    package mutating func react(to fact: Fact) -> [Action] {
        switch fact {
        case .restored(let state):
            self.state = state
            isRestored = true
            return state.holder == nil ? [] : fence()
        case .tick(let now):
            return isRestored ? tick(now) : []
        case .drained(let window, let token):
            guard let holder = state.holder, holder.isDraining, holder.window == window, holder.token == token
            else { return [] }
            return fence()
        case .holderLost(let token):
            return state.holder?.token == token ? fence() : []
        case .replanned(let plan):
            self.plan = plan
            hasReportedExpiry = false
            return []
        }
    }

    /// The state of a window.
    package func phase(of window: String) -> Phase {
        guard let holder = state.holder, holder.window == window else { return .closed }
        return holder.isDraining ? .draining : .open
    }

    /// The token a window holds, also while it drains.
    package func currentToken(of window: String) -> UInt64? {
        state.holder.flatMap { $0.window == window ? $0.token : nil }
    }

    /// Whether a side effect under this token is allowed at an instant.
    package func isValid(token: UInt64, at instant: Instant) -> Bool {
        guard let holder = state.holder else { return false }
        return holder.token == token && instant < holder.hardStop
    }

    /// When the next tick is due at the latest; `nil` if the plan knows nothing further.
    package func nextWake(after now: Instant) -> Instant? {
        let edge = try? plan.nextEdge(after: now)
        guard let holder = state.holder, holder.hardStop > now else { return edge }
        return min(edge ?? holder.hardStop, holder.hardStop)
    }

    private mutating func tick(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        let planned = plannedSpan(at: now, &actions)
        if let holder = state.holder {
            if now >= holder.hardStop {
                noteEnd(of: holder, now)
                actions += fence()
            } else if holder.isDraining {
                actions += keepDraining(holder, now)
            } else if let planned, planned.window == holder.window, planned.opens == holder.opens {
                actions += follow(planned, holder)
            } else {
                actions += startDraining(holder, now)
            }
        }
        if state.holder == nil, let planned, state.ended[planned.window] != planned.opens {
            actions += grant(planned)
        }
        return actions
    }

    private mutating func plannedSpan(at now: Instant, _ actions: inout [Action]) -> RotationPlan.Span? {
        do throws(SchedulingError) {
            let span = try plan.span(at: now)
            hasReportedExpiry = false
            return span
        } catch {
            if !hasReportedExpiry { actions.append(.planExpired(error)) }
            hasReportedExpiry = true
            return nil
        }
    }

    private mutating func grant(_ span: RotationPlan.Span) -> [Action] {
        state.lastToken += 1
        let token = state.lastToken
        state.holder = RotationState.Grant(
            window: span.window,
            token: token,
            opens: span.opens,
            closes: span.closes,
            hardStop: span.hardStop,
            isDraining: false
        )
        return [.persist(state), .grant(window: span.window, token: token, until: span.hardStop)]
    }

    private mutating func startDraining(_ holder: RotationState.Grant, _ now: Instant) -> [Action] {
        var draining = holder
        draining.isDraining = true
        if !noteEnd(of: holder, now) {
            // Ended by a step of the clock or a new plan: its time to drain counts from now.
            draining.hardStop = min(holder.hardStop, now + drainLimit(of: holder))
        }
        guard draining.hardStop > now else { return fence() }
        state.holder = draining
        return [
            .persist(state),
            .startDraining(window: holder.window, token: holder.token, until: draining.hardStop),
        ]
    }

    /// Remembers that a span is over once its close is reached, so that it does not open again.
    @discardableResult
    private mutating func noteEnd(of holder: RotationState.Grant, _ now: Instant) -> Bool {
        guard now >= holder.closes else { return false }
        state.ended[holder.window] = holder.opens
        return true
    }

    /// Keeps a step backwards from lengthening a drain beyond its limit.
    private mutating func keepDraining(_ holder: RotationState.Grant, _ now: Instant) -> [Action] {
        let previous = state
        noteEnd(of: holder, now)
        let bound = now + drainLimit(of: holder)
        state.holder?.hardStop = min(holder.hardStop, bound)
        return state == previous ? [] : [.persist(state)]
    }

    /// Takes over a corrected close of the span that is on.
    private mutating func follow(_ planned: RotationPlan.Span, _ holder: RotationState.Grant) -> [Action] {
        guard planned.closes != holder.closes || planned.hardStop != holder.hardStop else { return [] }
        state.holder?.closes = planned.closes
        state.holder?.hardStop = planned.hardStop
        return [.persist(state)]
    }

    private func drainLimit(of holder: RotationState.Grant) -> Duration {
        plan.windows.first { $0.name == holder.window }?.drainLimit ?? holder.hardStop - holder.closes
    }

    /// Takes the token away; the caller knows that there is a holder.
    private mutating func fence() -> [Action] {
        guard let holder = state.holder else { return [] }
        state.holder = nil
        return [.revoke(window: holder.window, token: holder.token), .persist(state)]
    }
}
