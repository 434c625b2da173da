import FunctionCore
import Invocations

/// Decides for one function's workers: when to start one, which takes what, who waits, and what becomes of
/// everything when a worker or its time ends.
///
/// A value: facts in, actions out; the shell (`FunctionPool`) performs them on one event loop.
///
/// A worker:      starting ──ready──▶ serving ──idle──▶ retiring ──▶ gone
///                    │                  └──a time limit passed──▶ condemned ──grace──▶ gone
///                    └──exit──▶ gone (a crash unless it was asked for)
/// An invocation: waiting ──▶ running ──▶ ended, once; back to waiting when its worker dies before it has
///                begun, or, of an idempotent function, once when it had.
package struct PoolMachine: Sendable {
    package typealias WorkerID = Int
    package typealias InvocationKey = UInt32

    /// What the shell is to do.
    package enum Action: Sendable, Equatable {
        case spawn(WorkerID)
        case send(InvocationKey, WorkerID, attempt: Int)
        case cancel(InvocationKey, WorkerID)
        /// Asks a worker without work to leave; it has `grace` before it is killed.
        case retire(WorkerID)
        case kill(WorkerID, why: String)
        case end(InvocationKey, End)
    }

    /// The ends that the machine decides; a reply's own end passes through the shell.
    package enum End: Sendable, Equatable {
        case timedOut, cancelled, expired
        case workerLost(String)
        case shed(Outcome.ShedReason, retryAfter: Duration)
    }

    enum Phase: Sendable { case starting, serving, condemned, retiring, killed }

    struct Worker: Sendable {
        var phase = Phase.starting
        var running: Set<InvocationKey> = []
        /// Since when it has been starting, idle, condemned or retiring.
        var since: Monotonic
    }

    struct Waiting: Sendable {
        var key: InvocationKey
        var deadline: Monotonic
        var timeout: Duration
        var attempt: Int
    }

    struct Running: Sendable {
        var worker: WorkerID
        var timeout: Duration
        var attempt: Int
        var started: Monotonic
        var replyBegan: Monotonic?
        /// The caller has its answer, but the worker is still at it; it has until then.
        var stopBy: Monotonic?
        var answered: Bool { stopBy != nil }
    }

    let limits: Manifest.Limits
    /// How many workers; of a pool that is superseded, none beyond what its invocations need.
    var scale: Manifest.Scale
    let idempotent: Bool

    var workers: [WorkerID: Worker] = [:]
    /// Idle workers, the one used last at the end: it is used first, so that the others' idleness adds up.
    var idle: [WorkerID] = []
    var waiting: [Waiting] = []
    var running: [InvocationKey: Running] = [:]
    var nextWorker = 0
    var crashes = CrashBudget()
    var draining = false
    var actions: [Action] = []

    package init(_ manifest: Manifest) {
        limits = manifest.limits
        scale = manifest.scale
        idempotent = manifest.idempotent
    }

    /// How long a worker may take to say that it is ready.
    static let startMax = Duration.seconds(10)
    /// How long a retired worker may take to leave.
    static let leaveMax = Duration.seconds(2)

    // MARK: Facts

    /// The host has started: brings up `min` workers.
    package mutating func started(at now: Monotonic) -> [Action] {
        step(now) { _ in }
    }

    /// Somebody wants the function to run.
    package mutating func arrived(_ key: InvocationKey, timeout: Duration?, at now: Monotonic) -> [Action] {
        step(now) { machine in
            if machine.draining { return machine.shed(key, .draining, retryAfter: .seconds(1)) }
            if let wait = machine.crashes.closedFor(at: now) {
                return machine.shed(key, .crashLoop, retryAfter: wait)
            }
            if machine.waiting.count >= machine.limits.queue, !machine.hasRoomAtOnce {
                return machine.shed(key, .overloaded, retryAfter: .seconds(1))
            }
            let timeout = min(timeout ?? machine.limits.timeout, machine.limits.timeout)
            machine.waiting.append(Waiting(key: key, deadline: now + timeout, timeout: timeout, attempt: 1))
        }
    }

    /// A worker has made its handler.
    package mutating func becameReady(_ id: WorkerID, at now: Monotonic) -> [Action] {
        step(now) { machine in
            guard machine.workers[id]?.phase == .starting else { return }
            machine.workers[id]?.phase = .serving
            machine.workers[id]?.since = now
            machine.idle.append(id)
        }
    }

    /// The first byte of a reply, or a further piece of it, has come.
    package mutating func replied(_ key: InvocationKey, at now: Monotonic) {
        running[key]?.replyBegan = now
    }

    /// A worker is done with an invocation, whether or not its caller still listens.
    package mutating func finished(_ key: InvocationKey, at now: Monotonic) -> [Action] {
        step(now) { machine in
            guard let run = machine.running.removeValue(forKey: key) else { return }
            machine.crashes.served()
            machine.release(run.worker, of: key, at: now)
        }
    }

    /// The caller has gone, or asks to stop.
    package mutating func cancelled(_ key: InvocationKey, at now: Monotonic) -> [Action] {
        step(now) { machine in
            if let index = machine.waiting.firstIndex(where: { $0.key == key }) {
                machine.waiting.remove(at: index)
                machine.actions.append(.end(key, .cancelled))
            } else {
                machine.stop(key, .cancelled, at: now)
                // A caller that leaves is no fault of the worker's: it is condemned only if it does not stop
                // in time.
            }
        }
    }

    /// A worker's process is gone.
    ///
    /// `begun` are the invocations that it had begun; the rest were only on their way.
    package mutating func exited(
        _ id: WorkerID,
        reason: String,
        begun: Set<InvocationKey>,
        at now: Monotonic
    ) -> [Action] {
        step(now) { machine in
            guard let worker = machine.workers.removeValue(forKey: id) else { return }
            machine.idle.removeAll { $0 == id }
            if worker.phase == .starting || worker.phase == .serving { machine.crashes.crashed(at: now) }
            // The last first: each goes back to the head of the queue.
            for key in worker.running.sorted().reversed() {
                machine.lost(key, reason: reason, begun: begun.contains(key), at: now)
            }
            if let wait = machine.crashes.closedFor(at: now) {
                for waiting in machine.waiting { machine.shed(waiting.key, .crashLoop, retryAfter: wait) }
                machine.waiting = []
            }
        }
    }

    /// Time has passed.
    package mutating func ticked(at now: Monotonic) -> [Action] {
        step(now) { $0.enforceTimes(now) }
    }

    /// The host is stopping: what waits is shed, idle workers leave, what runs may end.
    package mutating func drain(at now: Monotonic) -> [Action] {
        step(now) { machine in
            machine.draining = true
            for waiting in machine.waiting { machine.shed(waiting.key, .draining, retryAfter: .seconds(1)) }
            machine.waiting = []
            // A worker with room for more is in `idle` as well, yet what it runs may end first; `release`
            // retires it then.
            for id in machine.idle where machine.workers[id]?.running.isEmpty == true {
                machine.retire(id, at: now)
            }
            machine.idle = []
            for id in machine.workers.keys.sorted() where machine.workers[id]?.phase == .starting {
                machine.kill(id, why: "the host is stopping")
            }
        }
    }

    /// Ends what still runs: the host's own grace is over.
    package mutating func abandon(at now: Monotonic) -> [Action] {
        step(now) { machine in
            for id in machine.workers.keys.sorted() { machine.kill(id, why: "the host is stopping") }
        }
    }

    // MARK: What a shell and a reader of metrics may ask

    /// When `ticked` is due next; nil where nothing waits for time.
    package var nextTick: Monotonic? {
        var next: Monotonic?
        func consider(_ time: Monotonic) { next = min(next ?? time, time) }
        for waiting in waiting { consider(waiting.deadline) }
        for (_, run) in running {
            // On a worker that is condemned or killed only its own end is waited for; a moment that has
            // passed would have the timer go round and round until then.
            if let stopBy = run.stopBy {
                if workers[run.worker]?.phase == .serving { consider(stopBy) }
            } else {
                consider(deadline(of: run))
            }
        }
        if !draining, workers.count < scale.min, let reopens = crashes.until { consider(reopens) }
        let spare = workers.values.count { $0.phase == .serving } > scale.min
        for (_, worker) in workers {
            switch worker.phase {
            case .starting: consider(worker.since + PoolMachine.startMax)
            case .serving where worker.running.isEmpty && spare: consider(worker.since + scale.idle)
            case .condemned: consider(worker.since + limits.grace)
            case .retiring: consider(worker.since + PoolMachine.leaveMax)
            case .serving, .killed: break
            }
        }
        return next
    }

    /// Whether a worker was asked to leave, or is being killed.
    package func isLeaving(_ id: WorkerID) -> Bool {
        guard let phase = workers[id]?.phase else { return true }
        return phase == .retiring || phase == .killed || phase == .condemned
    }

    package var workerCount: Int { workers.count }
    package var idleCount: Int { workers.values.count { $0.phase == .serving && $0.running.isEmpty } }
    package var waitingCount: Int { waiting.count }
    package var runningCount: Int { running.values.count { !$0.answered } }
    package var isEmpty: Bool { workers.isEmpty && waiting.isEmpty && running.isEmpty }
}
