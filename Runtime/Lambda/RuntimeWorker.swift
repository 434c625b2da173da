import FunctionCore
import Glibc
import Invocations
import LambdaEvents
import NIOCore
import NIOHTTP1
import NIOPosix
import Processes
import Wire
import WorkerPool

/// A worker whose process speaks the Lambda Runtime API: performs what `RuntimeMachine` decides, and speaks frames
/// with the pool in the process's place.
// SAFETY: all state is touched on `loop` only, but for `process`, which is set before anybody else has the worker.
final class RuntimeWorker: @unchecked Sendable {
    /// How long a runtime may take to ask for its first event before the first invocation's own time begins.
    static let initMax = Duration.seconds(10)
    /// How many connections a runtime may have at once; more are closed.
    static let connectionsMax = 1024

    /// An invocation on its way through the runtime.
    struct Served {
        let head: InvokeHead
        let request: String
        /// What came, where the reply is read by it, and what the runtime is handed.
        let batch: RedisEvent?
        let event: ByteBuffer
        let arrived = Monotonic.now
        let deadline: Monotonic
        var handed: Monotonic?
        var reply = OutgoingReply()
        /// The connection from which a streamed reply comes, and what reads its head.
        var source: RuntimeMachine.Client?
        var prelude: StreamPrelude.Reader?
    }

    let function: LambdaFunction
    let loop: any EventLoop
    /// The user that the process has.
    let user: UInt32
    private let realNow: @Sendable () -> Instant
    private let isExhausted: @Sendable () -> Bool
    private let onExit: @Sendable (ExitStatus) -> Void
    let page: RuntimePage
    private let started = Monotonic.now
    var process: ChildProcess?

    var machine: RuntimeMachine
    var served: [RuntimeMachine.Key: Served] = [:]
    var connections: [RuntimeMachine.Client: RuntimeConnection] = [:]
    private var nextClient = 0
    /// How long the start took, until the first invocation has told it.
    private var startTime: Duration?
    /// The start took too long: what is left of it is on the first invocation's time.
    private var isStartLate = false
    /// The most memory that was seen: of a process that has ended nothing more can be.
    private var peakMiB = 0
    private var server: (any Channel)?
    private var channel: (any Channel)?
    var writer = WireWriter()
    private var flushDue = false
    private var isOver = false

    init(
        _ function: LambdaFunction,
        on loop: any EventLoop,
        user: UInt32,
        page: RuntimePage,
        realNow: @escaping @Sendable () -> Instant,
        isExhausted: @escaping @Sendable () -> Bool,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) {
        self.function = function
        self.isExhausted = isExhausted
        self.loop = loop
        self.user = user
        self.page = page
        self.realNow = realNow
        self.onExit = onExit
        machine = RuntimeMachine(concurrency: function.concurrency)
    }

    // MARK: Life

