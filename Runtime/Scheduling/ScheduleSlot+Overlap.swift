import FunctionCore

/// What becomes of a time that is to run while an earlier run is on.
extension ScheduleSlot {
    /// Begins a run, or does with it what the overlap policy says.
    mutating func start(_ time: WaitingTime, isBacklog: Bool, _ look: Look, _ actions: inout [Action]) {
        if isUsedUp(look) { return decide(time, .skipped(.limit), look, &actions) }
        let isFree = running.isEmpty && waiting.isEmpty
        switch look.policy.overlap {
        case _ where isFree && !look.lacksToken: run(time, look, &actions)
        case .allow: run(time, look, &actions)
        case _ where time.cause == .backfill: wait(time, look, &actions)
        case .skip:
            // What is caught up with was not skipped when it was due, and waits for its turn.
            if case .all = look.policy.catchUp, isBacklog || time.cause != .scheduled {
                wait(time, look, &actions)
            } else {
                decide(time, .skipped(.overlap), look, &actions)
            }
        case .bufferAll: wait(time, look, &actions)
        case .bufferOne: replaceWaiting(time, look, &actions)
        case .cancelOther:
            replaceWaiting(time, look, &actions)
            stopOthers(look, &actions)
        case .terminateOther:
            for other in running.sorted() where !stopping.contains(other) {
                actions.append(.stop(id: look.entry.id, nominal: other))
            }
            running = []
            stopping = []
            run(time, look, &actions)
        }
    }

    /// Begins what waits, as far as that is possible now; returns when the first of the rest is too late.
    mutating func drain(_ look: Look, _ actions: inout [Action]) -> Instant? {
        guard !waiting.isEmpty else { return nil }
        var rest: [WaitingTime] = []
        for time in waiting {
            if let closes = time.windowCloses, closes <= look.now {
                decide(time, .missed(.windowClosed), look, &actions)
            } else if let limit = time.latest(look.policy), limit < look.now {
                decide(time, .missed(.deadline), look, &actions)
            } else {
                rest.append(time)
            }
        }
        waiting = []
        while state.pause == nil, !look.lacksToken, running.isEmpty || look.policy.overlap == .allow,
            // A clock that was put back may show less than when it began to wait.
            let index = rest.firstIndex(where: { $0.due <= look.now })
        {
            let first = rest.remove(at: index)
            if isUsedUp(look) {
                decide(first, .skipped(.limit), look, &actions)
            } else {
                run(first, look, &actions)
            }
        }
        waiting = rest
        // Also what was to be stopped when a host died.
        if look.policy.overlap == .cancelOther { stopOthers(look, &actions) }
        return rest.compactMap { time in
            if time.due > look.now { return time.due }
            // Just after the last instant at which it could begin.
            let limit = time.latest(look.policy).map { $0 + .nanoseconds(1) }
            return [limit, time.windowCloses].compactMap { $0 }.min()
        }.min()
    }

    /// Writes a verdict down.
    func decide(
        _ time: WaitingTime,
        _ verdict: ScheduleDecision.Verdict,
        _ look: Look,
        _ actions: inout [Action]
    ) {
        let decision = ScheduleDecision(
            id: look.entry.id,
            nominal: time.nominal,
            verdict: verdict,
            cause: time.cause,
            due: time.due,
            at: look.now
        )
        actions.append(.decide(decision))
    }

    private mutating func run(_ time: WaitingTime, _ look: Look, _ actions: inout [Action]) {
        decide(time, .run, look, &actions)
        actions.append(.begin(id: look.entry.id, nominal: time.nominal, token: look.token))
        running.insert(time.nominal)
        state.runs += 1
    }

    private mutating func wait(_ time: WaitingTime, _ look: Look, _ actions: inout [Action]) {
        guard waiting.count < ScheduleMachine.bufferLimit else {
            return decide(time, .missed(.bufferFull), look, &actions)
        }
        decide(time, .waiting, look, &actions)
        waiting.append(time)
    }

    /// Waits in the place of what waited before; what was asked for by hand keeps its own.
    private mutating func replaceWaiting(_ time: WaitingTime, _ look: Look, _ actions: inout [Action]) {
        for other in waiting where !other.isByHand && other.nominal < time.nominal {
            decide(other, .coalesced(into: time.nominal), look, &actions)
        }
        waiting.removeAll { !$0.isByHand && $0.nominal < time.nominal }
        wait(time, look, &actions)
    }

    /// Cancels what runs, for the sake of what waits; a backfill waits for its turn.
    private mutating func stopOthers(_ look: Look, _ actions: inout [Action]) {
        guard waiting.contains(where: { $0.cause != .backfill }) else { return }
        for other in running.subtracting(stopping).sorted() {
            stopping.insert(other)
            actions.append(.stop(id: look.entry.id, nominal: other))
        }
    }

    /// Whether a time has a run, or waits for it.
    func knows(_ nominal: Instant) -> Bool {
        running.contains(nominal) || waiting.contains { $0.nominal == nominal }
    }

    private func isUsedUp(_ look: Look) -> Bool {
        look.policy.remaining.map { state.runs >= $0 } ?? false
    }
}

extension WaitingTime {
    var isByHand: Bool { cause == .trigger || cause == .backfill }

    /// The last instant at which it may begin.
    func latest(_ policy: SchedulePolicy) -> Instant? {
        isByHand ? nil : policy.deadline.map { due + $0 }
    }
}
