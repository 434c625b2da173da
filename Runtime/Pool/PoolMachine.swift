import FunctionCore
import Invocations
import NIOCore

/// Decides for one function's workers: when to start one, which takes what, who waits, and what becomes of
/// everything when a worker or its time ends.
///
/// A value: facts in, actions out; the shell (`FunctionPool`) performs them on one event loop.
///
/// A worker:      pending ──granted──▶ starting ──ready──▶ serving ──idle──▶ retiring ──▶ gone
///                    │                   │                  └──a time limit passed──▶ condemned ──grace──▶ gone
///                    └──given up         └──exit──▶ gone (a crash unless it was asked for)
/// An invocation: waiting ──▶ running ──▶ ended, once; back to waiting when its worker dies before it has
///                begun, or, of an idempotent function, once when it had; back to waiting as well when it
///                was taken back from behind a slow one.
///
/// An arrival and an end cost the same whatever is in flight: they touch what they concern, and lower the
/// moment of the next tick. Everything else, which is rare, counts anew.
package struct PoolMachine: Sendable {
    package typealias WorkerID = Int
    package typealias InvocationKey = UInt32

    /// What the shell is to do.
    package enum Action: Sendable, Equatable {
        case spawn(WorkerID)
        /// Asks the host's ledger for what a worker takes; `granted` answers. Urgent where somebody waits.
        case reserve(WorkerID, urgent: Bool)
        /// A worker that was asked for is not wanted any more.
        case giveUp(WorkerID)
        case send(InvocationKey, WorkerID, attempt: Int)
        case cancel(InvocationKey, WorkerID)
        /// Takes back from a worker what of these it has not begun; `withdrawn` follows for them.
        case recall([InvocationKey], WorkerID)
        /// Asks a worker without work to leave; it has `grace` before it is killed.
        case retire(WorkerID)
        case kill(WorkerID, why: String)
        case end(InvocationKey, End)
    }

    /// The ends that the machine decides; a reply's own end passes through the shell.
    package enum End: Sendable, Equatable {
        case timedOut, cancelled, expired
        case workerLost(String)
        case outOfMemory(String)
        case shed(Outcome.ShedReason, retryAfter: Duration)
    }

    enum Phase: Sendable { case pending, starting, serving, condemned, retiring, killed }

    struct Worker: Sendable {
        var phase = Phase.starting
        /// Runs one invocation after the other, so that each waits for those before it.
        var serial = false
        /// How many invocations it has, answered ones as well.
        var inFlight = 0
        /// Since when it has been starting, idle, condemned or retiring.
        var since: Monotonic
        /// When it last ended an invocation, or got one with nothing before it.
        var moved: Monotonic
        /// What is behind its slow invocation has been asked back.
        var recalled = false
        /// When it was started.
        var born: Monotonic
        /// Of one that is pending: whether somebody waits for it.
        var urgent = false
        /// Takes nothing new, and leaves when it has nothing left, unless it is called back.
        var emptying = false

        init(_ phase: Phase, at now: Monotonic) {
            self.phase = phase
            since = now
            moved = now
            born = now
        }
    }

    struct Waiting: Sendable {
        var key: InvocationKey
        var deadline: Monotonic
        /// The deadline is that of the queue, not of the invocation.
        var isQueueTime = false
        var timeout: Duration
        var attempt: Int
        var lease = LeaseTable.none
    }

    struct Running: Sendable {
        var worker: WorkerID
        var timeout: Duration
        var attempt: Int
        var lease = LeaseTable.none
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

    var workers = KeyTable<WorkerID, Worker>()
    /// Workers with room, the one used last at the end.
    var idle: [WorkerID] = []
    var waiting = CircularBuffer<Waiting>()
    var running = KeyTable<InvocationKey, Running>()
    /// How many of `running` are not answered.
    var unanswered = 0
    /// Its part of what may be in flight on the host; nil where the host has no bound.
    var share: (any FunctionShare)?
    /// The share had nothing left when it was last asked.
    var isHeld = false
    /// What an invocation takes of a serial worker's time, by experience.
    var pace = Pace()
    var nextWorker = 0
    var crashes = CrashBudget()
    var leases: LeaseTable
    var draining = false
    var actions: [Action] = []
    /// No later than the next moment at which something is due; nil where nothing is.
    var alarm: Monotonic?
    /// More has changed than what is in flight: the workers and the alarm are counted anew at the step's end.
    var recount = true
    /// How far a worker that runs invocations side by side is filled before the next is used.
    let fill: Int
    /// How long a worker may take to say that it is ready.
    let startLimit: Duration
    /// Whether a worker is started only when the host's ledger has granted it.
    let asksForCapacity: Bool
    /// Workers that wait for room on the host.
    package internal(set) var pendingCount = 0
    /// How many workers the policy wants, and how many are to be there before anything arrives.
    var wanted = 0
    var warming = 0
    /// How many are kept for a window that opens soon.
    var kept = 0
    /// How many have arrived, and for how long workers that are gone have lived.
    package private(set) var arrivals = 0
    var lived = Duration.zero

    package init(_ manifest: Manifest, asksForCapacity: Bool = false) {
        self.asksForCapacity = asksForCapacity
        fill = PoolMachine.fill(manifest)
        leases = LeaseTable(target: manifest.scale.target[.connections])
        limits = manifest.limits
        // A foreign runtime's adapter counts its first ten seconds itself.
        startLimit = PoolMachine.startMax + (manifest.foreign == nil ? .zero : .seconds(5))
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

    /// Somebody wants the function to run; with a `lease` it is a connected client.
    package mutating func arrived(
        _ key: InvocationKey,
        timeout: Duration?,
        lease: UInt32 = LeaseTable.none,
        at now: Monotonic
    ) -> [Action] {
        arrivals &+= 1
        return quickStep(now) { machine in
            // A client that is connected still has its leave to take.
            if machine.draining, machine.leases.holder(of: lease) == nil {
                return machine.shed(key, .draining, retryAfter: .seconds(1))
            }
            if let wait = machine.crashes.closedFor(at: now) {
                return machine.shed(key, .crashLoop, retryAfter: wait)
            }
            if machine.waiting.count >= machine.limits.queue, !machine.hasRoomAtOnce(now) {
                let why = machine.isHeld ? Outcome.ShedReason.hostOverloaded : .overloaded
                return machine.shed(key, why, retryAfter: .seconds(1))
            }
            let timeout = min(timeout ?? machine.limits.timeout, machine.limits.timeout)
            let wait = machine.limits.queueWait ?? timeout
            let deadline = now + min(wait, timeout)
            machine.waiting.append(
                Waiting(
                    key: key,
                    deadline: deadline,
                    isQueueTime: wait < timeout,
                    timeout: timeout,
                    attempt: 1,
                    lease: lease
                )
            )
            machine.wake(by: deadline)
        }
    }

    /// A worker has made its handler.
    ///
    /// A `serial` one runs invocations one after the other.
    package mutating func becameReady(
        _ id: WorkerID,
        serial: Bool = false,
        at now: Monotonic
    ) -> [Action] {
        step(now) { machine in
            guard machine.workers[id]?.phase == .starting else { return }
            machine.workers[id]?.phase = .serving
            machine.workers[id]?.serial = serial
            machine.workers[id]?.since = now
            machine.idle.append(id)
            if machine.servingCount >= machine.warming { machine.warming = 0 }
        }
    }

    /// The first byte of a reply, or a further piece of it, has come.
    package mutating func replied(_ key: InvocationKey, at now: Monotonic) {
        running[key]?.replyBegan = now
        if let idle = limits.idle { wake(by: now + idle) }
    }

    /// A worker is done with an invocation, whether or not its caller still listens.
    ///
    /// `served` unless the worker has told no more than why it could not start.
    package mutating func finished(
        _ key: InvocationKey,
        served: Bool = true,
        at now: Monotonic
    ) -> [Action] {
        quickStep(now) { machine in
            guard let run = machine.remove(key) else { return }
            if served { machine.crashes.served() }
            machine.progressed(run, at: now)
            machine.release(run.worker, of: key, at: now)
        }
    }

    /// Invocations have been taken back from a worker that had not begun them, and never will.
    ///
    /// From here on each goes by another key: the worker may still say something of the old one.
    package mutating func withdrawn(
        _ taken: [(key: InvocationKey, newKey: InvocationKey)],
        at now: Monotonic
    ) -> [Action] {
        step(now) { machine in
            // The last first: each goes back to the head of the queue.
            for (key, newKey) in taken.reversed() {
                guard let run = machine.remove(key) else { continue }
                machine.release(run.worker, of: key, at: now)
                if !run.answered { machine.requeue(newKey, run, attempt: run.attempt) }
            }
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
        outOfMemory: Bool = false,
        begun: Set<InvocationKey>,
        at now: Monotonic
    ) -> [Action] {
        step(now) { machine in
            guard let worker = machine.workers.removeValue(forKey: id) else { return }
            machine.idle.removeAll { $0 == id }
            machine.lived += now - worker.born
            if worker.phase == .starting || worker.phase == .serving { machine.crashes.crashed(at: now) }
            // The last first: each goes back to the head of the queue.
            let end = outOfMemory ? End.outOfMemory(reason) : .workerLost(reason)
            for key in machine.keys(on: id).reversed() {
                machine.lost(key, end, begun: begun.contains(key), at: now)
            }
            if let wait = machine.crashes.closedFor(at: now) {
                for waiting in machine.waiting { machine.shed(waiting.key, .crashLoop, retryAfter: wait) }
                machine.waiting.removeAll()
            }
        }
    }

    /// Time has passed.
    package mutating func ticked(at now: Monotonic) -> [Action] {
        step(now) { $0.enforceTimes(now) }
    }

    /// The host is stopping: what waits is shed, idle workers without clients leave, what runs may end.
    package mutating func drain(at now: Monotonic) -> [Action] {
        step(now) { machine in
            machine.draining = true
            for waiting in machine.waiting { machine.shed(waiting.key, .draining, retryAfter: .seconds(1)) }
            machine.waiting.removeAll()
            // A worker with room for more is in `idle` as well, yet what it runs may end first; `release`
            // retires it then.
            for id in machine.idle where machine.workers[id].map({ machine.isSpare(id, $0) }) == true {
                machine.retire(id, at: now)
            }
            machine.idle.removeAll { machine.leases.count(on: $0) == 0 }
            for id in machine.workers.keys.sorted() where machine.workers[id]?.phase == .starting {
                machine.kill(id, why: "the host is stopping")
            }
        }
    }

    /// Ends what still runs, whose callers are told to come again: the host's own grace is over.
    package mutating func abandon(at now: Monotonic) -> [Action] {
        step(now) { machine in
            for key in machine.running.keys.sorted() where machine.running[key]?.answered == false {
                machine.running[key]?.stopBy = now
                machine.settled()
                machine.shed(key, .draining, retryAfter: .seconds(1))
            }
            for id in machine.workers.keys.sorted() { machine.kill(id, why: "the host is stopping") }
        }
    }

    // MARK: What a shell and a reader of metrics may ask

    /// Whether a worker was asked to leave, or is being killed.
    package func isLeaving(_ id: WorkerID) -> Bool {
        guard let phase = workers[id]?.phase else { return true }
        return phase == .retiring || phase == .killed || phase == .condemned
    }

    /// Whether a worker has an invocation whose caller has not heard its end.
    package func isAwaited(_ key: InvocationKey) -> Bool { running[key]?.answered == false }

    package var workerCount: Int { workers.count - pendingCount }
    package var idleCount: Int { workers.values.count { $0.phase == .serving && $0.inFlight == 0 } }
    package var waitingCount: Int { waiting.count }
    package var runningCount: Int { unanswered }
    package var isEmpty: Bool { workers.isEmpty && waiting.isEmpty && running.isEmpty }
}
