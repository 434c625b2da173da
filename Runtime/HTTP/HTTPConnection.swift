import FunctionCore
import NIOCore
import NIOHTTP1

/// One client connection: turns what the decoder gives into exchanges, answers them one at a time and in
/// order, and keeps the limits.
///
/// Phases: open; draining (nothing more is read, what was read is still answered); lingering (the last
/// answer is out, and what the client still sends is dropped, so that the answer is not lost in a reset);
/// closed.
// SAFETY: a channel handler, and so confined to its channel's loop; the server's calls come on that loop as
// well.
final class HTTPConnection: ChannelDuplexHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private enum Phase {
        case open, draining, lingering, closed
    }

    let loop: ServerLoop
    let settings: ServerSettings
    private let gateway: Gateway
    private let gate: ReadGate
    private let count: ConnectionCount
    private var context: ChannelHandlerContext?
    private var phase = Phase.open

    /// The request whose body is being received.
    private var incoming: Exchange?
    private var awaitsContinue = false
    private var active: Exchange?
    /// Complete requests behind the active one, oldest first; bounded by the gate.
    private var waiting: [Exchange] = []
    private var isAdvancing = false
    private var isWritable = true
    /// The channel asked for more to read while the gate was full.
    private var owesRead = false

    // Ticks since which something has been so, for the sweep.
    private var quietSince: Int
    private var partialSince: Int?
    private var bodySince = 0
    private var stalledSince = 0
    private var unwritten = 0

    init(gateway: Gateway, loop: ServerLoop, settings: ServerSettings, gate: ReadGate, count: ConnectionCount)
    {
        self.gateway = gateway
        self.loop = loop
        self.settings = settings
        self.gate = gate
        self.count = count
        self.quietSince = loop.tick
    }

    /// The peer's address without the port.
    var remoteAddress: String { context?.channel.remoteAddress?.ipAddress ?? "" }

    // MARK: The channel's events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        loop.add(self)
        let connections = count.enter()
        if loop.isStopping || connections > settings.maxConnections + settings.backlog {
            // Too many even to be told so.
            abort()
        } else if connections > settings.maxConnections {
            endInput(with: bare(.tooManyConnections))
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        gate.sawPart = true
        guard phase == .open else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head): received(head)
        case .body(let bytes):
            bodySince = loop.tick
            awaitsContinue = false
            if let incoming, !incoming.receive(bytes) { endInput(with: incoming) }
        case .end:
            guard let exchange = incoming else { return }
            incoming = nil
            submit(exchange)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !gate.hasPartialHead || incoming != nil || phase != .open {
            partialSince = nil
        } else if partialSince == nil {
            partialSince = loop.tick
        }
        context.fireChannelReadComplete()
    }

    /// Reading goes on by itself, but for a client that has sent as many requests as may wait.
    func read(context: ChannelHandlerContext) {
        if gate.isFull {
            owesRead = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        stalledSince = loop.tick
        if isWritable { advance() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is TargetTooLong: refuse(.longTarget(settings.maxTargetBytes))
        case HTTPParserError.headerOverflow: refuse(.longHeaders(settings.maxHeaderBytes))
        case HTTPParserError.invalidVersion: refuse(.version)
        case is HTTPParserError: refuse(.malformed)
        case is ByteToMessageDecoderError: break
        default: context.close(promise: nil)
        }
    }

    // MARK: Requests

    private func received(_ head: HTTPRequestHead) {
        let exchange = gateway.exchange(for: head, on: self)
        incoming = exchange
        bodySince = loop.tick
        let fields = exchange.request.fields
        guard exchange.refusal != nil || fields.expectsContinue else { return }
        if exchange.refusal?.closes == true || (exchange.refusal != nil && fields.expectsContinue) {
            endInput(with: exchange)
        } else if fields.expectsContinue, !exchange.request.isOld {
            awaitsContinue = true
            sendContinue()
        }
    }

    /// Tells the client to go on, once nothing stands before its request.
    private func sendContinue() {
        guard awaitsContinue, active == nil, waiting.isEmpty else { return }
        awaitsContinue = false
        write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
        flush()
    }

    /// Refuses what the client is sending, in its turn, and reads no further.
    private func refuse(_ refusal: Exchange.Refusal) {
        guard phase == .open else { return }
        let exchange = incoming ?? bare(refusal)
        exchange.refuse(refusal)
        endInput(with: exchange)
    }

    /// An exchange for bytes that did not become a request.
    private func bare(_ refusal: Exchange.Refusal) -> Exchange {
        let head = HTTPRequestHead(version: .http1_1, method: .RAW(value: "-"), uri: "")
        return Exchange(
            Exchange.Request(head: head, fields: RequestFields()),
            gateway,
            self,
            refusing: refusal
        )
    }

    private func endInput(with exchange: Exchange) {
        phase = .draining
        gate.discards = true
        gate.isFull = false
        exchange.refuse(
            exchange.refusal.map { Exchange.Refusal($0.error, headers: $0.headers, closes: true) }
                ?? .malformed
        )
        incoming = nil
        submit(exchange)
        resumeReading()
    }

    private func submit(_ exchange: Exchange) {
        quietSince = loop.tick
        if active == nil, waiting.isEmpty, isWritable {
            active = exchange
            return exchange.start()
        }
        waiting.append(exchange)
        if waiting.count >= settings.maxPipelined, phase == .open { gate.isFull = true }
        advance()
    }

    /// Starts the next request if it is its turn.
    ///
    /// A client that does not take its answers gets no new ones made.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while active == nil, isWritable, !waiting.isEmpty, context != nil {
            let exchange = waiting.removeFirst()
            active = exchange
            exchange.start()
        }
        isAdvancing = false
        if gate.isFull, waiting.count < settings.maxPipelined {
            gate.isFull = false
            resumeReading()
        }
        if awaitsContinue { sendContinue() }
    }

    private func resumeReading() {
        guard let context else { return }
        if gate.holdsBytes {
            gate.holdsBytes = false
            // The decoder looks at its buffer again when it is given something, be it nothing.
            context.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer()))
            context.pipeline.syncOperations.fireChannelReadComplete()
        }
        if owesRead, !gate.isFull {
            owesRead = false
            context.read()
        }
    }

    /// The exchange has written all it will.
    func finished(_ exchange: Exchange, closes: Bool) {
        guard exchange === active else { return }
        active = nil
        quietSince = loop.tick
        bodySince = loop.tick
        if partialSince != nil { partialSince = loop.tick }
        guard closes else { return advance() }
        let isWhole = phase == .open && incoming == nil && waiting.isEmpty
        phase = .draining
        gate.discards = true
        gate.isFull = false
        drop()
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.closeGently(isWhole) }
        context.writeAndFlush(Self.wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: promise)
        resumeReading()
    }

    // MARK: Output

    func write(_ bytes: ByteBuffer) {
        context?.write(Self.wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
    }

    /// Writes a piece of a stream, whose way out is watched.
    func write(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let promise else { return write(bytes) }
        guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        if unwritten == 0 { stalledSince = loop.tick }
        unwritten += 1
        promise.futureResult.assumeIsolated().whenComplete { _ in
            self.unwritten -= 1
            self.stalledSince = self.loop.tick
        }
        context.write(Self.wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
    }

    /// Writes a long body so that its progress can be seen.
    func writeInPieces(_ bytes: ByteBuffer) {
        var rest = bytes
        while let context, let piece = rest.readSlice(length: min(rest.readableBytes, 64 * 1024)),
            piece.readableBytes > 0
        {
            write(piece, promise: context.eventLoop.makePromise())
        }
    }

    func flush() {
        context?.flush()
    }

    // MARK: The end

    private func closeGently(_ isWhole: Bool) {
        guard let context, phase == .draining else { return }
        guard !isWhole else { return context.close(promise: nil) }
        phase = .lingering
        quietSince = loop.tick
        context.close(mode: .output, promise: nil)
    }

    /// Looks whether a limit of time has passed.
    func sweep() {
        if phase == .lingering {
            if passed(settings.lingerTimeout, since: quietSince) { abort() }
        } else if unwritten > 0 || !isWritable {
            if passed(settings.stallTimeout, since: stalledSince) { abort() }
        } else if active != nil {
            return
        } else if let partialSince {
            if passed(settings.headerTimeout, since: partialSince) { refuse(.slow) }
        } else if incoming != nil {
            if passed(settings.bodyTimeout, since: bodySince) { refuse(.slow) }
        } else if passed(settings.idleTimeout, since: quietSince) {
            abort()
        }
    }

    /// Closes an idle connection; another one closes with its answer.
    func retire() {
        if active == nil, waiting.isEmpty, incoming == nil, partialSince == nil { abort() }
    }

    /// Closes at once.
    func abort() {
        context?.close(promise: nil)
    }

    private func passed(_ limit: Duration, since tick: Int) -> Bool {
        settings.sweepInterval * (loop.tick - tick) >= limit
    }

    private func gone() {
        guard phase != .closed, context != nil else { return }
        phase = .closed
        context = nil
        loop.remove(self)
        count.leave()
        let exchange = active
        active = nil
        exchange?.leave()
        drop()
    }

    /// Forgets requests that will not be answered.
    private func drop() {
        incoming = nil
        awaitsContinue = false
        waiting.removeAll()
    }
}
