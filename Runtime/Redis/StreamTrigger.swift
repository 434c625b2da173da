import FunctionCore
import Invocations
import NIOCore

/// Runs a function for the entries of a stream or the elements of a list, at least once each: performs what
/// `StreamMachine` decides.
///
/// Each trigger has a connection of its own for its blocking reads, and shares one for all else. Its bounds
/// are those of `StreamSettings`: `concurrency` events of `batch` entries under way; what it cannot take
/// stays in Redis.
///
/// Threading: `start` and `stop` from anywhere; the reports come on the client's event loop.
// SAFETY: every `var` is touched on `eventLoop` only, where all completions, timers and sinks call; so is
// the source.
package final class StreamTrigger: @unchecked Sendable {
    package let function: String
    /// The stream's or the list's key.
    package let key: String
    private let operation: String
    private let eventLoop: any EventLoop
    private let client: RedisClient
    private let reader: RedisClient
    private let source: any EntrySource
    private let dispatching: any Dispatching
    private let clock: any HostClock
    private let report: @Sendable (StreamReport) -> Void
    private let settings: StreamSettings
    private var machine: StreamMachine
    private var facts = CircularBuffer<StreamFact>()
    private var isHandling = false
    private var running: [Int: any Dispatched] = [:]
    private var stopped: [CheckedContinuation<Void, Never>] = []
    private var acks = AckQueue()
    private var isFlushing = false
    private var count: RepeatedTask?
    /// How often the depth of the queue is looked at; scaling wants to know it, a look takes microseconds.
    private static let countPeriod = TimeAmount.seconds(2)
    private var isDown = false
    private var lastError = RedisError(.unavailable, "there is no connection to Redis")

    /// A trigger of a stream that does nothing yet.
    ///
    /// `consumer` is this host's name in the group, the same after a restart, so that its pending entries are
    /// found. `settings` is nil for what the manifest says.
    package convenience init(
        stream: Manifest.Stream,
        manifest: Manifest,
        consumer: String,
        client: RedisClient,
        dispatching: any Dispatching,
        clock: any HostClock,
        settings: StreamSettings? = nil,
        report: @escaping @Sendable (StreamReport) -> Void
    ) {
        let reader = client.sibling(name: "swiftlet-\(stream.group)")
        let settings =
            settings
            ?? StreamSettings(stream, manifest: manifest)
        let commands = StreamCommands(
            stream: stream.stream,
            group: stream.group,
            consumer: consumer,
            function: manifest.name,
            from: stream.from.id,
            minIdle: settings.minIdle
        )
        self.init(
            StreamSource(commands: commands, client: client, reader: reader),
            operation: stream.operation,
            function: manifest.name,
            clients: (client, reader),
            dispatching: dispatching,
            clock: clock,
            settings: settings,
            report: report
        )
    }

    /// A trigger of a list, as of a stream.
    package convenience init(
        list: Manifest.List,
        manifest: Manifest,
        consumer: String,
        client: RedisClient,
        dispatching: any Dispatching,
        clock: any HostClock,
        settings: StreamSettings? = nil,
        report: @escaping @Sendable (StreamReport) -> Void
    ) {
        let reader = client.sibling(name: "swiftlet-list")
        let settings =
            settings
            ?? StreamSettings(batch: list.batch, concurrency: list.concurrency, manifest: manifest)
        let source = ListSource(
            list,
            consumer: consumer,
            function: manifest.name,
            minIdle: settings.minIdle,
            client: client,
            reader: reader,
            clock: clock
        )
        self.init(
            source,
            operation: list.operation,
            function: manifest.name,
            clients: (client, reader),
            dispatching: dispatching,
            clock: clock,
            settings: settings,
            report: report
        )
    }

    private init(
        _ source: any EntrySource,
        operation: String,
        function: String,
        clients: (shared: RedisClient, reader: RedisClient),
        dispatching: any Dispatching,
        clock: any HostClock,
        settings: StreamSettings,
        report: @escaping @Sendable (StreamReport) -> Void
    ) {
        self.source = source
        self.key = source.key
        self.operation = operation
        self.function = function
        self.client = clients.shared
        self.reader = clients.reader
        self.eventLoop = clients.shared.eventLoop
        self.dispatching = dispatching
        self.clock = clock
        self.report = report
        self.settings = settings
        self.machine = StreamMachine(settings: settings, seed: .random(in: 0 ... .max))
    }

    /// Begins to read, as soon as Redis is there.
    ///
    /// Once.
    package func start() {
        client.start()
        reader.start()
        eventLoop.execute {
            self.connect()
            self.count = self.eventLoop.scheduleRepeatedTask(
                initialDelay: StreamTrigger.countPeriod,
                delay: StreamTrigger.countPeriod
            ) { [weak self] _ in self?.recount() }
        }
    }

    private func recount() {
        source.counts { [self] result in
            guard machine.state != .drained, case .success(let counts) = result else { return }
            report(.counts(counts))
            dispatching.backlog(of: function, in: key, counts.lag)
        }
    }

    /// Stops reading and waits for what is under way, up to `grace`; then cancels it and leaves it pending in
    /// Redis.
    package func stop(grace: Duration = .seconds(10)) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute {
                guard self.machine.state != .drained else { return continuation.resume() }
                self.stopped.append(continuation)
                self.count?.cancel()
                self.dispatching.backlog(of: self.function, in: self.key, 0)
                self.handle(.stop)
                // A read under way would wait on; what it was about to bring stays pending.
                self.source.close()
                self.after(grace) { trigger in
                    for dispatched in trigger.running.values { dispatched.cancel() }
                }
                self.after(grace + .seconds(2)) { $0.handle(.graceOver) }
            }
        }
    }

    // MARK: - Facts in, actions out

    /// One fact at a time: an action that fails at once yields the next fact, not a recursion.
    private func handle(_ fact: StreamFact) {
        facts.append(fact)
        guard !isHandling else { return }
        isHandling = true
        while let next = facts.popFirst() {
            for action in machine.handle(next) { perform(action) }
        }
        isHandling = false
    }

    private func perform(_ action: StreamAction) {
        switch action {
        case .ensureGroup: prepare()
        case .readPending(let id, let count): readPending(after: id, count: count)
        case .read(let count): read(count: count)
        case .deliver(let event, let entries, let attempt): deliver(event, entries, attempt)
        case .ack(let ids, let counted, let ending):
            acks.add(ids, counted: counted, as: ending)
            flushAcks()
        case .deadLetter(let letter): deadLetter(letter)
        case .recordFailure(let id, let count): source.record(id, failures: count)
        case .retryAt(let id, let delay):
            report(.retried(entry: id, after: delay))
            after(delay) { $0.handle(.retryDue(id)) }
        case .claimStale(let cursor, let count): claim(from: cursor, count: count)
        case .renew(let ids): source.renew(ids)
        case .armClaim(let wait): after(wait) { $0.handle(.claimTick) }
        case .settleAgain(let wait): after(wait) { $0.handle(.settleDue) }
        case .reconnect(let wait):
            if !isDown { report(.redisDown(lastError)) }
            isDown = true
            after(wait) { $0.connect() }
        case .lost(let ids): report(.lost(entries: ids))
        case .armWindow(let wait): after(wait) { $0.handle(.windowOver) }
        case .trim: if let keep = settings.keep { source.trim(keeping: keep) }
        case .drained:
            for continuation in stopped { continuation.resume() }
            stopped = []
        }
    }

    /// Timers are not cancelled: a fact that comes late finds nothing, and a trigger that is gone is not kept
    /// alive.
    private func after(_ wait: Duration, _ body: @escaping @Sendable (StreamTrigger) -> Void) {
        eventLoop.scheduleTask(in: .nanoseconds(wait.nanoseconds)) { [weak self] in
            if let self { body(self) }
        }
    }

    // MARK: - Redis

    private func connect() {
        reader.whenConnected {
            self.client.whenConnected { self.handle(.connected) }
        }
    }

    private func failed(_ error: RedisError) {
        lastError = error
        handle(.redisFailed(StreamFailure(error)))
    }

    private func prepare() {
        source.prepare { result in
            switch result {
            case .failure(let error): return self.failed(error)
            case .success(let wasLost): if wasLost { self.report(.groupLost) }
            }
            if self.isDown { self.report(.redisUp) }
            self.isDown = false
            self.handle(.groupReady)
        }
    }

    private func read(count: Int) {
        source.read(count: count) { result in
            switch result {
            case .failure(let error): self.failed(error)
            case .success(let entries) where entries.isEmpty: self.handle(.readTimedOut)
            case .success(let entries): self.handle(.entriesRead(entries.map { StreamDelivery($0) }))
            }
        }
    }

    private func readPending(after id: String, count: Int) {
        source.readPending(after: id, count: count) { result in
            switch result {
            case .failure(let error): self.failed(error)
            case .success(let deliveries): self.handle(.entriesRead(deliveries))
            }
        }
    }

    private func claim(from cursor: String, count: Int) {
        source.claimStale(from: cursor, count: count) { result in
            guard case .success(let stale) = result else { return self.handle(.claimFailed) }
            self.handle(.claimed(stale.deliveries, cursor: stale.cursor, lost: stale.lost))
        }
    }

    /// With the next turn of the loop, so that what ends in one turn leaves together.
    private func flushAcks() {
        guard !isFlushing else { return }
        isFlushing = true
        eventLoop.execute {
            self.isFlushing = false
            self.sendAcks()
        }
    }

    private func sendAcks() {
        guard let request = acks.next() else { return }
        let ids = request.ids
        source.acknowledge(ids, counted: request.counted, as: request.ending) { result in
            self.acks.answered()
            if case .failure(let error) = result {
                self.settleFailed(ids, error)
            } else {
                self.report(request.ending == .filtered ? .filtered(entries: ids) : .acked(entries: ids))
                self.handle(.settled(ids))
            }
            self.sendAcks()
        }
    }

    private func deadLetter(_ letter: StreamDeadLetter) {
        let id = letter.entry.id
        source.deadLetter(letter, at: clock.now) { result in
            if case .failure(let error) = result { return self.settleFailed([id], error) }
            self.report(.deadLettered(entry: id, reason: letter.reason, attempts: letter.attempts))
            self.handle(.settled([id]))
        }
    }

    private func settleFailed(_ ids: [String], _ error: RedisError) {
        report(.settleFailed(error))
        handle(.settleFailed(ids))
    }

    // MARK: - The function

    private func deliver(_ event: Int, _ entries: [StreamEntry], _ attempt: Int) {
        let read = entries.map { StreamEntryCodec.read($0, of: source.key) }
        let invocation = invocation(for: read, attempt: attempt)
        report(.delivered(invocation: invocation.id, entries: entries.map(\.id), attempt: attempt))
        let sink = OutcomeSink(eventLoop: eventLoop) { outcome, partial in
            self.running[event] = nil
            guard case .replied(Reply.partialStatus) = outcome else {
                return self.handle(.eventFinished(event, outcome))
            }
            let names = zip(entries, read).map { (entry: $0.id, name: $1.entry.id) }
            self.handle(StreamTrigger.partial(event, names, Reply.failures(in: partial)))
        }
        let dispatched = dispatching.dispatch(invocation, to: sink)
        guard !sink.isOver else { return }
        sink.attach(dispatched)
        running[event] = dispatched
    }

    /// The end of an event whose reply names the entries that failed.
    private static func partial(
        _ event: Int,
        _ names: [(entry: String, name: String)],
        _ failures: [String: FunctionError]?
    ) -> StreamFact {
        guard let failures, Set(names.map(\.name)).isSuperset(of: failures.keys) else {
            let message =
                "a reply of status 207 must be {\"failed\": [{\"id\": …}]} with ids of the event's entries"
            let error = FunctionError(code: "bad_partial_reply", message: message)
            return .eventFinished(event, .failed(error))
        }
        let pairs = names.compactMap { name in failures[name.name].map { (name.entry, $0) } }
        let failed = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        return .eventFinished(event, .replied(status: Reply.partialStatus), failed: failed)
    }

    private func invocation(
        for read: [(entry: RedisEntry, principal: String?)],
        attempt: Int
    ) -> Invocation {
        let event = RedisEvent(stream: source.key, entries: read.map(\.entry))
        // Entries that disagree have no common trace, and nobody on whose behalf all of them are.
        let callers = read.map { $0.entry.traceparent.flatMap { TraceContext(traceparent: $0) } }
        let caller = Set(callers.map { $0?.traceID }).count == 1 ? callers[0] : nil
        let principals = Set(read.map(\.principal))
        var invocation = Invocation(
            function: function,
            event: Event(kind: .redis, operation: operation, body: event.body),
            attempt: attempt,
            trace: caller?.child() ?? .begin(),
            parent: ParentSpan(caller, isRemote: false),
            principal: principals.count == 1 ? principals.first.flatMap { $0 } : nil,
            trigger: "redis"
        )
        if caller == nil {
            invocation.members = Set(callers.compactMap { $0 }).map {
                SpanPlace($0.child(), parent: ParentSpan($0, isRemote: false))
            }
        }
        return invocation
    }
}
