import FunctionCore
import Invocations
import NIOCore
import WebSockets

/// A WebSocket connection after its 101: carries bytes between the channel and the session, and messages
/// between the session and the function.
///
/// Messages run one at a time; what is replied to them and what the binding `connections` pushes goes out in
/// the order in which it comes. The function hears `disconnect` when all its messages are answered.
// SAFETY: a channel handler, and so confined to its channel's loop; the server, the function's replies and
// `connections` come in on that loop as well.
final class SocketConnection: ChannelDuplexHandler, ServedConnection, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Pushed: Sendable {
        case sent, gone, crowded
    }

    /// Pushes that wait for a client to read.
    static let waitersMax = 64
    /// How long a client may take to close its side.
    private static let linger = TimeAmount.seconds(2)

    let client: SocketClient
    let loop: ServerLoop
    private let gateway: Gateway
    private var session: SocketSession
    private var context: ChannelHandlerContext?
    /// The channel asked for more to read while the session wanted none.
    private var owesRead = false
    private var willFlush = false
    private var isAdvancing = false
    private var wakeup: Scheduled<Void>?
    private var waiters: [(message: SocketMessage, promise: EventLoopPromise<Pushed>)] = []
    private var closing: Closing?
    private var isRetiring = false
    private var hasLeft = false

    init(_ client: SocketClient, _ gateway: Gateway, _ loop: ServerLoop) {
        self.client = client
        self.gateway = gateway
        self.loop = loop
        session = SocketSession(client.route.limits, at: .now)
    }

    /// Whether what is sent may reach the client.
    var isOpen: Bool { session.isOpen }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        gateway.sockets.add(self)
        gateway.dispatching?.leaseTaken(by: client.id, on: client.route.function)
    }

    /// The client left while the function decided to let it in.
    func failedToOpen() {
        perform(session.broke())
        advance()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !session.isOver else { return }
        perform(session.received(Array(Self.unwrapInboundIn(data).readableBytesView), at: .now))
        advance()
    }

    func read(context: ChannelHandlerContext) {
        if session.wantsInput {
            context.read()
        } else {
            owesRead = true
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        loop.remove(self)
        perform(session.broke())
        advance()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: ServedConnection

    var isUpgraded: Bool { true }

    func sweep() {
        perform(session.ticked(at: .now))
        advance()
    }

    func retire() {
        isRetiring = true
        if !session.hasWork { close(Closing(.goingAway, "the host is stopping")) }
    }

    func abort() {
        context?.close(promise: nil)
    }

    // MARK: Messages in

    /// Gives the function what is its turn, until nothing is.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while true {
            let (message, actions) = session.take(at: .now)
            perform(actions)
            guard let message else { break }
            var event = client.event(.message)
            event.isText = message.isText
            let reply = SocketReply(self, isText: message.isText)
            let trace = loop.traceIDs.begin()
            let invocation = client.invocation(event, trace, body: Bytes(message.bytes))
            reply.run(invocation, gateway.dispatching)
        }
        isAdvancing = false
        if owesRead, session.wantsInput {
            owesRead = false
            context?.read()
        }
        if let due = session.heldUntil { wake(at: due) }
        if session.isOver, session.isDrained { leave() }
    }

    private func wake(at due: Monotonic) {
        guard wakeup == nil else { return }
        let wait = max(0, (due - .now).nanoseconds)
        wakeup = loop.eventLoop.scheduleTask(in: .nanoseconds(wait)) {
            self.wakeup = nil
            self.advance()
        }
    }

    /// The function has answered its message.
    func done() {
        session.done(at: .now)
        if isRetiring { close(Closing(.goingAway, "the host is stopping")) }
        advance()
    }

    /// Tells the function that the client is gone.
    private func leave() {
        guard !hasLeft, let closing else { return }
        hasLeft = true
        var event = client.event(.disconnect)
        event.closeCode = closing.code.rawValue
        event.closeReason = closing.reason
        let (gateway, client) = (gateway, client)
        let farewell = SocketFarewell(eventLoop: loop.eventLoop) {
            gateway.dispatching?.leaseReturned(by: client.id, on: client.route.function)
            gateway.sockets.release(client.route.function)
        }
        gateway.dispatching?.dispatch(client.invocation(event, loop.traceIDs.begin()), to: farewell)
    }

    // MARK: Messages out

    /// Sends a piece of a reply; `written` is called when it is with the kernel.
    func reply(_ bytes: ByteBuffer, isText: Bool, isLast: Bool, written: (@Sendable () -> Void)? = nil) {
        let actions = session.reply(bytes.readableBytesView, isText: isText, isLast: isLast, at: .now)
        // Behind the reply's frame come pushes that waited for its end.
        perform(Array(actions.prefix(1)), written: written)
        perform(Array(actions.dropFirst()))
    }

    /// Sends a message that is no reply.
    ///
    /// Threading: any.
    func push(_ message: SocketMessage) -> EventLoopFuture<Pushed> {
        let promise = loop.eventLoop.makePromise(of: Pushed.self)
        loop.eventLoop.execute {
            if self.waiters.count >= Self.waitersMax { return promise.succeed(.crowded) }
            self.waiters.append((message, promise))
            self.sendWaiters()
        }
        return promise.futureResult
    }

    /// Closes the connection with a close frame.
    ///
    /// Threading: any.
    func close(_ closing: Closing) {
        guard loop.eventLoop.inEventLoop else { return loop.eventLoop.execute { self.close(closing) } }
        perform(session.close(closing, at: .now))
    }

    private func sendWaiters() {
        while let (message, promise) = waiters.first, let actions = session.push(message, at: .now) {
            waiters.removeFirst()
            perform(actions)
            promise.succeed(.sent)
        }
        guard !session.isOpen else { return }
        waiters.forEach { $0.promise.succeed(.gone) }
        waiters = []
    }

    // MARK: Actions

    private func perform(_ actions: [SocketSession.Action], written: (@Sendable () -> Void)? = nil) {
        for action in actions {
            switch action {
            case .write(let bytes): write(bytes, written)
            case .end(let closing, let aborts): end(closing, aborts: aborts)
            }
        }
    }

    private func write(_ bytes: [UInt8], _ written: (@Sendable () -> Void)?) {
        guard let context else { return }
        let promise = loop.eventLoop.makePromise(of: Void.self)
        let count = bytes.count
        promise.futureResult.assumeIsolated().whenSuccess {
            self.perform(self.session.wrote(count, at: .now))
            written?()
            if !self.waiters.isEmpty { self.sendWaiters() }
        }
        context.write(Self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
        guard !willFlush else { return }
        willFlush = true
        // What one turn of the loop gives leaves in one write.
        loop.eventLoop.execute {
            self.willFlush = false
            self.context?.flush()
        }
    }

    private func end(_ closing: Closing, aborts: Bool) {
        self.closing = closing
        gateway.sockets.remove(self)
        sendWaiters()
        guard let context else { return }
        guard !aborts else { return context.close(promise: nil) }
        // The other side closes when it has read the close frame; a close of both directions at once could
        // reset the connection before it has.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.context?.close(mode: .output, promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
        loop.eventLoop.scheduleTask(in: Self.linger) { [weak self] in self?.abort() }
        if owesRead {
            owesRead = false
            context.read()
        }
    }
}
