import FunctionCore
import Invocations
import NIOCore

/// How the pool's machine reaches its decisions.
extension PoolMachine {
    /// Takes in a fact, then brings the pool in line with it: whoever can be served is served, workers come
    /// and go.
    mutating func step(_ now: Monotonic, _ fact: (inout PoolMachine) -> Void) -> [Action] {
        recount = true
        return quickStep(now, fact)
    }

    /// The same for a fact that changes what is in flight and no more, unless it sets `recount`.
    mutating func quickStep(_ now: Monotonic, _ fact: (inout PoolMachine) -> Void) -> [Action] {
        actions.removeAll(keepingCapacity: true)
        fact(&self)
        // A pending worker may be wanted no longer.
        if pendingCount > 0 { recount = true }
        if !waiting.isEmpty { serve(at: now) }
        while recount || !waiting.isEmpty, callBack() { serve(at: now) }
        if recount || !waiting.isEmpty { grow(at: now) }
        if recount {
            settleLeases()
            alarm = nextTick
            recount = false
        }
        return actions
    }

    /// Gives what waits to workers that have room.
    private mutating func serve(at now: Monotonic) {
        while let next = waiting.first, unanswered < limits.maxInFlight,
            let index = chosen(for: next.lease, at: now)
        {
            // Last: whoever is refused here is told when there is room again.
            if let share, !share.take() { return hold() }
            waiting.removeFirst()
            let id = idle[index]
            let run = Running(
                worker: id,
                timeout: next.timeout,
                attempt: next.attempt,
                lease: next.lease,
                started: now
            )
            running[next.key] = run
            unanswered += 1
            wake(by: deadline(of: run))
            let isFull = occupy(id, at: now)
            if isFull { idle.remove(at: index) }
            actions.append(.send(next.key, id, attempt: next.attempt))
        }
    }

    /// The host runs as much as it may: what came in for a worker that has room waits, if there is room for it.
    private mutating func hold() {
        isHeld = true
        while waiting.count > limits.queue, let last = waiting.popLast() {
            shed(last.key, .hostOverloaded, retryAfter: .seconds(1))
        }
    }

    /// A worker has one invocation more; true when it has room for no other.
    private mutating func occupy(_ id: WorkerID, at now: Monotonic) -> Bool {
        guard var worker = workers[id] else { return true }
        worker.inFlight += 1
        if worker.inFlight == 1 {
            worker.moved = now
            worker.recalled = false
        } else if worker.serial {
            wake(by: worker.moved + Pace.aheadMax)
        }
        workers[id] = worker
        return worker.inFlight >= limits.perWorker
    }

    /// Whether something that arrives now needs no place in the queue: a worker has room, or one is started
    /// for it.
    func hasRoomAtOnce(_ now: Monotonic) -> Bool {
        waiting.isEmpty && !isHeld && unanswered < limits.maxInFlight
            && (chosen(at: now) != nil || workers.count < scale.max || !recallable.isEmpty)
    }

    mutating func shed(_ key: InvocationKey, _ reason: Outcome.ShedReason, retryAfter: Duration) {
        actions.append(.end(key, .shed(reason, retryAfter: retryAfter)))
    }

    /// One invocation less is in flight, whether its worker has ended it or its caller has its answer.
    mutating func settled() {
        unanswered -= 1
        share?.giveBack()
    }

    /// Takes an invocation out of those that run.
    mutating func remove(_ key: InvocationKey) -> Running? {
        guard let run = running.removeValue(forKey: key) else { return nil }
        if !run.answered { settled() }
        return run
    }

    /// What a worker has, in the order of arrival.
    func keys(on id: WorkerID) -> [InvocationKey] {
        running.keys.filter { running[$0]?.worker == id }.sorted()
    }

    /// A worker has one invocation less.
    mutating func release(_ id: WorkerID, of key: InvocationKey, at now: Monotonic) {
        guard var worker = workers[id] else { return }
        worker.inFlight -= 1
        let isEmpty = worker.inFlight == 0
        if isEmpty { worker.since = worker.phase == .serving ? now : worker.since }
        workers[id] = worker
        switch worker.phase {
        case .serving where isEmpty && (worker.emptying || (draining && isSpare(id, worker))):
            idle.removeAll { $0 == id }
            retire(id, at: now)
        case .serving where worker.emptying:
            break
        case .serving:
            // Used last, so at the end; a worker that goes on with others keeps its place.
            if isEmpty, idle.last != id { idle.removeAll { $0 == id } }
            if !idle.contains(id) { idle.append(id) }
            if isEmpty { wake(by: now + scale.idle) }
        case .condemned where isEmpty:
            kill(id, why: "an invocation passed its time limit")
        case .pending, .starting, .condemned, .retiring, .killed:
            break
        }
    }

    mutating func retire(_ id: WorkerID, at now: Monotonic) {
        recount = true
        workers[id]?.phase = .retiring
        workers[id]?.since = now
        actions.append(.retire(id))
    }

    mutating func kill(_ id: WorkerID, why: String) {
        guard let phase = workers[id]?.phase, phase != .killed else { return }
        recount = true
        if phase == .pending { return giveUp(id) }
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
        settled()
        actions.append(.end(key, end))
        actions.append(.cancel(key, run.worker))
        if end == .timedOut { condemn(run.worker, at: now) }
    }

    /// A worker takes nothing new; what it runs has the grace left.
    private mutating func condemn(_ id: WorkerID, at now: Monotonic) {
        guard workers[id]?.phase == .serving else { return }
        recount = true
        workers[id]?.phase = .condemned
        workers[id]?.since = now
        idle.removeAll { $0 == id }
    }

    /// A worker did not stop what it was asked to stop.
    ///
    /// Where nobody waits for anything else of it, it goes at once.
    mutating func overrun(_ id: WorkerID, at now: Monotonic) {
        condemn(id, at: now)
        let awaited = running.values.contains { $0.worker == id && !$0.answered }
        if !awaited { kill(id, why: "an invocation did not stop when asked") }
    }

    /// An invocation whose worker died.
    mutating func lost(_ key: InvocationKey, _ end: End, begun: Bool, at now: Monotonic) {
        guard let run = remove(key), !run.answered else { return }
        let again = run.replyBegan == nil && (!begun || (idempotent && run.attempt == 1))
        guard again, !draining else {
            actions.append(.end(key, end))
            return
        }
        requeue(key, run, attempt: begun ? run.attempt + 1 : run.attempt)
    }

    /// Back to the head of the queue, with its first deadline.
    mutating func requeue(_ key: InvocationKey, _ run: Running, attempt: Int) {
        let deadline = run.started + run.timeout
        waiting.prepend(
            Waiting(key: key, deadline: deadline, timeout: run.timeout, attempt: attempt, lease: run.lease)
        )
    }
}
