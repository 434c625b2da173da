import FunctionCore
import NIOCore
import NIOPosix

/// One connection to a Redis server: commands go out in order and are answered in order, without waiting for
/// each other.
///
/// At most 1024 commands wait for replies; one more fails with `redis_busy`. A command whose time is over
/// fails alone, as its reply may still come and must be counted; a server that leaves it unanswered for five
/// seconds more is taken for dead and the connection is closed. What one turn of the loop submits leaves in
/// one write.
///
/// Threading: everything on `eventLoop`, completions included.
// SAFETY: every member is touched on `eventLoop` only; `submit` and `close` check it.
package final class RedisConnection: ChannelInboundHandler, @unchecked Sendable {
    package typealias InboundIn = ByteBuffer
    package typealias Completion = (Result<RedisValue, RedisError>) -> Void

    package static let pipelineBound = 1024
    private static let stall = TimeAmount.seconds(5)

    private struct Slot {
        /// Nil once its time was over.
        var completion: Completion?
        var deadline: NIODeadline
    }

    package let eventLoop: any EventLoop
    /// Called once, when the connection is gone.
    package var onClose: ((RedisError) -> Void)?
    /// Hears what comes on channels that were subscribed to; nobody else's commands may be on the connection.
    package var onMessage: ((RedisMessage) -> Void)?
    private let decoder = RESPDecoder()
    private var channel: (any Channel)?
    private var waiting = CircularBuffer<Slot>()
    private var outgoing: ByteBuffer
    private var flushing = false
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?
    private var failure: RedisError?

    private init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.outgoing = ByteBuffer()
    }

    /// Puts TLS in front of a connection to a host.
    package typealias Security = @Sendable (any Channel, _ host: String) throws -> Void

    /// Connects, authenticates and selects the database, all within `timeout`.
    ///
    /// A `rediss://` URL needs `security`, and is refused without it.
    package static func connect(
        to url: RedisURL,
        on eventLoop: any EventLoop,
        name: String,
        security: Security? = nil,
        timeout: Duration = .seconds(5)
    ) -> EventLoopFuture<RedisConnection> {
        if url.isSecure, security == nil {
            let error = RedisError(.badURL, "rediss:// needs TLS, and none is set up here")
            return eventLoop.makeFailedFuture(error)
        }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(timeout.nanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if url.isSecure, case .tcp(let host, _) = url.address { try security?(channel, host) }
                    let connection = RedisConnection(eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        let channel =
            switch url.address {
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            case .tcp(let host, let port):
                bootstrap
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelOption(.socketOption(.so_keepalive), value: 1)
                    .connect(host: host, port: port)
            }
        return channel.flatMapThrowing { channel in
            try channel.pipeline.syncOperations.handler(type: RedisConnection.self)
        }.flatMap { connection in
            connection.greet(url, name: name, timeout: timeout)
        }
    }

    /// AUTH, SELECT and the name; the reply to the last decides whether the connection can be used.
    private func greet(_ url: RedisURL, name: String, timeout: Duration) -> EventLoopFuture<RedisConnection> {
        let promise = eventLoop.makePromise(of: RedisConnection.self)
        var commands: [[Bytes]] = []
        if let password = url.password {
            commands.append(["AUTH"] + (url.user.map { [Bytes($0)] } ?? []) + [Bytes(password)])
        }
        if url.database != 0 { commands.append(["SELECT", Bytes(String(url.database))]) }
        commands.append(["CLIENT", "SETNAME", Bytes(name)])
        submit(all: commands, timeout: timeout) { result in
            switch result {
            case .failure(let error):
                self.close(error)
                promise.fail(error)
            case .success(let replies):
                guard case .error(let text)? = replies.first(where: \.isError) else {
                    return promise.succeed(self)
                }
                let error = RedisError(refusal: text)
                self.close(error)
                promise.fail(error)
            }
        }
        return promise.futureResult
    }

    // MARK: - Commands

    /// Sends a command; `completion` is called once.
    package func submit(_ command: [Bytes], timeout: Duration, _ completion: @escaping Completion) {
        eventLoop.preconditionInEventLoop()
        if let failure { return completion(.failure(failure)) }
        guard waiting.count < Self.pipelineBound else {
            let message = "\(Self.pipelineBound) commands wait for Redis already; try again in a moment"
            return completion(.failure(RedisError(.busy, message)))
        }
        let deadline = NIODeadline.now() + .nanoseconds(timeout.nanoseconds)
        waiting.append(Slot(completion: completion, deadline: deadline))
        RESPCodec.encode(command, into: &outgoing)
        scheduleFlush()
        watch(deadline)
    }

    /// Sends commands one behind the other, with nobody else's between them, and gives all replies, errors
    /// included.
    package func submit(
        all commands: [[Bytes]],
        timeout: Duration,
        _ completion: @escaping (Result<[RedisValue], RedisError>) -> Void
    ) {
        eventLoop.preconditionInEventLoop()
        guard !commands.isEmpty else { return completion(.success([])) }
        guard waiting.count + commands.count <= Self.pipelineBound else {
            let message = "\(Self.pipelineBound) commands may wait for Redis at once; try again in a moment"
            return completion(.failure(RedisError(.busy, message)))
        }
        let gathering = Gathering(count: commands.count, completion)
        for (index, command) in commands.enumerated() {
            submit(command, timeout: timeout) { gathering.take($0, at: index) }
        }
    }

    /// Closes the connection; commands without a reply fail with `error`.
    ///
    /// Again: nothing.
    package func close(
        _ error: RedisError = RedisError(.disconnected, "the connection to Redis was closed here")
    ) {
        eventLoop.preconditionInEventLoop()
        guard failure == nil else { return }
        failure = error
        timer?.task.cancel()
        timer = nil
        channel?.close(promise: nil)
        channel = nil
        let slots = waiting
        waiting = CircularBuffer()
        for slot in slots { slot.completion?(.failure(error)) }
        onClose?(error)
        onClose = nil
    }

    private func scheduleFlush() {
        guard !flushing else { return }
        flushing = true
        eventLoop.execute { [self] in
            flushing = false
            guard let channel, outgoing.readableBytes > 0 else { return }
            channel.writeAndFlush(outgoing, promise: nil)
            outgoing = ByteBuffer()
        }
    }

    // MARK: - Time

    private func watch(_ deadline: NIODeadline) {
        if let timer {
            if timer.at <= deadline { return }
            timer.task.cancel()
        }
        timer = (eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.expire() }, deadline)
    }

    private func expire() {
        timer = nil
        let now = NIODeadline.now()
        if let oldest = waiting.first, oldest.deadline + Self.stall <= now {
            return close(RedisError(.disconnected, "Redis has not answered for too long; connecting again"))
        }
        var next: NIODeadline?
        var late: [Completion] = []
        for index in waiting.indices {
            if waiting[index].deadline <= now, let completion = waiting[index].completion {
                waiting[index].completion = nil
                late.append(completion)
            }
            let slot = waiting[index]
            let at = slot.completion == nil ? slot.deadline + Self.stall : slot.deadline
            next = min(next ?? at, at)
        }
        // A slot behind the oldest may be past its own stall; it becomes the oldest's concern, in a while.
        if let next { watch(max(next, now + .milliseconds(10))) }
        let error = RedisError(.timedOut, "Redis did not answer in time; the command may still have been run")
        for completion in late { completion(.failure(error)) }
    }

    // MARK: - ChannelInboundHandler

    package func handlerAdded(context: ChannelHandlerContext) {
        channel = context.channel
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        var buffer = unwrapInboundIn(data)
        do throws(RedisError) {
            for reply in try decoder.feed(&buffer) {
                if let onMessage, let message = RedisMessage(reply) {
                    onMessage(message)
                    continue
                }
                guard let slot = waiting.popFirst() else {
                    throw RedisError(.protocolError, "Redis sent a reply to which there is no command")
                }
                slot.completion?(.success(reply))
                // A primary that has become a replica: looking its name up again may find the new one.
                if case .error(let text) = reply, text.hasPrefix("READONLY") {
                    throw RedisError(.disconnected, "Redis is a read-only replica now; connecting again")
                }
            }
        } catch {
            close(error)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        close(
            RedisError(.disconnected, "the connection to Redis was lost; the command may still have been run")
        )
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(RedisError(.disconnected, "the connection to Redis failed: \(error)"))
    }
}

extension RedisValue {
    var isError: Bool {
        if case .error = self { true } else { false }
    }
}

/// Collects the replies of commands that were sent together.
///
/// Confined to their connection's loop.
private final class Gathering {
    private var replies: [RedisValue]
    private var missing: Int
    private var error: RedisError?
    private let completion: (Result<[RedisValue], RedisError>) -> Void

    init(count: Int, _ completion: @escaping (Result<[RedisValue], RedisError>) -> Void) {
        replies = Array(repeating: .null, count: count)
        missing = count
        self.completion = completion
    }

    func take(_ result: Result<RedisValue, RedisError>, at index: Int) {
        switch result {
        case .success(let reply): replies[index] = reply
        case .failure(let failure): error = failure
        }
        missing -= 1
        guard missing == 0 else { return }
        completion(error.map { .failure($0) } ?? .success(replies))
    }
}
