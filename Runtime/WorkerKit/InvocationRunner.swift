import FunctionCore
import Recordings
import Glibc
import Wire

/// Runs invocations by the function's handler and writes what comes of them.
struct InvocationRunner: Sendable {
    let handler: Handler
    let function: String
    let environment: [String: String]
    let page: SharedPage
    let clock: @Sendable () -> Instant
    let channel: HostChannel
    let lateSender: LateSender
    let calls: CallTable
    let running: RunningTable
    let bodies: LargeBodies

    /// The longest piece a streamed reply is cut into, so that one stream does not hold the channel for long.
    private static let pieceMax = 32 * 1024
    /// The most of a reply that goes out without asking for credit: what is granted at the start.
    private static let wholeMax = 64 * 1024

    /// Whether invocations run one after the other, on the thread that reads.
    var isSerial: Bool {
        if case .synchronous = handler { true } else { false }
    }

    /// Begins one invocation, or says that it is left out where the host has taken it back.
    ///
    /// Runs on the reader thread.
    func begin(_ head: InvokeHead, _ body: Bytes, id: UInt32) {
        guard page.begin(slot: head.slot, id: id) else {
            return channel.append { $0.frame(.end, id: id) }
        }
        let event = Event(
            kind: head.kind,
            operation: head.operation,
            request: head.request,
            connection: head.connection,
            body: body
        )
        if event.kind == .batch, !handler.takesBatches {
            return channel.append { ErrorPayload.write(Handler.noBatches, to: &$0, id: id) }
        }
        if case .synchronous(let handle) = handler {
            if !channel.isClean { lateSender.watch() }
            return runAtOnce(event, makeContext(head, id: id, nil), id, handle)
        }
        let running = running.begin(id)
        let context = makeContext(head, id: id, running)
        let task = Task {
            switch handler {
            case .synchronous: break
            case .async(let handle): await runWhole(event, id, running) { try await handle(event, context) }
            case .batch(let handle):
                await runWhole(event, id, running) {
                    try await Handler.run(event) { try await handle($0, context) }
                }
            case .streaming(let handle):
                await stream(event, id, running) { try await handle(event, context, $0) }
            }
        }
        running.attach(task)
    }

    /// No `cancel` can come while the handler runs, as it runs where frames are read: only a reply that is
    /// sent in pieces is entered among those that run.
    private func runAtOnce(
        _ event: Event,
        _ context: Context,
        _ id: UInt32,
        _ handle: @Sendable (Event, Context) throws -> Reply
    ) {
        do {
            let reply = try handle(event, context)
            if reply.body.count <= InvocationRunner.wholeMax {
                channel.append { write(reply, to: &$0, id: id) }
            } else if !appendLarge(event, reply, id: id) {
                let running = running.begin(id)
                running.attach(Task { await stream(event, id, running) { try await $0.send(reply) } })
            }
        } catch {
            channel.append { ErrorPayload.write(FunctionError(describing: error), to: &$0, id: id) }
        }
    }

    private func makeContext(
        _ head: InvokeHead,
        id: UInt32,
        _ running: RunningTable.Running?
    ) -> Context {
        var cancelled: @Sendable () -> Bool = { false }
        if let running { cancelled = { running.isCancelled } }
        return Context(
            invocation: head.invocation,
            function: function,
            attempt: Int(head.attempt),
            depth: Int(head.depth),
            trace: head.trace,
            principal: head.principal,
            fencingToken: head.fencingToken,
            environment: environment,
            log: Logger { [channel] level, message, metadata in
                let line = LogPayload(level: level, message: message, metadata: metadata)
                channel.send { line.write(to: &$0, id: id) }
            },
            bindings: Bindings(calls.caller(for: id)),
            random: InvocationRandom(seed: head.seed),
            deadline: Monotonic.now + .nanoseconds(head.remaining),
            clock: head.tellsClock || head.clock != nil ? keptClock(head, id: id) : clock,
            cancelled: cancelled
        )
    }

    /// The clock of an invocation whose readings the host keeps, or gives as they were.
    private func keptClock(_ head: InvokeHead, id: UInt32) -> @Sendable () -> Instant {
        let read = head.clock.map { RecordedClock($0).read } ?? clock
        return { [channel] in
            let now = read()
            if head.tellsClock { channel.send { $0.frame(.clock, id: id) { $0.integer(now.nanoseconds) } } }
            return now
        }
    }

    private func runWhole(
        _ event: Event,
        _ id: UInt32,
        _ running: RunningTable.Running,
        _ handle: () async throws -> Reply
    ) async {
        do {
            let reply = try await handle()
            if reply.body.count <= InvocationRunner.wholeMax {
                channel.send { write(reply, to: &$0, id: id) }
                finish(id)
            } else if appendLarge(event, reply, id: id) {
                channel.flush()
                finish(id)
            } else {
                await stream(event, id, running) { try await $0.send(reply) }
            }
        } catch {
            channel.send { ErrorPayload.write(FunctionError(describing: error), to: &$0, id: id) }
            finish(id)
        }
    }

    private func stream(
        _ event: Event,
        _ id: UInt32,
        _ running: RunningTable.Running,
        _ handle: (ReplyStream) async throws -> Void
    ) async {
        let reply = StreamState(channel: channel, id: id)
        let tellsWrites = event.connection != nil
        do {
            try await handle(
                ReplyStream(
                    start: { try reply.start($0, $1) },
                    write: { bytes in
                        try reply.startIfNeeded()
                        var rest = bytes.array[...]
                        if rest.isEmpty, tellsWrites {
                            channel.send { $0.frame(.chunk, id: id, flags: Frame.written) }
                        }
                        while !rest.isEmpty {
                            let count = try await running.credit.take(
                                min(rest.count, InvocationRunner.pieceMax)
                            )
                            let piece = rest.prefix(count)
                            rest = rest.dropFirst(count)
                            let flags = tellsWrites && rest.isEmpty ? Frame.written : 0
                            channel.send { $0.frame(.chunk, id: id, flags: flags) { $0.rest(piece) } }
                        }
                    }
                )
            )
            try reply.startIfNeeded()
            channel.send { $0.frame(.end, id: id) }
        } catch {
            channel.send { ErrorPayload.write(FunctionError(describing: error), to: &$0, id: id) }
        }
        finish(id)
    }

    private func write(_ reply: Reply, to writer: inout WireWriter, id: UInt32) {
        if let error = ReplyHead.refusal(of: reply.status) {
            return ErrorPayload.write(error, to: &writer, id: id)
        }
        let head = ReplyHead(status: reply.status, headers: reply.headers)
        head.write(to: &writer, id: id, flags: Frame.last, body: reply.body.array)
    }

    /// Leaves a large body in the shared region; false where it has no room, or must go out in pieces.
    private func appendLarge(_ event: Event, _ reply: Reply, id: UInt32) -> Bool {
        guard event.connection == nil, ReplyHead.refusal(of: reply.status) == nil,
            let extent = bodies.leave(reply.body, for: id)
        else { return false }
        let head = ReplyHead(status: reply.status, headers: reply.headers)
        channel.append { head.write(to: &$0, id: id, in: extent) }
        return true
    }

    private func finish(_ id: UInt32) {
        guard running.end(id) else { return }
        channel.flush()
        exit(0)
    }
}
