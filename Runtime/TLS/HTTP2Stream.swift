import FunctionCore
import HTTPTrigger
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One stream of an HTTP/2 connection: one request, and the output of its exchange.
///
/// Flow control holds both ways: a client sends as far as the window goes, which NIO opens as bytes are
/// taken, and a piece's promise is kept when the client's window has let it out, so that a function gets its
/// credit no sooner.
// SAFETY: a channel handler, and so confined to its channel's loop, which is that of the connection.
final class HTTP2Stream: ChannelInboundHandler, ReplyOutput, @unchecked Sendable {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let connection: HTTP2Connection
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private var hasStarted = false
    /// The request's end has come.
    private var isComplete = false
    /// The answer's end has gone to the channel.
    private var isEnded = false

    // Ticks since which something has been so, for the sweep.
    private var bodySince = 0
    private var stalledSince = 0
    /// Pieces that are not with the kernel.
    private var unwritten = 0
    /// The answer is whole, and the rest of the request is not wanted.
    private var resetsAfterwards = false

    init(_ connection: HTTP2Connection) {
        self.connection = connection
    }

    var loop: ServerLoop { connection.front.loop }
    var settings: ServerSettings { connection.front.settings }
    var remoteAddress: String { connection.remoteAddress }
    var isSecure: Bool { true }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connection.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        gone()
    }

    func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bodySince = loop.tick
        connection.heard()
        switch Self.unwrapInboundIn(data) {
        case .headers(let headers):
            if headers.endStream { isComplete = true }
            // A second block are trailers, which nobody here asks for.
            if exchange == nil, !hasStarted { received(headers.headers) }
            if isComplete { start() }
        case .data(let data):
            if data.endStream { isComplete = true }
            if case .byteBuffer(let bytes) = data.data, let exchange, !hasStarted,
                !exchange.receive(bytes)
            {
                start()
            }
            if isComplete { start() }
        default: break
        }
    }

    // MARK: The request

    private func received(_ fields: HPACKHeaders) {
        guard connection.isOpen else {
            hasStarted = true
            write(.rstStream(.refusedStream))
            return flush()
        }
        let exchange: Exchange
        switch HTTP2Request.head(fields, settings) {
        case .head(let head): exchange = connection.front.gateway.exchange(for: head, on: self)
        case .refused(let refusal): exchange = connection.front.gateway.exchange(refusing: refusal, on: self)
        }
        self.exchange = exchange
        if exchange.refusal != nil {
            // Unlike in HTTP/1 nothing stands behind the body, so there is no reason to wait for it.
            start()
        } else if exchange.request.expectsContinue {
            write(.headers(.init(headers: [":status": "100"])))
            flush()
        }
    }

    private func start() {
        guard !hasStarted, let exchange else { return }
        hasStarted = true
        exchange.start()
    }

    // MARK: The answer

    func begin(_ head: ReplyHead) {
        isEnded = !head.sendsBody
        write(.headers(.init(headers: HTTP2Request.fields(head, date: loop.date.text), endStream: isEnded)))
    }

    func reply(_ head: ReplyHead, body: ByteBuffer) {
        begin(head)
        guard !isEnded else { return }
        isEnded = true
        write(.data(.init(data: .byteBuffer(body), endStream: true)), watched: true)
    }

    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        write(.data(.init(data: .byteBuffer(piece))), promise, watched: true)
    }

    func flush() {
        context?.flush()
    }

    func ended(_ exchange: Exchange, _ ending: ReplyEnding) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        if ending == .cut {
            write(.rstStream(.internalError))
        } else {
            if !isEnded {
                write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), watched: true)
            }
            // RFC 9113, 8.1; behind the answer, as a reset drops what the window still holds back.
            resetsAfterwards = !isComplete
        }
        isEnded = true
        flush()
        resetIfDone()
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload,
        _ promise: EventLoopPromise<Void>? = nil,
        watched: Bool = false
    ) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        var promise = promise
        if watched {
            let kept = promise ?? context.eventLoop.makePromise(of: Void.self)
            promise = kept
            if unwritten == 0 { stalledSince = loop.tick }
            unwritten += 1
            kept.futureResult.assumeIsolated().whenComplete { _ in
                self.unwritten -= 1
                self.stalledSince = self.loop.tick
                self.resetIfDone()
            }
        }
        context.write(Self.wrapOutboundOut(payload), promise: promise)
    }

    private func resetIfDone() {
        guard resetsAfterwards, unwritten == 0, !isComplete else { return }
        resetsAfterwards = false
        write(.rstStream(.noError))
        flush()
    }

    // MARK: Limits

    /// Looks whether a limit of time has passed.
    func sweep() {
        if unwritten > 0 {
            guard passed(settings.stallTimeout, since: stalledSince) else { return }
            write(.rstStream(.cancel))
            flush()
        } else if hasStarted {
            exchange?.sweep()
        } else if let exchange, passed(settings.bodyTimeout, since: bodySince) {
            exchange.refuse(.slow)
            start()
        }
    }

    private func passed(_ limit: Duration, since tick: Int) -> Bool {
        settings.sweepInterval * (loop.tick - tick) >= limit
    }

    private func gone() {
        guard context != nil else { return }
        context = nil
        connection.remove(self)
        let exchange = exchange
        self.exchange = nil
        exchange?.leave()
    }
}
