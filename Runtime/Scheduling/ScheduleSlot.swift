import FunctionCore

/// One entry with what the machine knows about it.
struct ScheduleSlot: Sendable {
    typealias Action = ScheduleMachine.Action
    typealias Nominal = SchedulePlan.Nominal

    let entry: ScheduleEntry
    /// Nominal times up to this one have their verdict.
    private(set) var lastCommitted: Instant?
    /// Runs that have begun and not finished.
    var running: Set<Instant> = []
    /// The first nominal time after `lastCommitted`, once it has been looked up.
    private var next: Nominal?
    private var isLookedUp = false

    init(entry: ScheduleEntry) {
        self.entry = entry
    }

    mutating func restore(_ nominal: Instant?) {
        lastCommitted = nominal
        isLookedUp = false
    }

    /// What is left after a pass over the due times.
    private enum Progress {
        /// Nothing: all due times have their verdict.
        case done
        /// More verdicts than fit into one pass.
        case unfinished
        /// Times that wait for a grant or for a run to finish, at the longest until the given instant.
        case held(until: Instant?)
    }

    /// Decides all that is due and returns when to tick again.
    mutating func tick(
        _ now: Instant,
        plan: SchedulePlan,
        token: UInt64?,
        _ actions: inout [Action]
    ) -> Instant? {
        // For a new entry the instant just before, so that a time that falls on the first tick is run.
        let start = lastCommitted ?? now - .nanoseconds(1)
        if lastCommitted == nil { commit(start, &actions) }
        lookUpNext(after: start, plan, &actions)
        guard let first = next else { return nil }
        guard first.instant <= now else { return first.instant }
        let limit = ScheduleMachine.passLimit + entry.catchUp.limit
        var due = [first]
        // A fault here is met again, and reported, when the next time is looked up.
        while due.count < limit, let later = try? plan.next(of: entry, after: due[due.count - 1].instant),
            later.instant <= now
        {
            due.append(later)
        }
        var rest = due[...]
        let progress = decide(&rest, isFull: due.count == limit, now, token, &actions)
        if rest.startIndex > 0 { commit(due[rest.startIndex - 1].instant, &actions) }
        switch progress {
        case .unfinished: return now
        case .held(let until): return until
        case .done:
            lookUpNext(after: due[due.count - 1].instant, plan, &actions)
            return next?.instant
        }
    }

    /// Gives the due times their verdicts in their order, as far as that is possible now, and removes them.
    private mutating func decide(
        _ rest: inout ArraySlice<Nominal>,
        isFull: Bool,
        _ now: Instant,
        _ token: UInt64?,
        _ actions: inout [Action]
    ) -> Progress {
        let end = rest.startIndex + ScheduleMachine.passLimit
        while let closes = rest.first?.windowCloses, closes <= now, rest.startIndex < end {
            skip(&rest, .windowClosed, &actions)
        }
        if let closes = rest.first?.windowCloses {
            if closes <= now { return .unfinished }
            if token == nil { return .held(until: closes) }
        }
        while rest.count > entry.catchUp.limit, rest.startIndex < end {
            skip(&rest, reasonToDrop, &actions)
        }
        if isFull || rest.count > entry.catchUp.limit { return .unfinished }
        while let nominal = rest.first {
            if entry.catchUp == .none, now - nominal.instant > ScheduleMachine.punctuality {
                skip(&rest, .missed, &actions)
            } else if entry.overlap == .skip, !running.isEmpty {
                // A backlog waits: the tick that follows `finished` takes it up again.
                if case .all = entry.catchUp { return .held(until: nominal.windowCloses) }
                skip(&rest, .overlap, &actions)
            } else {
                actions.append(.fire(id: entry.id, nominal: nominal.instant, token: token))
                running.insert(nominal.instant)
                rest.removeFirst()
            }
        }
        return .done
    }

    private func skip(
        _ rest: inout ArraySlice<Nominal>,
        _ reason: ScheduleMachine.SkipReason,
        _ actions: inout [Action]
    ) {
        actions.append(.skip(id: entry.id, nominal: rest.removeFirst().instant, reason: reason))
    }

    private var reasonToDrop: ScheduleMachine.SkipReason {
        switch entry.catchUp {
        case .none: .missed
        case .latest: .superseded
        case .all: .catchUpLimit
        }
    }

    private mutating func commit(_ nominal: Instant, _ actions: inout [Action]) {
        lastCommitted = nominal
        isLookedUp = false
        actions.append(.commit(id: entry.id, nominal: nominal))
    }

    /// Looks up the first time after an instant, once; a fault is reported once too, as it would not go away.
    private mutating func lookUpNext(after instant: Instant, _ plan: SchedulePlan, _ actions: inout [Action])
    {
        guard !isLookedUp else { return }
        isLookedUp = true
        do throws(SchedulingError) {
            next = try plan.next(of: entry, after: instant)
        } catch {
            next = nil
            actions.append(.fault(id: entry.id, error))
        }
    }
}
