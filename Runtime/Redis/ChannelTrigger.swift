import FunctionCore
import Invocations
import NIOCore

/// What happens on a channel trigger, for metrics and the log.
package enum ChannelReport: Sendable, Hashable {
    case delivered(messages: Int)
    /// An event did not succeed; its messages are gone.
    case failed(messages: Int, reason: String)
    /// Messages came to a full buffer, or waited when the host stopped.
    case dropped(messages: Int)
    /// There is no connection: what is published meanwhile never comes.
    case redisDown(RedisError)
    case redisUp
    /// The server does not publish keyspace events.
    case eventsOff
}

/// Runs a function for the messages of a channel or of a pattern of channels, at most once each.
///
/// That is all Redis' publish and subscribe can promise: what is published while this host is away, while the
/// connection is down or while the buffer is full is lost. Failed events are not run again. Keyspace events
/// are channels like all others (`__keyevent@0__:expired`), where the server is configured to publish them.
///
/// Threading: `start` and `stop` from anywhere; the reports come on the client's event loop.
// SAFETY: every `var` is touched on `eventLoop` only, where all completions, timers and sinks call.
package final class ChannelTrigger: @unchecked Sendable {
    package let channel: Manifest.Channel
    package let function: String
    private let eventLoop: any EventLoop
    private let shared: RedisClient
    private let dispatching: any Dispatching
    private let clock: any HostClock
    private let report: @Sendable (ChannelReport) -> Void
    private var subscriber: RedisClient?
    private var machine: ChannelMachine<RedisMessage>
    private var running: [Int: any Dispatched] = [:]
    private var nextEvent = 0
    private var isAdvancing = false
    private var stopped: [CheckedContinuation<Void, Never>] = []
    private var ping: RepeatedTask?
    private let beat: Duration

    /// A trigger that does nothing yet.
    ///
    /// It asks the server for a sign of life every `beat`, as a connection on which nothing is published
    /// otherwise looks like one that is dead.
    package init(
        channel: Manifest.Channel,
        function: String,
        client: RedisClient,
        dispatching: any Dispatching,
        clock: any HostClock,
        beat: Duration = .seconds(15),
        report: @escaping @Sendable (ChannelReport) -> Void
    ) {
        self.channel = channel
        self.function = function
        self.shared = client
        self.eventLoop = client.eventLoop
        self.dispatching = dispatching
        self.clock = clock
        self.beat = beat
        self.report = report
        self.machine = ChannelMachine(
            batch: channel.batch,
            concurrency: channel.concurrency,
            buffer: channel.buffer
        )
    }

    /// Subscribes, as soon as Redis is there, and again after every connection that is lost.
    ///
    /// Once.
    package func start() {
        eventLoop.execute { [self] in
            let subscriber = shared.sibling(
                name: "swiftlet-channel",
                onChange: { [weak self] error in
                    guard let self else { return }
                    if let error { self.report(.redisDown(error)) } else { self.subscribe() }
                },
                onMessage: { [weak self] in self?.received($0) }
            )
            self.subscriber = subscriber
            subscriber.start()
            ping = eventLoop.scheduleRepeatedTask(
                initialDelay: .nanoseconds(beat.nanoseconds),
                delay: .nanoseconds(beat.nanoseconds)
            ) { _ in subscriber.submit(["PING"]) { _ in } }
        }
    }

    /// Takes no more messages and runs what waits, up to `grace`; then cancels and drops the rest.
    package func stop(grace: Duration = .seconds(10)) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute { [self] in
                ping?.cancel()
                subscriber?.close()
                machine.stopped()
                guard !machine.isDrained else { return continuation.resume() }
                stopped.append(continuation)
                eventLoop.scheduleTask(in: .nanoseconds(grace.nanoseconds)) { [self] in
                    let count = machine.abandoned()
                    if count > 0 { report(.dropped(messages: count)) }
                    for dispatched in running.values { dispatched.cancel() }
                    advance()
                }
            }
        }
    }

    private var isPattern: Bool { channel.channel.contains { "*?[".contains($0) } }

    private func subscribe() {
        let command: Bytes = isPattern ? "PSUBSCRIBE" : "SUBSCRIBE"
        subscriber?.submit([command, Bytes(channel.channel)]) { [self] result in
            switch result.accepted {
            case .success: report(.redisUp)
            case .failure(let error): report(.redisDown(error))
            }
        }
        guard channel.channel.hasPrefix("__key") else { return }
        shared.submit(["CONFIG", "GET", "notify-keyspace-events"]) { [self] result in
            if case .success(let reply) = result, reply.array?.last?.text == "" { report(.eventsOff) }
        }
    }

    private func received(_ message: RedisMessage) {
        if !machine.arrived(message) { report(.dropped(messages: 1)) }
        advance()
    }

    /// Not again from within: an event that ends at once only leaves room for the next turn of the loop.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while let messages = machine.next() { deliver(messages) }
        isAdvancing = false
        guard machine.isDrained else { return }
        for continuation in stopped { continuation.resume() }
        stopped = []
    }

    private func deliver(_ messages: [RedisMessage]) {
        nextEvent += 1
        let event = nextEvent
        report(.delivered(messages: messages.count))
        let sink = OutcomeSink(eventLoop: eventLoop) { [self] outcome, _ in
            running[event] = nil
            machine.finished()
            if !outcome.succeeded { report(.failed(messages: messages.count, reason: outcome.reason)) }
            advance()
        }
        let dispatched = dispatching.dispatch(invocation(for: messages), to: sink)
        guard !sink.isOver else { return }
        sink.attach(dispatched)
        running[event] = dispatched
    }

    private func invocation(for messages: [RedisMessage]) -> Invocation {
        let entries = messages.map { message in
            StreamEntryCodec.read(message, id: InvocationID.next(), at: clock.now)
        }
        return Invocation(
            function: function,
            event: Event(
                kind: .redis,
                operation: channel.operation,
                body: RedisEvent(stream: channel.channel, entries: entries).body
            ),
            trace: .begin(),
            trigger: "redis"
        )
    }
}
