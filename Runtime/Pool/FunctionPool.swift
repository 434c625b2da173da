import FunctionCore
import Invocations
import NIOCore
import Wire

/// The shell of one function's pool: performs what `PoolMachine` decides, on the function's home loop.
// SAFETY: all state is touched on `loop` only; `dispatch` and tickets hop there.
package final class FunctionPool: @unchecked Sendable {
    /// An invocation from its arrival to its end.
    struct Entry {
        var invocation: Invocation
        var sink: any ReplySink
        var arrived: Monotonic
        var started: Monotonic?
        var worker: PoolMachine.WorkerID?
        var pid: Int32 = 0
        var cold = false
        var status = 0
        var bytesOut = 0
        /// What the worker may still send before the reader has granted more.
        var credit = initialCredit
    }

    package let manifest: Manifest
    package let loop: any EventLoop
    private let program: WorkerProgram
    let bindings: BindingHost
    private let clock: @Sendable () -> ClockReading
    let report: @Sendable (PoolReport) -> Void

    var machine: PoolMachine
    var links: [PoolMachine.WorkerID: WorkerLink] = [:]
    /// Workers that have served nothing yet: what they serve first is a cold start.
    var fresh: Set<PoolMachine.WorkerID> = []
    var startFailures: [PoolMachine.WorkerID: String] = [:]
    var entries: [UInt32: Entry] = [:]
    var calls = CallRegister()
    private var nextKey: UInt32 = 0
    private var timer: Scheduled<Void>?
    private var timerDue: Monotonic?
    var emptied: [EventLoopPromise<Void>] = []
    /// Who takes what still arrives here, once another pool has taken this one's place.
    var successor: (any Dispatching)?
    var warming: Warming?
    /// Actions decided and not yet performed, and whether a call further up performs them.
    private var due: [PoolMachine.Action] = []
    private var performing = false

    package init(
        manifest: Manifest,
        program: WorkerProgram,
        bindings: BindingHost,
        loop: any EventLoop,
        clock: @escaping @Sendable () -> ClockReading,
        report: @escaping @Sendable (PoolReport) -> Void
    ) {
        self.manifest = manifest
        self.program = program
        self.bindings = bindings
        self.loop = loop
        self.clock = clock
        self.report = report
        self.machine = PoolMachine(manifest)
    }

    // MARK: For the host

    /// Brings up the workers that are always to be there.
    package func start() {
        loop.execute { self.perform(self.machine.started(at: .now)) }
    }

    /// Starts an invocation.
    ///
    /// Threading: any.
    package func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        let ticket = PoolTicket(pool: self)
        if loop.inEventLoop {
            arrive(invocation, sink, ticket)
        } else {
            loop.execute { self.arrive(invocation, sink, ticket) }
        }
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
                pids: self.links.values.map(\.pid).filter { $0 > 0 }.sorted()
            )
        }
    }

    // MARK: Facts in

    private func arrive(_ invocation: Invocation, _ sink: any ReplySink, _ ticket: PoolTicket) {
        if let successor {
            ticket.onward = successor.dispatch(invocation, to: sink)
            return
        }
        nextKey = nextKey == Frame.callBit - 1 ? 1 : nextKey + 1
        let now = Monotonic.now
        ticket.key = nextKey
        entries[nextKey] = Entry(invocation: invocation, sink: sink, arrived: now)
        perform(machine.arrived(nextKey, timeout: invocation.timeout, at: now))
    }

    func grant(_ key: UInt32, _ bytes: Int) {
        guard bytes > 0, var entry = entries[key], let worker = entry.worker else { return }
        entry.credit += bytes
        entries[key] = entry
        links[worker]?.send { $0.frame(.credit, id: key) { $0.integer(UInt32(clamping: bytes)) } }
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
        due += actions
        guard !performing else { return }
        performing = true
        var index = 0
        while index < due.count {
            perform(due[index])
            index += 1
        }
        due.removeAll(keepingCapacity: true)
        performing = false
        settle()
    }

    private func perform(_ action: PoolMachine.Action) {
        switch action {
        case .spawn(let id): spawn(id)
        case .send(let key, let id, let attempt): send(key, to: id, attempt: attempt)
        case .cancel(let key, let id):
            links[id]?.send { $0.frame(.cancel, id: key) }
            endCalls(of: key)
        case .retire(let id): links[id]?.send { $0.frame(.drain) }
        case .kill(let id, let why): links[id]?.kill(why)
        case .end(let key, let end): finish(key, end.outcome)
        }
    }

    /// Sets the timer for the machine's next moment and tells whoever waits for the last worker.
    func settle() {
        if machine.isEmpty, !emptied.isEmpty {
            let emptied = self.emptied
            self.emptied = []
            emptied.forEach { $0.succeed() }
        }
        checkWarming()
        guard let next = machine.nextTick else { return }
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
            let hello = Hello(
                bundle: program.hash,
                function: manifest.name,
                openFiles: UInt32(clamping: manifest.limits.openFiles),
                memoryMiB: UInt32(clamping: manifest.limits.memoryMiB),
                environment: manifest.environment
            )
            link.start(program, hello: hello)
        } catch {
            report(.spawnFailed(function: manifest.name, reason: "\(error)"))
            loop.execute { self.perform(self.machine.exited(id, reason: "\(error)", begun: [], at: .now)) }
        }
    }

    private func send(_ key: UInt32, to id: PoolMachine.WorkerID, attempt: Int) {
        guard var entry = entries[key], let link = links[id] else { return }
        let now = Monotonic.now
        entry.started = now
        entry.worker = id
        entry.pid = link.pid
        entry.credit = initialCredit
        entry.cold = fresh.remove(id) != nil
        entries[key] = entry
        let invocation = entry.invocation
        let timeout = min(invocation.timeout ?? manifest.limits.timeout, manifest.limits.timeout)
        let head = InvokeHead(
            invocation: invocation.id,
            slot: link.occupy(key, invocation: invocation.id, traceID: invocation.trace.traceID),
            attempt: UInt32(clamping: invocation.attempt + attempt - 1),
            depth: UInt8(clamping: invocation.depth),
            remaining: timeout.nanoseconds,
            traceparent: invocation.trace.traceparent,
            principal: invocation.principal,
            fencingToken: invocation.fencingToken,
            kind: invocation.event.kind,
            operation: invocation.event.operation,
            request: invocation.event.request,
            connection: invocation.event.connection
        )
        link.send { head.write(to: &$0, id: key, body: invocation.event.body) }
    }

    /// The invocation's caller hears the end; what the worker still sends of it is dropped.
    func finish(_ key: UInt32, _ outcome: Outcome) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        endCalls(of: key)
        let now = Monotonic.now
        let started = entry.started ?? now
        report(
            .invocation(
                InvocationReport(
                    invocation: entry.invocation,
                    outcome: outcome,
                    queued: started - entry.arrived,
                    ran: now - started,
                    cold: entry.cold,
                    pid: entry.pid,
                    bytesOut: entry.bytesOut
                )
            )
        )
        // After the report: who has the answer finds it in log and metrics.
        onLoop(of: entry.sink) { $0.end(outcome) }
        if entry.started != nil, !manifest.grants.isEmpty {
            let invocation = entry.invocation.id
            Task { [bindings] in await bindings.ended(invocation) }
        }
    }

    func onLoop(of sink: any ReplySink, _ body: @escaping @Sendable (any ReplySink) -> Void) {
        if sink.eventLoop === loop {
            body(sink)
        } else {
            sink.eventLoop.execute { body(sink) }
        }
    }
}
