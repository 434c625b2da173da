import FunctionCore
import Invocations

/// How the pool's machine reaches its decisions.
extension PoolMachine {
    /// Takes in a fact, then brings the pool in line with it: whoever can be served is served, workers come
    /// and go.
    mutating func step(_ now: Monotonic, _ fact: (inout PoolMachine) -> Void) -> [Action] {
        actions.removeAll(keepingCapacity: true)
        fact(&self)
        serve(at: now)
        grow(at: now)
        return actions
    }

    /// Gives what waits to workers that have room; the one used last first.
    private mutating func serve(at now: Monotonic) {
        var served = 0
        while served < waiting.count, runningCount < limits.maxInFlight, let id = idle.last {
            let next = waiting[served]
            served += 1
            running[next.key] = Running(
                worker: id,
                timeout: next.timeout,
                attempt: next.attempt,
                started: now
            )
            workers[id]?.running.insert(next.key)
            if workers[id]?.running.count ?? 0 >= limits.perWorker { idle.removeLast() }
            actions.append(.send(next.key, id, attempt: next.attempt))
        }
        if served > 0 { waiting.removeFirst(served) }
    }

    /// Whether something that arrives now needs no place in the queue: a worker has room, or one is started
    /// for it.
    var hasRoomAtOnce: Bool {
        waiting.isEmpty && runningCount < limits.maxInFlight && (!idle.isEmpty || workers.count < scale.max)
    }

    /// Starts workers for what still waits, and up to `min`.
    private mutating func grow(at now: Monotonic) {
        guard !draining, crashes.closedFor(at: now) == nil else { return }
        let starting = workers.values.count { $0.phase == .starting }
        let alive = workers.values.count { $0.phase == .starting || $0.phase == .serving }
        let room = max(0, limits.maxInFlight - runningCount)
        let served = min(waiting.count, room)
        let wanted = (served + limits.perWorker - 1) / limits.perWorker - starting
        // Condemned workers still hold their memory, so they count against `max` until they are gone.
        let missing = min(max(wanted, scale.min - alive), scale.max - workers.count)
        guard missing > 0 else { return }
        for _ in 0..<missing { spawn(at: now) }
    }

    mutating func spawn(at now: Monotonic) {
        nextWorker += 1
        workers[nextWorker] = Worker(since: now)
        actions.append(.spawn(nextWorker))
    }

    mutating func shed(_ key: InvocationKey, _ reason: Outcome.ShedReason, retryAfter: Duration) {
        actions.append(.end(key, .shed(reason, retryAfter: retryAfter)))
    }

    /// A worker has one invocation less.
    mutating func release(_ id: WorkerID, of key: InvocationKey, at now: Monotonic) {
        guard var worker = workers[id] else { return }
        worker.running.remove(key)
        if worker.running.isEmpty { worker.since = worker.phase == .serving ? now : worker.since }
        workers[id] = worker
        switch worker.phase {
        case .serving where draining && worker.running.isEmpty:
            idle.removeAll { $0 == id }
            retire(id, at: now)
        case .serving:
            if !idle.contains(id) { idle.append(id) }
        case .condemned where worker.running.isEmpty:
            kill(id, why: "an invocation passed its time limit")
        case .starting, .condemned, .retiring, .killed:
            break
        }
    }

    mutating func retire(_ id: WorkerID, at now: Monotonic) {
        workers[id]?.phase = .retiring
        workers[id]?.since = now
        actions.append(.retire(id))
    }

    mutating func kill(_ id: WorkerID, why: String) {
        guard workers[id] != nil, workers[id]?.phase != .killed else { return }
        workers[id]?.phase = .killed
        idle.removeAll { $0 == id }
        actions.append(.kill(id, why: why))
    }

    /// The caller of a running invocation gets `end` now, and its worker is asked to stop it.
    ///
    /// After a time limit the worker takes nothing new either: a handler that overran once cannot be trusted
    /// with the next.
    mutating func stop(_ key: InvocationKey, _ end: End, at now: Monotonic) {
        guard var run = running[key], !run.answered else { return }
        run.stopBy = now + limits.grace
        running[key] = run
        actions.append(.end(key, end))
        actions.append(.cancel(key, run.worker))
        if end == .timedOut { condemn(run.worker, at: now) }
    }

    /// A worker takes nothing new; what it runs has the grace left.
    private mutating func condemn(_ id: WorkerID, at now: Monotonic) {
        guard workers[id]?.phase == .serving else { return }
        workers[id]?.phase = .condemned
        workers[id]?.since = now
        idle.removeAll { $0 == id }
    }

    /// A worker did not stop what it was asked to stop.
    ///
    /// Where nobody waits for anything else of it, it goes at once.
    private mutating func overrun(_ id: WorkerID, at now: Monotonic) {
        condemn(id, at: now)
        let awaited = workers[id]?.running.contains { running[$0]?.answered == false } ?? false
        if !awaited { kill(id, why: "an invocation did not stop when asked") }
    }

    /// An invocation whose worker died.
    mutating func lost(_ key: InvocationKey, reason: String, begun: Bool, at now: Monotonic) {
        guard let run = running.removeValue(forKey: key), !run.answered else { return }
        let again = run.replyBegan == nil && (!begun || (idempotent && run.attempt == 1))
        guard again, !draining else {
            actions.append(.end(key, .workerLost(reason)))
            return
        }
        let attempt = begun ? run.attempt + 1 : run.attempt
        let deadline = run.started + run.timeout
        waiting.insert(Waiting(key: key, deadline: deadline, timeout: run.timeout, attempt: attempt), at: 0)
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
        for waiting in waiting where waiting.deadline <= now { actions.append(.end(waiting.key, .expired)) }
        waiting.removeAll { $0.deadline <= now }
        // In order of age, not of a dictionary, so that a run can be repeated.
        for key in running.keys.sorted() {
            guard let run = running[key] else { continue }
            if let stopBy = run.stopBy {
                if stopBy <= now { overrun(run.worker, at: now) }
            } else if deadline(of: run) <= now {
                stop(key, .timedOut, at: now)
            }
        }
        for id in workers.keys.sorted() {
            guard let worker = workers[id] else { continue }
            let age = now - worker.since
            switch worker.phase {
            case .starting where age >= PoolMachine.startMax:
                crashes.crashed(at: now)
                kill(id, why: "it was not ready within \(PoolMachine.startMax)")
            case .condemned where age >= limits.grace:
                kill(id, why: "an invocation passed its time limit")
            case .retiring where age >= PoolMachine.leaveMax:
                kill(id, why: "it did not leave when asked")
            case .starting, .serving, .condemned, .retiring, .killed:
                break
            }
        }
        retireIdle(now)
    }

    private mutating func retireIdle(_ now: Monotonic) {
        for id in idle where workers.values.count(where: { $0.phase == .serving }) > scale.min {
            guard let worker = workers[id], worker.running.isEmpty, now - worker.since >= scale.idle else {
                continue
            }
            retire(id, at: now)
        }
        idle.removeAll { workers[$0]?.phase != .serving }
    }
}
