import FunctionCore

/// What the machine knows about one entry.
struct ScheduleSlot: Sendable {
    typealias Action = ScheduleMachine.Action
    typealias Nominal = SchedulePlan.Nominal

    /// What a look at the entry goes by.
    struct Look {
        let entry: ScheduleEntry
        let plan: SchedulePlan
        let now: Instant
        /// That of the entry's window.
        let token: UInt64?
        /// Times over which the clock was put forward.
        let step: Range<Instant>?

        var policy: SchedulePolicy { entry.policy }

        /// Whether the entry runs under a token, which it has not got.
        var lacksToken: Bool {
            guard case .window = entry.kind else { return false }
            return token == nil
        }

        func cause(of due: Instant) -> ScheduleDecision.Cause {
            if let step, step.contains(due) { return .clockStep }
            return now - due > ScheduleMachine.punctuality ? .catchUp : .scheduled
        }
    }

    var state = ScheduleState()
    /// Runs that have begun and not finished.
    var running: Set<Instant> = []
    /// Those of them that have been told to stop.
    var stopping: Set<Instant> = []
    /// Times whose runs wait, in the order in which they are to begin.
    var waiting: [WaitingTime] = []
    /// When the machine is to look at the entry again.
    var wake: Instant?
    /// There is no telling the next time; said once, and asked again with another plan.
    private var isFaulty = false

    mutating func restore(_ stored: StoredSchedule) {
        state = stored.state
        running = stored.running
        waiting = stored.waiting
        stopping = []
        isFaulty = false
    }

    /// Asks for the next time again where it was not to be told, as another plan may have it.
    mutating func forget() {
        isFaulty = false
    }

    /// Decides all that is due and returns when to look again.
    mutating func look(_ look: Look, _ actions: inout [Action]) -> Instant? {
        let before = state
        if state.revision == 0 { state.revision = look.entry.revision }
        if state.mark == nil || state.revision != look.entry.revision {
            // For a new definition the instant just before, so that a time that falls on the first look is
            // run. What lay between the old one's mark and now, only the old one could tell.
            state.mark = max(state.mark ?? Instant(nanoseconds: .min), look.now - .nanoseconds(1))
            state.revision = look.entry.revision
            isFaulty = false
        }
        let expiry = drain(look, &actions)
        let due = takeDue(look, &actions)
        if state != before { actions.append(.keep(id: look.entry.id, state)) }
        return [expiry, due].compactMap { $0 }.min()
    }

    /// Gives due times their verdicts, and returns when to look for more.
    private mutating func takeDue(_ look: Look, _ actions: inout [Action]) -> Instant? {
        guard let first = next(look, &actions) else { return nil }
        guard first.due <= look.now else { return first.due }
        let limit = ScheduleMachine.passLimit + look.policy.catchUp.limit
        var due = [first]
        // A fault here is met again, and reported, when the next time is looked up.
        while due.count < limit,
            let later = try? look.plan.next(of: look.entry, after: due[due.count - 1].instant),
            later.due <= look.now
        {
            due.append(later)
        }
        let isFull = due.count == limit
        if isFull { due.removeLast(look.policy.catchUp.limit) }
        var held: Instant?
        if look.lacksToken, state.pause == nil,
            let cut = due.firstIndex(where: { $0.windowCloses.map { $0 > look.now } ?? true })
        {
            // Nothing is decided, so nothing is lost if the host stops here.
            held = due[cut].windowCloses
            due.removeSubrange(cut...)
        }
        take(due.filter { !dismiss($0, look, &actions) }, isFull: isFull, look, &actions)
        if let last = due.last {
            state.mark = last.instant
        }
        if let held { return held }
        if isFull { return look.now }
        return next(look, &actions)?.due
    }

    /// Decides a due time that is not wanted, whatever else is due; whether it was that.
    private func dismiss(_ time: Nominal, _ look: Look, _ actions: inout [Action]) -> Bool {
        let verdict: ScheduleDecision.Verdict
        if time.isExcluded {
            verdict = .skipped(.excluded)
        } else if state.pause != nil {
            verdict = .skipped(.paused)
        } else if let closes = time.windowCloses, closes <= look.now {
            verdict = .missed(.windowClosed)
        } else if let deadline = look.policy.deadline, time.due + deadline < look.now {
            verdict = .missed(.deadline)
        } else {
            return false
        }
        decide(WaitingTime(time, look), verdict, look, &actions)
        return true
    }

    /// Applies the catch-up policy to the times that are wanted.
    private mutating func take(_ wanted: [Nominal], isFull: Bool, _ look: Look, _ actions: inout [Action]) {
        // A pass that leaves times for the next one keeps none of its own, unless those have none to offer.
        let successor = isFull ? latest(look) : nil
        let keepsNone = isFull && !(look.policy.catchUp == .latest && successor == nil)
        var kept = wanted.suffix(keepsNone ? 0 : look.policy.catchUp.limit)
        if look.policy.catchUp == .none {
            kept = kept.filter { look.now - $0.due <= ScheduleMachine.punctuality }[...]
        }
        for time in wanted.dropLast(kept.count) {
            let verdict: ScheduleDecision.Verdict
            switch look.policy.catchUp {
            case .none: verdict = .missed(.catchUpNone)
            case .latest:
                verdict = .coalesced(into: kept.last?.instant ?? successor ?? time.instant)
            case .all: verdict = .missed(.catchUpLimit)
            }
            decide(WaitingTime(time, look), verdict, look, &actions)
        }
        for time in kept {
            start(WaitingTime(time, look), isBacklog: kept.count > 1, look, &actions)
        }
    }

    /// The latest due time that would be wanted, where it lies beyond a full pass.
    private func latest(_ look: Look) -> Instant? {
        guard let mark = state.mark else { return nil }
        var distance = Duration.seconds(60)
        while true {
            let from = max(mark, look.now - distance)
            var cursor = from
            var found: Instant?
            while let time = try? look.plan.next(of: look.entry, after: cursor), time.due <= look.now {
                var ignored: [Action] = []
                if !dismiss(time, look, &ignored) { found = time.instant }
                cursor = time.instant
            }
            if let found { return found }
            if from == mark { return nil }
            distance *= 4
        }
    }

    /// The first time after the mark; a fault is reported once, as it would not go away.
    private mutating func next(_ look: Look, _ actions: inout [Action]) -> Nominal? {
        guard !isFaulty, let mark = state.mark else { return nil }
        do throws(SchedulingError) {
            return try look.plan.next(of: look.entry, after: mark)
        } catch {
            isFaulty = true
            actions.append(.fault(id: look.entry.id, error))
            return nil
        }
    }
}

extension WaitingTime {
    init(_ time: SchedulePlan.Nominal, _ look: ScheduleSlot.Look) {
        self.init(
            nominal: time.instant,
            due: time.due,
            cause: look.cause(of: time.due),
            windowCloses: time.windowCloses
        )
    }
}
