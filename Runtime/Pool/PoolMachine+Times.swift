import FunctionCore
import Invocations

/// What time does to a pool: limits, graces, retirement, and when to look again.
extension PoolMachine {
    /// When something is due next, to the nanosecond; nil where nothing waits for time.
    ///
    /// Looks at all there is; the shell goes by `alarm`, which is never later.
    var nextTick: Monotonic? {
        var next: Monotonic?
        func consider(_ time: Monotonic) { next = min(next ?? time, time) }
        for waiting in waiting { consider(waiting.deadline) }
        running.forEach { _, run in
            // On a worker that is condemned or killed only its own end is waited for; a moment that has
            // passed would have the timer go round and round until then.
            if let stopBy = run.stopBy {
                if workers[run.worker]?.phase == .serving { consider(stopBy) }
            } else {
                consider(deadline(of: run))
            }
        }
        if !draining, workers.count < floor, let reopens = crashes.until { consider(reopens) }
        let spare = servingCount > floor
        workers.forEach { id, worker in
            switch worker.phase {
            case .starting: consider(worker.since + startLimit)
            case .serving where spare && isSpare(id, worker): consider(worker.since + scale.idle)
            case .serving where isHoldingUp(worker): consider(worker.moved + Pace.aheadMax)
            case .condemned: consider(worker.since + limits.grace)
            case .retiring: consider(worker.since + PoolMachine.leaveMax)
            case .pending, .serving, .killed: break
            }
        }
        return next
    }

    /// The next tick is no later than `moment`.
    mutating func wake(by moment: Monotonic) {
        if let alarm, alarm <= moment { return }
        alarm = moment
    }

    /// The latest moment for the next sign of life of a running invocation.
    func deadline(of run: Running) -> Monotonic {
        var deadline = run.started + run.timeout
        if let began = run.replyBegan {
            if let idle = limits.idle { deadline = min(deadline, began + idle) }
        } else if let first = limits.firstByte {
            deadline = min(deadline, run.started + first)
        }
        return deadline
    }

    mutating func enforceTimes(_ now: Monotonic) {
        if waiting.contains(where: { $0.deadline <= now }) {
            for waiting in waiting where waiting.deadline <= now {
                if waiting.isQueueTime {
                    shed(waiting.key, .queueTimeout, retryAfter: .seconds(1))
                } else {
                    actions.append(.end(waiting.key, .expired))
                }
            }
            waiting.removeAll { $0.deadline <= now }
        }
        var late: [InvocationKey] = []
        running.forEach { key, run in
            if (run.stopBy ?? deadline(of: run)) <= now { late.append(key) }
        }
        // In order of age, not of a table, so that a run can be repeated.
        for key in late.sorted() {
            guard let run = running[key] else { continue }
            if run.answered {
                overrun(run.worker, at: now)
            } else {
                stop(key, .timedOut, at: now)
            }
        }
        for id in workers.keys.sorted() {
            guard let worker = workers[id] else { continue }
            let age = now - worker.since
            switch worker.phase {
            case .starting where age >= startLimit:
                crashes.crashed(at: now)
                kill(id, why: "it was not ready within \(startLimit)")
            case .serving where isHoldingUp(worker) && now - worker.moved >= Pace.aheadMax:
                recall(from: id)
            case .condemned where age >= limits.grace:
                kill(id, why: "an invocation passed its time limit")
            case .retiring where age >= PoolMachine.leaveMax:
                kill(id, why: "it did not leave when asked")
            case .pending, .starting, .serving, .condemned, .retiring, .killed:
                break
            }
        }
        retireIdle(now, after: scale.idle)
    }

    /// Lets the workers above the floor go that have been idle for so long.
    mutating func retireIdle(_ now: Monotonic, after age: Duration) {
        for id in idle where servingCount > floor {
            guard let worker = workers[id], isSpare(id, worker), now - worker.since >= age else {
                continue
            }
            retire(id, at: now)
        }
        idle.removeAll { workers[$0]?.phase != .serving }
    }
}
