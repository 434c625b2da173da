import FunctionCore
import Invocations
import NIOCore
import Recordings
import Scaling
import Wire

/// The shell of one function's pool: performs what `PoolMachine` decides, on the function's home loop.
// SAFETY: all state is touched on `loop` only; `dispatch` and tickets hop there.
package final class FunctionPool: @unchecked Sendable {
    package let manifest: Manifest
    package let loop: any EventLoop
    let program: WorkerProgram
    let bindings: BindingHost
    let clock: @Sendable () -> ClockReading
    let capacity: HostCapacity?
    let report: @Sendable (PoolReport) -> Void

    var machine: PoolMachine
    var links: [PoolMachine.WorkerID: WorkerLink] = [:]
    /// Workers that have served nothing yet: what they serve first is a cold start.
    var fresh: Set<PoolMachine.WorkerID> = []
    var startFailures: [PoolMachine.WorkerID: String] = [:]
    /// What has arrived and whose caller has not heard its end.
    var tickets = KeyTable<UInt32, PoolTicket>()
    var calls = CallRegister()
    private var nextKey: UInt32 = 0
    /// The lease of each WebSocket connection.
    var leases: [String: UInt32] = [:]
    var nextLease: UInt32 = 0
    private var timer: Scheduled<Void>?
    private var timerDue: Monotonic?
    var emptied: [EventLoopPromise<Void>] = []
    /// Who takes what still arrives here, once another pool has taken this one's place.
    var successor: (any Dispatching)?
    var warming: Warming?
    /// Actions decided and not yet performed, and whether a call further up performs them.
    private var due: [PoolMachine.Action] = []
    private var performing = false
    /// The pool's number in the host's ledger, what it has told of, and whether its wait has been reported.
    private(set) var seat = 0
    var offered: [PoolMachine.WorkerID: Monotonic] = [:]
    var lacksRoom = false
    var scaler: PoolScaler?
    /// Where several events make one invocation.
    private var batcher: Batcher?
    let recording: RecordingRule
    /// Of which each invocation's own is the next: no call of the system for each.
    let seeds = InvocationRandom(seed: .random(in: 0 ... .max))

    package init(
        manifest: Manifest,
        program: WorkerProgram,
        bindings: BindingHost,
        loop: any EventLoop,
        clock: @escaping @Sendable () -> ClockReading,
        capacity: HostCapacity? = nil,
        shares: InFlightShares? = nil,
        recording: RecordingRule = .off,
        report: @escaping @Sendable (PoolReport) -> Void
    ) {
        self.manifest = manifest
        self.program = program
        self.bindings = bindings
        self.loop = loop
        self.clock = clock
        self.report = report
        self.capacity = capacity
        self.recording = recording
        self.machine = PoolMachine(manifest, asksForCapacity: capacity != nil)
        self.scaler = manifest.scale.target.isEmpty ? nil : PoolScaler(manifest.scale, at: .now)
        self.seat = capacity?.join(self) ?? 0
        let name = manifest.name
        machine.share = shares.map { shares in
            PoolShare(shares, name) { [weak self] in self?.lookAgain() }
        }
        batcher = manifest.batch.map { batch in
            Batcher(batch, of: manifest, on: loop)
        }
    }

    // MARK: For the host

    /// Brings up the workers that are always to be there.
    package func start() {
        loop.execute { self.perform(self.machine.started(at: .now)) }
    }

    /// Starts an invocation.
    ///
    /// Threading: any.
    package func dispatch(_ invocation: consuming Invocation, to sink: any ReplySink) -> any Dispatched {
        // A recorded batch is one already.
        if let batcher, invocation.event.connection == nil, invocation.event.kind != .batch {
            // The pool stays as long as one of its events waits.
            return batcher.dispatch(invocation, to: sink) { self.dispatchAlone($0, to: $1) }
        }
        return dispatchAlone(invocation, to: sink)
    }

    private func dispatchAlone(_ invocation: consuming Invocation, to sink: any ReplySink) -> any Dispatched {
        let ticket = PoolTicket(invocation, to: sink, of: self)
        if loop.inEventLoop { arrive(ticket) } else { loop.execute { self.arrive(ticket) } }
        return ticket
    }

    /// Lets what runs end, for `grace` at most, then kills; done when no worker is left.
    package func drain(grace: Duration) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        loop.execute {
            self.emptied.append(promise)
            self.perform(self.machine.drain(at: .now))
            self.loop.scheduleTask(in: .nanoseconds(grace.nanoseconds)) {
                self.perform(self.machine.abandon(at: .now))
            }
            self.settle()
        }
        return promise.futureResult
    }

    /// There may be room on the host for what waits here.
    private func lookAgain() {
        loop.execute { self.perform(self.machine.shareChanged(at: .now)) }
    }

    /// The wall clock has been set; workers see it at once.
    package func clockChanged() {
        loop.execute {
            let reading = self.clock()
            for link in self.links.values {
                link.page.setClock(wall: reading.wall, monotonic: reading.monotonic, speed: reading.speed)
            }
        }
    }

    /// How the pool stands.
    package func status() -> EventLoopFuture<PoolStatus> {
        loop.submit {
            PoolStatus(
                workers: self.machine.workerCount,
                idle: self.machine.idleCount,
                running: self.machine.runningCount,
                waiting: self.machine.waitingCount,
                connections: self.machine.connectionCount,
                pending: self.machine.pendingCount,
                workerTime: self.machine.workerTime(at: .now),
                wanted: self.scaler?.decision?.wanted,
                why: self.scaler?.decision?.text,
                pids: self.links.values.map(\.pid).filter { $0 > 0 }.sorted()
            )
        }
    }

    /// What the scaler has seen of late, as a trace that can be replayed; nil without a target.
    package func trace() -> EventLoopFuture<ScaleTrace?> {
        loop.submit { self.scaler.map { ScaleTrace($0.recent) } }
    }

    // MARK: Facts in

    private func arrive(_ ticket: PoolTicket) {
        if let successor {
            ticket.onward = successor.dispatch(ticket.invocation, to: ticket.sink)
            return
        }
        ticket.arrived = .now
        let key = enter(ticket)
        let (timeout, lease) = (ticket.invocation.timeout, lease(of: ticket.invocation.event.connection))
        perform(machine.arrived(key, timeout: timeout, lease: lease, at: ticket.arrived))
    }

    /// Gives an invocation a frame id.
    private func enter(_ ticket: PoolTicket) -> UInt32 {
        repeat {
            nextKey = nextKey == Frame.callBit - 1 ? 1 : nextKey + 1
        } while tickets.contains(nextKey)
        ticket.key = nextKey
        tickets[nextKey] = ticket
        return nextKey
    }

    func grant(_ ticket: PoolTicket, _ bytes: Int) {
        guard bytes > 0, let worker = ticket.worker, tickets.contains(ticket.key) else { return }
        ticket.credit += bytes
        if ticket.left != nil { return deliver(ticket) }
        links[worker]?.send {
            $0.frame(.credit, id: ticket.key) { $0.integer(UInt32(clamping: bytes)) }
        }
    }

    func cancel(_ key: UInt32) {
        perform(machine.cancelled(key, at: .now))
    }

    // MARK: Actions out

    /// Performs actions in the order of the decisions.
    ///
    /// A sink that hears its end may dispatch or cancel at once, in the midst of this: what follows from that
    /// waits its turn, or a `cancel` would overtake the `send` before it.
    func perform(_ actions: [PoolMachine.Action]) {
        guard !performing else {
            due += actions
            return
        }
        performing = true
        for action in actions { perform(action) }
        var index = 0
        while index < due.count {
            perform(due[index])
            index += 1
        }
        if index > 0 { due.removeAll(keepingCapacity: index <= 1024) }
        performing = false
        settle()
    }

    private func perform(_ action: PoolMachine.Action) {
        switch action {
        case .spawn(let id): spawn(id)
        case .reserve(let id, let urgent): reserve(id, urgent: urgent)
        case .giveUp(let id): freeRoom(id)
        case .send(let key, let id, let attempt): send(key, to: id, attempt: attempt)
        case .cancel(let key, let id): cancel(key, on: id)
        case .recall(let keys, let id): recall(keys, from: id)
        case .retire(let id): links[id]?.send { $0.frame(.drain) }
        case .kill(let id, let why): links[id]?.kill(why)
        case .end(let key, let end): finish(key, end.outcome)
        }
    }

    private func cancel(_ key: UInt32, on id: PoolMachine.WorkerID) {
        guard let link = links[id] else { return }
        calls.cancelAll(of: key)
        if link.takeBack(key) {
            perform(machine.withdrawn([(key, key)], at: .now))
        } else {
            link.send { $0.frame(.cancel, id: key) }
        }
    }

    /// What is taken back goes on under another frame id: the worker will still say that it left out the old
    /// one.
    private func recall(_ keys: [UInt32], from id: PoolMachine.WorkerID) {
        guard let link = links[id] else { return }
        var taken: [(key: UInt32, newKey: UInt32)] = []
        // One that was cancelled since is taken back by what follows from that.
        for key in keys where machine.isAwaited(key) && link.takeBack(key) {
            guard let ticket = tickets.removeValue(forKey: key) else { continue }
            ticket.worker = nil
            ticket.started = nil
            taken.append((key, enter(ticket)))
        }
        if !taken.isEmpty { perform(machine.withdrawn(taken, at: .now)) }
    }

    /// Sets the timer for the machine's next moment and tells whoever waits for the last worker.
    func settle() {
        if machine.isEmpty, !emptied.isEmpty {
            let emptied = self.emptied
            self.emptied = []
            emptied.forEach { $0.succeed() }
        }
        checkWarming()
        offerRoomIfPressed()
        wakeScaler()
        guard let next = machine.alarm else { return }
        if let due = timerDue, due <= next { return }
        timer?.cancel()
        timerDue = next
        let wait = max(0, (next - Monotonic.now).nanoseconds) + 100_000
        timer = loop.scheduleTask(in: .nanoseconds(wait)) {
            self.timerDue = nil
            self.perform(self.machine.ticked(at: .now))
        }
    }

    private func spawn(_ id: PoolMachine.WorkerID) {
        do {
            let link = try WorkerLink(id: id, loop: loop, owner: self, clock: clock())
            links[id] = link
            fresh.insert(id)
            link.start(program, manifest)
        } catch {
            report(.spawnFailed(function: manifest.name, reason: "\(error)"))
            freeRoom(id)
            loop.execute { self.perform(self.machine.exited(id, reason: "\(error)", begun: [], at: .now)) }
        }
    }

    private func send(_ key: UInt32, to id: PoolMachine.WorkerID, attempt: Int) {
        guard let ticket = tickets[key], let link = links[id] else { return }
        ticket.started = .now
        ticket.worker = id
        ticket.pid = link.pid
        ticket.credit = initialCredit
        ticket.cold = !fresh.isEmpty && fresh.remove(id) != nil
        if ticket.cold { ticket.startup = link.startup }
        if let adapter = program.adapter { tellOpening(of: ticket, adapter, link) }
        // Read where it lies: a copy would count a reference for each of its texts.
        let timeout = min(ticket.invocation.timeout ?? manifest.limits.timeout, manifest.limits.timeout)
        let attempt = ticket.invocation.attempt + attempt - 1
        let replay = ticket.invocation.trial?.replay
        let seed = replay?.recording.seedValue ?? seeds.next()
        if replay != nil || recording != .off || ticket.invocation.trial?.isRecorded == true {
            ticket.run = RecordedRun(attempt: attempt, seed: seed, remaining: timeout)
        }
        let head = InvokeHead(
            invocation: replay?.recording.id ?? ticket.invocation.id,
            slot: link.occupy(
                key,
                invocation: ticket.invocation.id,
                traceID: ticket.invocation.trace.traceID
            ),
            attempt: UInt32(clamping: attempt),
            depth: UInt8(clamping: ticket.invocation.depth),
            remaining: timeout.nanoseconds,
            trace: replay?.recording.traceContext ?? ticket.invocation.trace,
            principal: ticket.invocation.principal,
            fencingToken: ticket.invocation.fencingToken,
            kind: ticket.invocation.event.kind,
            operation: ticket.invocation.event.operation,
            request: ticket.invocation.event.request,
            connection: ticket.invocation.event.connection,
            clientContext: ticket.invocation.clientContext,
            seed: seed,
            tellsClock: ticket.run != nil,
            clock: replay?.recording.clock
        )
        let body = ticket.invocation.event.body
        let extent = body.count >= SharedRegion.bodyMin ? link.bodies.place(body, for: key) : nil
        link.send { head.write(to: &$0, id: key, body: body, in: extent) }
    }

    /// The invocation's caller hears the end, with the reply where it came `whole`; what the worker still
    /// sends of it is dropped.
    func finish(_ key: UInt32, _ outcome: Outcome, whole: (head: ReplyHead, body: ByteBuffer)? = nil) {
        guard let ticket = tickets.removeValue(forKey: key) else { return }
        if ticket.left != nil { leave(ticket) }
        if ticket.calls > 0 { calls.cancelAll(of: key) }
        let now = Monotonic.now
        let started = ticket.started ?? now
        let recording = ticket.run.flatMap { recorded(ticket, $0, outcome, whole) }
        report(
            .invocation(
                InvocationReport(
                    function: ticket.invocation.function,
                    id: ticket.invocation.id,
                    traceID: ticket.invocation.trace.traceID,
                    span: ticket.invocation.trace.span,
                    parent: ticket.invocation.parent,
                    members: ticket.invocation.members,
                    trigger: ticket.invocation.trigger,
                    attempt: ticket.invocation.attempt,
                    outcome: outcome,
                    queued: started - ticket.arrived,
                    ran: now - started,
                    ended: now,
                    cold: ticket.cold,
                    startup: ticket.startup,
                    pid: ticket.pid,
                    operation: ticket.invocation.event.operation,
                    bytesIn: ticket.invocation.event.body.count,
                    bytesOut: ticket.bytesOut,
                    calls: ticket.callReports,
                    callsLeftOut: ticket.calls - ticket.callReports.reduce(0) { $0 + $1.times },
                    isRecorded: recording != nil,
                    replayOf: ticket.invocation.trial?.replay?.recording.id
                )
            )
        )
        if let recording { report(.recorded(recording)) }
        // After the report: who has the answer finds it in log and metrics.
        if let whole {
            ticket.reply(whole.head.status, whole.head.headers, whole.body)
        } else {
            ticket.end(outcome)
        }
        // Who has called nothing holds nothing.
        guard ticket.calls > 0 else { return }
        let invocation = ticket.invocation.id
        Task { [bindings] in await bindings.ended(invocation) }
    }
}