    /// Opens the channel to the pool and the endpoint for the runtime.
    func open(channel descriptor: Int32, listener: Int32) {
        ClientBootstrap(group: loop)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PoolFrames(worker: self))
                }
            }
            .withConnectedSocket(descriptor)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel): opened(channel)
                case .failure:
                    close(descriptor)
                    process?.signal(SIGKILL)
                }
            }
        ServerBootstrap(group: loop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    nextClient += 1
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false,
                        withErrorHandling: false
                    )
                    try pipeline.addHandler(RuntimeConnection(client: nextClient, worker: self))
                }
            }
            .withBoundSocket(listener)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    if isOver { channel.close(promise: nil) } else { server = channel }
                case .failure:
                    close(listener)
                    process?.signal(SIGKILL)
                }
            }
        loop.scheduleTask(in: .nanoseconds(RuntimeWorker.initMax.nanoseconds)) { [weak self] in
            guard let self else { return }
            perform(machine.initTimeEnded(), isLate: true)
        }
    }

    private func opened(_ channel: any Channel) {
        if isOver { return channel.close(promise: nil) }
        self.channel = channel
        flush()
    }

    func exited(_ status: ExitStatus) {
        let fault =
            status == .signalled(SIGKILL) && (page.isExhausted || isExhausted())
            ? PlatformFault.outOfMemory : .exited("\(status)")
        for key in served.keys.sorted() where served[key]?.handed != nil && machine.holds(key) {
            tellEnd(of: key, fault)
        }
        perform(machine.exited(status, fault))
    }

    /// The pool has gone, or nothing is left to say.
    func poolLeft() {
        channel = nil
        perform(machine.killed())
    }

    private func end(_ status: ExitStatus) {
        guard !isOver else { return }
        isOver = true
        flush()
        channel?.close(promise: nil)
        server?.close(promise: nil)
        for connection in connections.values { connection.close() }
        onExit(status)
    }

    // MARK: Actions

    func perform(_ actions: [RuntimeMachine.Action], isLate: Bool = false) {
        for action in actions {
            switch action {
            case .ready: becameReady(isLate: isLate)
            case .startFailed(let failure): startFailed(failure)
            case .hand(let key, let client, let again): hand(key, to: client, again: again)
            case .answer(let client, let answer): self.answer(client, answer)
            case .take(let key, let client, let asError): take(key, from: client, asError: asError)
            case .takeInitError(let client): takeInitError(from: client)
            case .complete(let key): complete(key)
            case .fail(let key, let failure): fail(key, failure)
            case .leaveOut(let key): leaveOut(key)
            case .terminate: process?.signal(SIGTERM)
            case .kill: process?.signal(SIGKILL)
            case .end(let status): end(status)
            }
        }
    }

    private func becameReady(isLate: Bool) {
        let startup = Monotonic.now - started
        if isLate {
            isStartLate = true
            log(0, LambdaLines.initReport(startup, .timeout))
        } else {
            startTime = startup
        }
        tellReady(startup)
    }

    private func startFailed(_ failure: RuntimeFailure) {
        let startup = Monotonic.now - started
        log(0, LambdaLines.initReport(startup, .error(failure.type)))
        tellReady(startup)
    }

    private func tellReady(_ startup: Duration) {
        send { Ready(startup: UInt32(clamping: startup.nanoseconds / 1000)).write(to: &$0) }
    }

    private func hand(_ key: RuntimeMachine.Key, to client: RuntimeMachine.Client, again: Bool) {
        guard let invocation = served[key], let connection = connections[client] else { return }
        if !again {
            guard page.begin(slot: invocation.head.slot, id: key) else {
                return perform(machine.takenBack(key, from: client))
            }
            if peakMiB == 0 { lookAtMemory() }
            served[key]?.handed = isStartLate ? invocation.arrived : .now
            isStartLate = false
        }
        connection.isWaiting = false
        connection.respond(
            200,
            RuntimeHeaders.event(invocation, of: function, at: realNow()),
            invocation.event
        )
    }

    func answer(_ client: RuntimeMachine.Client, _ answer: RuntimeAnswer) {
        guard let connection = connections[client] else { return }
        // While its body comes the answer waits: who sends does not read yet.
        if connection.receiving != nil, !connection.isWaiting {
            connection.receiving = .nothing(answer)
        } else {
            connection.isWaiting = false
            connection.respond(answer)
        }
    }

    private func complete(_ key: RuntimeMachine.Key) {
        tellEnd(of: key, .success)
        pump(key)
    }

    private func fail(_ key: RuntimeMachine.Key, _ failure: RuntimeFailure) {
        guard let invocation = served[key] else { return }
        for line in failure.lines(for: invocation.request, at: realNow()) { log(key, line) }
        tellEnd(of: key, .error(failure.type))
        served[key]?.reply.finish(failure.error(for: invocation.head.kind))
        pump(key)
    }

    /// The invocation is over here without a word for its caller.
    private func leaveOut(_ key: RuntimeMachine.Key) {
        guard let invocation = served[key] else { return }
        if invocation.handed != nil || invocation.deadline <= .now {
            tellEnd(of: key, .timedOut(after: .nanoseconds(invocation.head.remaining)))
        }
        forget(key)
        send { $0.frame(.end, id: key) }
    }

    func forget(_ key: RuntimeMachine.Key) {
        guard let invocation = served.removeValue(forKey: key) else { return }
        if let source = invocation.source { connections[source]?.setReading(true) }
    }

    /// Sends on what the reply's reader takes.
    func pump(_ key: RuntimeMachine.Key) {
        guard var reply = served[key]?.reply else { return }
        var isDone = false
        send { isDone = reply.write(to: &$0, id: key) }
        if isDone { return forget(key) }
        served[key]?.reply = reply
        if let source = served[key]?.source { connections[source]?.setReading(!reply.isFull) }
    }

    // MARK: Lines

    private func tellEnd(of key: RuntimeMachine.Key, _ fault: PlatformFault) {
        guard let invocation = served[key] else { return }
        for line in fault.lines(for: invocation.request, at: realNow()) { log(key, line) }
        // Of a process that has ended the kernel tells nothing more.
        if fault == .outOfMemory { peakMiB = max(peakMiB, function.memoryMiB) }
        tellEnd(of: key, fault.end)
    }

    private func tellEnd(of key: RuntimeMachine.Key, _ end: LambdaLines.End) {
        guard let invocation = served[key] else { return }
        lookAtMemory()
        let report = LambdaLines.Report(
            duration: Monotonic.now - (invocation.handed ?? invocation.arrived),
            memoryMiB: function.memoryMiB,
            maxMemoryMiB: peakMiB,
            start: startTime.take(),
            end: end
        )
        log(key, LambdaLines.end(invocation.request))
        log(key, LambdaLines.report(invocation.request, report))
    }

    private func lookAtMemory() {
        let withChildren = function.concurrency > 1
        peakMiB = max(peakMiB, PeakMemory.mebibytes(of: process?.pid ?? 0, withChildren: withChildren))
    }

    private func log(_ key: RuntimeMachine.Key, _ line: String) {
        send { LogPayload(level: .info, message: line, metadata: [:]).write(to: &$0, id: key) }
    }

    // MARK: Frames

    func send(_ body: (inout WireWriter) -> Void) {
        body(&writer)
        guard !flushDue else { return }
        flushDue = true
        loop.execute { self.flush() }
    }

    private func flush() {
        flushDue = false
        guard let channel, !writer.isEmpty else { return }
        channel.writeAndFlush(ByteBuffer(bytes: writer.bytes), promise: nil)
        writer.removeAll()
    }
}

extension RuntimeWorker: WorkerProcess {
    var pid: Int32 { process?.pid ?? 0 }

    func signal(_ signal: Int32) {
        // Its process may have ended while the worker has still something to tell.
        if signal == SIGKILL { loop.execute { self.perform(self.machine.killed()) } }
        process?.signal(signal)
    }
}
