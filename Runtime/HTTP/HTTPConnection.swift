import FunctionCore
import NIOCore

/// One HTTP/1 connection: makes exchanges of what the parser gives, answers them one at a time and in order,
/// and keeps the limits.
///
/// Phases: open; draining (nothing more is read, what was read is still answered); lingering (the last
/// answer is out, and what the client still sends is dropped, so that the answer is not lost in a reset);
/// upgraded (another handler speaks with the client); closed.
///
/// Bounds: requests that wait, see `ServerSettings`; bytes that are not a request yet: one line of a head, or
/// what came in one turn after the queue was full, four reads of at most 16 KiB.
// SAFETY: a channel handler, and so confined to its channel's loop; the server's calls come on that loop as
// well.
final class HTTPConnection: ChannelInboundHandler, ServedConnection, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The user event by which the handler after an upgrade is told that the server stops.
    struct Retire: Sendable {}

    enum Phase {
        case open, draining, lingering, upgraded, closed
    }

    let loop: ServerLoop
    let settings: ServerSettings
    private let gateway: Gateway
    private let count: ConnectionCount
    let isSecure: Bool
    private(set) var remoteAddress = ""
    private(set) var context: ChannelHandlerContext?
    private(set) var phase = Phase.open
    private var parser: RequestParser
    /// Bytes that have come and are not parsed.
    private var held: ByteBuffer?
    private var isParsing = false
    /// Nothing is parsed for now.
    private var isFull = false
    /// A request has come that ends the connection: what comes behind it is dropped.
    private var isLast = false
    private var hasDropped = false
    private static let heldMax = 32 * 1024

    /// The request whose body is being received.
    private var incoming: Exchange?
    private var awaitsContinue = false
    private var active: Exchange?
    /// Complete requests behind the active one, oldest first.
    private var waiting: [Exchange] = []
    private var isAdvancing = false
    private var isWritable = true

    // The answer under way, see `HTTPConnection+Output`.
    var pending: ByteBuffer?
    var isChunked = false
    /// The channel's reads of this turn are being looked at: what is flushed goes out when they are done.
    private(set) var isReading = false
    var owesFlush = false

    // Ticks since which something has been so, for the sweep.
    private var quietSince: Int
    private var partialSince: Int?
    private var bodySince = 0
    var stalledSince = 0
    /// Watched pieces that are not with the kernel.
    var unwritten = 0

    init(_ front: ConnectionFront, isSecure: Bool) {
        gateway = front.gateway
        loop = front.loop
        settings = front.settings
        count = front.count
        self.isSecure = isSecure
        self.quietSince = loop.tick
        self.parser = RequestParser(
            limits: RequestParser.Limits(
                target: settings.maxTargetBytes,
                headers: settings.maxHeaderBytes,
                fields: settings.maxHeaderFields
            )
        )
    }

    // MARK: The channel's events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        remoteAddress = context.channel.remoteAddress?.ipAddress ?? ""
        loop.add(self)
        let connections = count.enter()
        if (loop.isStopping && loop.patienceEnds == nil)
            || connections > settings.maxConnections + settings.backlog
        {
            // Too many even to be told so.
            abort()
        } else if connections > settings.maxConnections {
            endInput(with: gateway.exchange(refusing: .tooManyConnections, on: self))
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        guard phase == .open, !isLast else {
            if phase == .upgraded { context.fireChannelRead(data) }
            hasDropped = true
            return
        }
        var bytes = Self.unwrapInboundIn(data)
        if held == nil, !isFull {
            parse(&bytes)
            return hold(bytes)
        }
        if held?.writeBuffer(&bytes) == nil { hold(bytes) }
        if !isFull {
            parseHeld()
        } else if let held, held.readableBytes > Self.heldMax {
            setReading(false)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if owesFlush { flush() }
        if phase == .upgraded { return context.fireChannelReadComplete() }
        if phase != .open || incoming != nil || isFull || !(parser.isInHead || held != nil) {
            partialSince = nil
        } else if partialSince == nil {
            partialSince = loop.tick
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        stalledSince = loop.tick
        if isWritable { advance() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if phase == .upgraded { return context.fireErrorCaught(error) }
        context.close(promise: nil)
    }

    // MARK: Parsing

    /// Keeps what was not parsed in a buffer of its own size: the channel reads into the other one again.
    private func hold(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !isLast else { return }
        if phase == .open { held = ByteBuffer(bytes: bytes.readableBytesView) }
        if phase == .upgraded { context?.fireChannelRead(NIOAny(bytes)) }
    }

    private func parseHeld() {
        guard !isParsing, var bytes = held.take() else { return }
        parse(&bytes)
        hold(bytes)
    }

    private func parse(_ bytes: inout ByteBuffer) {
        isParsing = true
        defer { isParsing = false }
        while phase == .open, !isFull, !isLast {
            var consumed = 0
            let part = parser.next(bytes.readableBytesUInt8Span, consumed: &consumed)
            switch part {
            case .head(let head): received(head)
            case .body(let range):
                let start = bytes.readerIndex + range.lowerBound
                if let piece = bytes.getSlice(at: start, length: range.count) { received(piece) }
            case .end: receivedEnd()
            case .incomplete:
                return bytes.moveReaderIndex(forwardBy: consumed)
            case .fault(let fault): refuse(Exchange.Refusal(fault, settings))
            }
            bytes.moveReaderIndex(forwardBy: consumed)
        }
    }

    private func received(_ head: consuming RequestHead) {
        let exchange = gateway.exchange(for: head, on: self)
        incoming = exchange
        bodySince = loop.tick
        let expectsContinue = exchange.request.expectsContinue
        guard exchange.refusal != nil || expectsContinue else { return }
        if exchange.refusal?.closes == true || (exchange.refusal != nil && expectsContinue) {
            endInput(with: exchange)
        } else if expectsContinue, !exchange.request.isOld {
            awaitsContinue = true
            sendContinue()
        }
    }

    private func received(_ piece: ByteBuffer) {
        bodySince = loop.tick
        awaitsContinue = false
        if let incoming, !incoming.receive(piece) { endInput(with: incoming) }
    }

    private func receivedEnd() {
        guard let exchange = incoming.take() else { return }
        awaitsContinue = false
        if exchange.request.asksUpgrade {
            // What comes behind may not be HTTP: it waits until it is known whose it is.
            isFull = true
        } else if exchange.closes {
            isLast = true
        }
        submit(exchange)
    }

    // MARK: Requests

    /// Tells the client to go on, once nothing stands before its request.
    private func sendContinue() {
        guard awaitsContinue, active == nil, waiting.isEmpty else { return }
        awaitsContinue = false
        writeContinue()
    }

    /// Refuses what the client is sending, in its turn, and reads no further.
    private func refuse(_ refusal: Exchange.Refusal) {
        guard phase == .open else { return }
        let exchange = incoming ?? gateway.exchange(refusing: refusal, on: self)
        exchange.refuse(refusal)
        endInput(with: exchange)
    }

    private func endInput(with exchange: Exchange) {
        phase = .draining
        exchange.refuse(
            exchange.refusal.map { Exchange.Refusal($0.error, headers: $0.headers, closes: true) }
                ?? .malformed
        )
        incoming = nil
        submit(exchange)
        dropInput()
    }

    private func submit(_ exchange: Exchange) {
        quietSince = loop.tick
        if active == nil, waiting.isEmpty, isWritable {
            active = exchange
            return exchange.start()
        }
        waiting.append(exchange)
        if waiting.count >= settings.maxPipelined, phase == .open { stopReading() }
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
        if isFull, phase == .open, waiting.count < settings.maxPipelined, active?.closes != true {
            startReading()
        }
        if awaitsContinue { sendContinue() }
    }

    /// The exchange has written all it will.
    func ended(_ exchange: Exchange, _ ending: ReplyEnding) {
        guard exchange === active else { return }
        active = nil
        quietSince = loop.tick
        bodySince = loop.tick
        if partialSince != nil { partialSince = loop.tick }
        if ending != .cut { endBody() }
        flush()
        guard phase != .upgraded, ending != .whole else { return advance() }
        let isWhole = phase == .open && incoming == nil && waiting.isEmpty && held == nil && !hasDropped
        phase = .draining
        drop()
        whenWritten { $0.closeGently(isWhole) }
        dropInput()
    }

    // MARK: Reading on and off

    /// Only a client that has sent as many requests as may wait costs the two calls of the kernel.
    private func stopReading() {
        isFull = true
        setReading(false)
    }

    private func startReading() {
        isFull = false
        parseHeld()
        if !isFull { setReading(true) }
    }

    /// From now on what comes is dropped.
    private func dropInput() {
        held = nil
        if isFull { setReading(true) }
        isFull = false
    }

    private func setReading(_ reads: Bool) {
        // Fails on a channel that is closed, which reads nothing anyway.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    // MARK: The end

    private func closeGently(_ isWhole: Bool) {
        guard let context, phase == .draining else { return }
        guard !isWhole else { return context.close(promise: nil) }
        phase = .lingering
        quietSince = loop.tick
        context.close(mode: .output, promise: nil)
    }

    func sweep() {
        if phase == .upgraded {
            return
        } else if phase == .lingering {
            if passed(settings.lingerTimeout, since: quietSince) { abort() }
        } else if unwritten > 0 || !isWritable {
            if passed(settings.stallTimeout, since: stalledSince) { abort() }
        } else if let active {
            active.sweep()
        } else if let partialSince {
            if passed(settings.headerTimeout, since: partialSince) { refuse(.slow) }
        } else if incoming != nil {
            if passed(settings.bodyTimeout, since: bodySince) { refuse(.slow) }
        } else if passed(settings.idleTimeout, since: quietSince) {
            abort()
        }
    }

    var isUpgraded: Bool { phase == .upgraded }

    func retire() {
        if phase == .upgraded {
            context?.fireUserInboundEventTriggered(Retire())
        } else if active == nil, waiting.isEmpty, incoming == nil, partialSince == nil {
            abort()
        }
    }

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
        held = nil
        pending = nil
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

    /// Marks the connection as another handler's, and gives that what was held for it.
    func handOver(_ context: ChannelHandlerContext) {
        phase = .upgraded
        let rest = held.take()
        isFull = false
        setReading(true)
        if let rest { context.fireChannelRead(NIOAny(rest)) }
        if rest != nil { context.fireChannelReadComplete() }
    }
}
