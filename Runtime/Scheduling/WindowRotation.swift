import FunctionCore

/// Lets windows take turns, so that never two of them hold a valid token.
///
/// A window's stages, each but the first two under its token:
///
///     closed ─arms─► arming ─grant─► open ─cutoff─► cutoff ─end─► draining ─idle─► handover ─► closed
///                                                     └──────────idle──────────────────┘
///
/// - *closed*: no token.
/// - *arming*: it opens soon; its function is warmed. Another window may still hold the token.
/// - *open*: its holder has a token. It opens when its planned span has begun and no other window holds one.
/// - *cutoff*: nothing begins any more. Reached by the plan's cutoff, or when the plan or a step of the clock
///   puts the present outside the span.
/// - *draining*: the window is over, and what it began is not.
/// - *handover*: nothing runs any more but the function's `checkpoint`; skipped where there is none.
///
/// From every stage under a token `revoke` leads back to closed: the holder is lost, or the hard stop has passed.
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
        case restored(RotationState, at: Instant)
        /// The wall clock shows this instant. Sent on every wake, and after each of the other facts.
        case tick(now: Instant)
        /// Nothing of the window runs any more; ignored unless this token is past its cutoff.
        case drained(window: String, token: UInt64, at: Instant)
        /// The function has ended its checkpoint, and leaves this text to the next window; nil where it failed.
        case checkpointed(window: String, token: UInt64, text: String?, at: Instant)
        /// Whoever held this token is gone, without having drained.
        case holderLost(token: UInt64, at: Instant)
        /// The calendar or the windows have been changed.
        case replanned(RotationPlan)
        /// The rotation is none of the project's any more.
        case removed(at: Instant)
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Have a worker of the window's function ready by `opens`.
        case warm(window: String, opens: Instant)
        /// Hand the token to the window's functions; `until` is the hard stop.
        case grant(window: String, token: UInt64, until: Instant)
        /// The hard stop has moved, to an earlier instant or a later one.
        case extend(window: String, token: UInt64, until: Instant)
        /// Begin nothing more under this token, which is worth nothing from `until` on.
        case cutOff(window: String, token: UInt64, until: Instant)
        /// Cancel what still runs under this token.
        case cancel(window: String, token: UInt64)
        /// Give the window's function the event `checkpoint`; `checkpointed` is to follow.
        case checkpoint(window: String, token: UInt64, deadline: Instant)
        /// Refuse the token from now on, and let the window's workers go.
        case revoke(window: String, token: UInt64)
        /// Make the state and what led to it durable, both or neither.
        case persist(RotationState, RotationEvent)
        /// The window has not opened for too long after its time. Said once for a span.
        case late(window: String, opens: Instant)
        /// The plan cannot answer for the present; all windows stay closed. Said once.
        case planExpired(SchedulingError)
    }

    /// How a window stands.
    package enum Stage: String, Sendable, Hashable {
        case closed, arming, open, cutoff, draining, handover
    }

    package private(set) var plan: RotationPlan
    package private(set) var state = RotationState()
    private var isRestored = false
    private var hasReportedExpiry = false
    /// The span whose window has been warmed.
    private var armed: RotationPlan.Span?
    /// The last span whose window was late.
    private var late: RotationPlan.Span?
    /// Since when the plan has been known: what it planned for before cannot be late.
    private var heeded: Instant?
    private var isReplanned = false

    package init(plan: RotationPlan) {
        self.plan = plan
    }

    /// Takes in a fact and says what is to be done about it.
    package mutating func react(to fact: Fact) -> [Action] {
        switch fact {
        case .restored(let state, let now):
            self.state = state
            isRestored = true
            if state.lastToken == 0 { heeded = now }
            return state.holder == nil ? [] : fence(.lost, now)
        case .tick(let now):
            return isRestored ? tick(now) : []
        case .drained(let window, let token, let now):
            guard let holder = holder(window, token), [.cutoff, .draining].contains(holder.stage) else {
                return []
            }
            return drained(holder, now)
        case .checkpointed(let window, let token, let text, let now):
            guard let holder = holder(window, token), holder.stage == .handover else { return [] }
            if let text { state.handover = RotationState.Handover(window: window, text: text) }
            return fence(text == nil ? .checkpointFailed : .released, now)
        case .holderLost(let token, let now):
            return state.holder?.token == token ? fence(.lost, now) : []
        case .replanned(let plan):
            self.plan = plan
            hasReportedExpiry = false
            isReplanned = true
            armed = nil
            return []
        case .removed(let now): return fence(.removed, now)
        }
    }

    /// How a window stands.
    package func stage(of window: String) -> Stage {
        if let holder = state.holder, holder.window == window { return holder.stage }
        return armed?.window == window ? .arming : .closed
    }

    /// The token a window holds, up to the end of its hand-over.
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
        var edges = [try? plan.nextEdge(after: now)]
        if let holder = state.holder {
            edges += [holder.ends, holder.cancels, holder.hardStop].map { $0 > now ? $0 : nil }
        }
        return edges.compactMap { $0 }.min()
    }

    // MARK: The clock

    private mutating func tick(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        if isReplanned { heeded = now }
        isReplanned = false
        let planned = plannedSpan(at: now, &actions)
        if let holder = state.holder {
            if now >= holder.hardStop {
                noteEnd(of: holder, now)
                actions += fence(.hardStop, now)
            } else if holder.stage != .open {
                actions += keepEnding(holder, now)
            } else if let planned, planned.window == holder.window, planned.opens == holder.opens {
                actions += follow(planned, holder, now)
            } else {
                actions += cutOff(holder, now)
            }
        }
        arm(now, &actions)
        guard let planned, state.ended[planned.window] != planned.opens else { return actions }
        let isLate = isLate(planned, now)
        if state.holder == nil { actions += grant(planned, now) }
        // Also one that is granted only now, as the host was down.
        if isLate, late?.opens != planned.opens {
            late = planned
            actions.append(.late(window: planned.window, opens: planned.opens))
        }
        return actions
    }

    private func isLate(_ span: RotationPlan.Span, _ now: Instant) -> Bool {
        let due = max(span.opens, heeded ?? span.opens)
        return state.opened[span.window] != span.opens && now - due > plan.gap
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

    private mutating func arm(_ now: Instant, _ actions: inout [Action]) {
        let span = (try? plan.arming(at: now)) ?? nil
        guard span != armed else { return }
        armed = span
        if let span { actions.append(.warm(window: span.window, opens: span.opens)) }
    }

    // MARK: A holder's way

    private mutating func grant(_ span: RotationPlan.Span, _ now: Instant) -> [Action] {
        let reason: RotationEvent.Reason
        if state.opened[span.window] == span.opens {
            reason = .resumed
        } else if isLate(span, now) {
            reason = .late
        } else {
            reason = now - span.opens > plan.gap ? .calendarUpdate : .planned
        }
        state.lastToken += 1
        let token = state.lastToken
        state.holder = RotationState.Grant(span, token: token)
        state.opened[span.window] = span.opens
        armed = nil
        return [
            persist(.granted, reason, now), .grant(window: span.window, token: token, until: span.hardStop),
        ]
    }

    private mutating func cutOff(_ holder: RotationState.Grant, _ now: Instant) -> [Action] {
        var ending = holder
        var reason = RotationEvent.Reason.planned
        if noteEnd(of: holder, now) {
            ending.stage = now >= holder.ends ? .draining : .cutoff
        } else {
            // Ended by a step of the clock or a new plan: its time to drain counts from now.
            reason = now < holder.opens ? .clockStep : .calendarUpdate
            ending.stage = .draining
            ending.ends = now
            bound(&ending, now)
        }
        guard ending.hardStop > now else { return fence(reason, now) }
        state.holder = ending
        return [
            persist(.cutOff, reason, now),
            .cutOff(window: holder.window, token: holder.token, until: ending.hardStop),
        ]
    }

    /// One that is past its cutoff: the end of its window, the time to cancel, a step of the clock.
    private mutating func keepEnding(_ holder: RotationState.Grant, _ now: Instant) -> [Action] {
        noteEnd(of: holder, now)
        var ending = holder
        // A step backwards does not lengthen a drain beyond its limit.
        bound(&ending, now)
        var actions: [Action] = []
        if ending.stage == .cutoff, now >= ending.ends { ending.stage = .draining }
        if ending.stage != .handover, now >= ending.cancels, !ending.isCancelled {
            ending.isCancelled = true
            actions.append(.cancel(window: holder.window, token: holder.token))
        }
        guard ending != holder else { return [] }
        state.holder = ending
        let event = ending.stage == holder.stage ? RotationEvent.Kind.changed : .draining
        return [persist(event, ending.isCancelled ? .cancelled : nil, now)] + actions
    }

    private mutating func drained(_ holder: RotationState.Grant, _ now: Instant) -> [Action] {
        let wants = plan.windows.first { $0.name == holder.window }?.checkpoint != nil
        guard wants, now < holder.hardStop else { return fence(.released, now) }
        state.holder?.stage = .handover
        return [
            persist(.handover, nil, now),
            .checkpoint(window: holder.window, token: holder.token, deadline: holder.hardStop),
        ]
    }

    /// Remembers that a span is over once its cutoff is reached, so that it does not open again.
    @discardableResult
    private mutating func noteEnd(of holder: RotationState.Grant, _ now: Instant) -> Bool {
        guard now >= holder.closes else { return false }
        state.ended[holder.window] = holder.opens
        return true
    }

    private func bound(_ ending: inout RotationState.Grant, _ now: Instant) {
        ending.hardStop = min(ending.hardStop, now + ending.tail)
        ending.cancels = min(ending.cancels, ending.hardStop)
        ending.ends = min(ending.ends, ending.hardStop)
    }

    /// Takes over corrected times of the span that is on.
    private mutating func follow(
        _ planned: RotationPlan.Span,
        _ holder: RotationState.Grant,
        _ now: Instant
    ) -> [Action] {
        let corrected = RotationState.Grant(planned, token: holder.token)
        guard corrected != holder else { return [] }
        state.holder = corrected
        return [
            persist(.changed, .calendarUpdate, now),
            .extend(window: holder.window, token: holder.token, until: corrected.hardStop),
        ]
    }

    /// Takes the token away; the caller knows that there is a holder.
    private mutating func fence(_ reason: RotationEvent.Reason, _ now: Instant) -> [Action] {
        guard let holder = state.holder else { return [] }
        let event = RotationEvent(.ended, holder, reason, at: now)
        state.holder = nil
        return [.revoke(window: holder.window, token: holder.token), .persist(state, event)]
    }

    private func holder(_ window: String, _ token: UInt64) -> RotationState.Grant? {
        state.holder.flatMap { $0.window == window && $0.token == token ? $0 : nil }
    }

    /// The state with what led to it; there is a holder.
    private func persist(
        _ kind: RotationEvent.Kind,
        _ reason: RotationEvent.Reason?,
        _ now: Instant
    ) -> Action {
        guard let holder = state.holder else { preconditionFailure("an event of a rotation has a holder") }
        return .persist(state, RotationEvent(kind, holder, reason, at: now))
    }
}
