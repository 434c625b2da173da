import FunctionCore
import Invocations
import NIOCore

/// Runs a function for the entries of a stream, at least once each: performs what `StreamMachine` decides.
///
/// Each trigger has a connection of its own for its blocking reads, and shares one for all else. Its bounds
/// are those of `StreamSettings`: `concurrency` events of `batch` entries under way; what it cannot take
/// stays in Redis.
///
/// Threading: `start` and `stop` from anywhere; the reports come on the client's event loop.
// SAFETY: every `var` is touched on `eventLoop` only, where all completions, timers and sinks call.
package final class StreamTrigger: @unchecked Sendable {
    package let stream: Manifest.Stream
    package let function: String
    private let eventLoop: any EventLoop
    private let client: RedisClient
    private let reader: RedisClient
    private let commands: StreamCommands
    private let dispatching: any Dispatching
    private let clock: any HostClock
    private let report: @Sendable (StreamReport) -> Void
    private let settings: StreamSettings
    private var machine: StreamMachine
    private var facts = CircularBuffer<StreamFact>()
    private var isHandling = false
    private var running: [Int: any Dispatched] = [:]
    private var stopped: [CheckedContinuation<Void, Never>] = []
    private var isDown = false
    private var lastError = RedisError(.unavailable, "there is no connection to Redis")

    /// A trigger that does nothing yet.
    ///
    /// `consumer` is this host's name in the group, the same after a restart, so that its pending entries are
    /// found. `settings` is nil for what the manifest says.
    package init(
        stream: Manifest.Stream,
        manifest: Manifest,
        consumer: String,
        client: RedisClient,
        dispatching: any Dispatching,
        clock: any HostClock,
        settings: StreamSettings? = nil,
        report: @escaping @Sendable (StreamReport) -> Void
    ) {
        self.stream = stream
        self.function = manifest.name
        self.eventLoop = client.eventLoop
        self.client = client
        self.reader = client.sibling(name: "swiftlet-\(stream.group)")
        self.commands = StreamCommands(
            stream: stream.stream,
            group: stream.group,
            consumer: consumer,
            function: manifest.name
        )
        self.dispatching = dispatching
        self.clock = clock
        self.report = report
        self.settings =
            settings
            ?? StreamSettings(stream: stream, retry: manifest.retry, timeout: manifest.limits.timeout)
        self.machine = StreamMachine(settings: self.settings, seed: .random(in: 0 ... .max))
    }

    /// Begins to read, as soon as Redis is there.
    ///
    /// Once.
    package func start() {
        client.start()
        reader.start()
        eventLoop.execute { self.connect() }
    }

    /// Stops reading and waits for what is under way, up to `grace`; then cancels it and leaves it pending in
    /// Redis.
    package func stop(grace: Duration = .seconds(10)) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute {
                guard self.machine.state != .drained else { return continuation.resume() }
                self.stopped.append(continuation)
                self.handle(.stop)
                // A read under way would wait on; what it was about to bring stays pending.
                self.reader.close()
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
        case .ensureGroup: ensureGroup()
        case .readPending(let id, let count): readPending(after: id, count: count)
        case .read(let count): read(count: count)
        case .deliver(let event, let entries, let attempt): deliver(event, entries, attempt)
        case .ack(let ids, let counted): ack(ids, counted: counted)
        case .deadLetter(let letter): deadLetter(letter)
        case .recordFailure(let id, let count): client.submit(commands.record(id, count: count)) { _ in }
        case .retryAt(let id, let delay):
            report(.retried(entry: id, after: delay))
            after(delay) { $0.handle(.retryDue(id)) }
        case .claimStale(let cursor, let count): claim(from: cursor, count: count)
        case .renew(let ids):
            for renewal in commands.renewals(of: ids) { client.submit(renewal) { _ in } }
        case .armClaim(let wait): after(wait) { $0.handle(.claimTick) }
        case .settleAgain(let wait): after(wait) { $0.handle(.settleDue) }
        case .reconnect(let wait):
            if !isDown { report(.redisDown(lastError)) }
            isDown = true
            after(wait) { $0.connect() }
        case .lost(let ids): report(.lost(entries: ids))
        case .groupLost: report(.groupLost)
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

    private func ensureGroup() {
        reader.submit(commands.ensureGroup) { result in
            switch result {
            case .failure(let error): return self.failed(error)
            case .success(.error(let text)) where !text.hasPrefix("BUSYGROUP"):
                return self.failed(RedisError(refusal: text))
            case .success: break
            }
            if self.isDown { self.report(.redisUp) }
            self.isDown = false
            self.handle(.groupReady)
        }
    }

    private func read(count: Int) {
        reader.submit(commands.read(count: count), timeout: StreamCommands.block + .seconds(5)) { result in
            switch result {
            case .failure(let error): self.failed(error)
            case .success(.error(let text)): self.failed(RedisError(refusal: text))
            case .success(.null): self.handle(.readTimedOut)
            case .success(let reply):
                self.handle(.entriesRead(StreamCommands.entries(read: reply).map { StreamDelivery($0) }))
            }
        }
    }

    private func readPending(after id: String, count: Int) {
        reader.submit(commands.readPending(after: id, count: count)) { result in
            switch result {
            case .failure(let error): self.failed(error)
            case .success(.error(let text)): self.failed(RedisError(refusal: text))
            case .success(let reply):
                self.withFailures(StreamCommands.entries(read: reply)) { deliveries in
                    switch deliveries {
                    case .success(let deliveries): self.handle(.entriesRead(deliveries))
                    case .failure(let error): self.failed(error)
                    }
                }
            }
        }
    }

    private func claim(from cursor: String, count: Int) {
        let command = commands.claim(from: cursor, minIdle: settings.minIdle, count: count)
        client.submit(command) { result in
            guard case .success(let reply) = result, let claim = StreamCommands.claim(reply) else {
                return self.handle(.claimFailed)
            }
            self.withFailures(claim.entries) { deliveries in
                // What was claimed and is not run now lies idle with this consumer, and is claimed again.
                guard case .success(let deliveries) = deliveries else { return self.handle(.claimFailed) }
                self.handle(.claimed(deliveries, cursor: claim.cursor, lost: claim.lost))
            }
        }
    }

    /// Looks up how often the function has failed with entries that were pending.
    private func withFailures(
        _ entries: [StreamEntry],
        _ completion: @escaping (Result<[StreamDelivery], RedisError>) -> Void
    ) {
        guard !entries.isEmpty else { return completion(.success([])) }
        client.submit(commands.failures(of: entries.map(\.id))) { result in
            completion(
                result.map { reply in
                    // An error reply means that somebody's key is in the way; then nothing is known.
                    let counts = reply.array ?? []
                    return entries.enumerated().map { index, entry in
                        StreamDelivery(
                            entry,
                            failures: index < counts.count ? max(counts[index].int ?? 0, 0) : 0
                        )
                    }
                }
            )
        }
    }

    private func ack(_ ids: [String], counted: Bool) {
        client.submit(all: commands.ack(ids, counted: counted)) { result in
            let replies = result.map {
                counted ? ($0.last?.array?.first ?? $0.last ?? .null) : $0.first ?? .null
            }
            switch replies {
            case .success(.integer):
                self.report(.acked(entries: ids))
                self.handle(.settled(ids))
            case .success(let reply):
                self.settleFailed(ids, StreamTrigger.refusal(reply))
            case .failure(let error): self.settleFailed(ids, error)
            }
        }
    }

    private func deadLetter(_ letter: StreamDeadLetter) {
        let id = letter.entry.id
        client.submit(commands.deadLetter(letter, at: clock.now)) { result in
            switch result {
            case .success(.integer):
                self.report(.deadLettered(entry: id, reason: letter.reason, attempts: letter.attempts))
                self.handle(.settled([id]))
            case .success(let reply):
                self.settleFailed([id], StreamTrigger.refusal(reply))
            case .failure(let error): self.settleFailed([id], error)
            }
        }
    }

    private static func refusal(_ reply: RedisValue) -> RedisError {
        if case .error(let text) = reply { return RedisError(refusal: text) }
        return RedisError(.protocolError, "Redis answered with something else than a number")
    }

    private func settleFailed(_ ids: [String], _ error: RedisError) {
        report(.settleFailed(error))
        handle(.settleFailed(ids))
    }

    // MARK: - The function

    private func deliver(_ event: Int, _ entries: [StreamEntry], _ attempt: Int) {
        let invocation = invocation(for: entries, attempt: attempt)
        report(.delivered(invocation: invocation.id, entries: entries.map(\.id), attempt: attempt))
        let sink = OutcomeSink(eventLoop: eventLoop) { outcome in
            self.running[event] = nil
            self.handle(.eventFinished(event, outcome))
        }
        let dispatched = dispatching.dispatch(invocation, to: sink)
        guard !sink.isOver else { return }
        sink.attach(dispatched)
        running[event] = dispatched
    }

    private func invocation(for entries: [StreamEntry], attempt: Int) -> Invocation {
        let read = entries.map { StreamEntryCodec.read($0, of: stream.stream) }
        let event = RedisEvent(stream: stream.stream, entries: read.map(\.entry))
        // Entries that disagree have no common trace, and nobody on whose behalf all of them are.
        let parents = Set(read.map(\.entry.traceparent))
        let parent = parents.count == 1 ? parents.first.flatMap { $0 } : nil
        let principals = Set(read.map(\.principal))
        let body: Bytes
        do {
            body = try JSONCoder.encode(event)
        } catch {
            preconditionFailure("an event made of JSON values must have a JSON form: \(error)")
        }
        return Invocation(
            function: function,
            event: Event(kind: .redis, operation: stream.operation, body: body),
            attempt: attempt,
            trace: parent.flatMap { TraceContext(traceparent: $0) }?.child() ?? .begin(),
            principal: principals.count == 1 ? principals.first.flatMap { $0 } : nil,
            trigger: "redis"
        )
    }
}

/// Waits for an invocation's end; what the function replies is let through and dropped.
// SAFETY: touched on `eventLoop` only, as ReplySink promises.
private final class OutcomeSink: ReplySink, @unchecked Sendable {
    let eventLoop: any EventLoop
    private var dispatched: (any Dispatched)?
    /// What came before `attach`.
    private var owed = 0
    private(set) var isOver = false
    private let done: (Outcome) -> Void

    init(eventLoop: any EventLoop, _ done: @escaping (Outcome) -> Void) {
        self.eventLoop = eventLoop
        self.done = done
    }

    func attach(_ dispatched: any Dispatched) {
        self.dispatched = dispatched
        if owed > 0 { dispatched.grant(owed) }
    }

    func head(status: Int, headers: [Header]) {}

    func chunk(_ bytes: ByteBuffer) {
        if let dispatched { dispatched.grant(bytes.readableBytes) } else { owed += bytes.readableBytes }
    }

    func end(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        dispatched = nil
        done(outcome)
    }
}
