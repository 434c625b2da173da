import FunctionCore
import NIOCore
import NIOHTTP1

/// One connection of a runtime to its Runtime API.
// SAFETY: all state is touched on the worker's loop only, where the channel lives.
final class RuntimeConnection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the body that comes is for.
    enum Receiving {
        /// Nothing: it is read and forgotten, and then this is answered.
        case nothing(RuntimeAnswer)
        case next
        case reply(RuntimeMachine.Key, HTTPRequestHead)
        case stream(RuntimeMachine.Key)
        case error(RuntimeMachine.Key, HTTPRequestHead)
        case initError(HTTPRequestHead)
    }

    let client: RuntimeMachine.Client
    private let worker: RuntimeWorker
    private var context: ChannelHandlerContext?
    var receiving: Receiving?
    /// Of the request that comes.
    var head: HTTPRequestHead?
    var body = ByteBuffer()
    private var isReading = true
    /// Waits for an event.
    var isWaiting = false

    init(client: RuntimeMachine.Client, worker: RuntimeWorker) {
        self.client = client
        self.worker = worker
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        worker.opened(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
                let go = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
            }
            body = ByteBuffer()
            worker.received(head, from: self)
        case .body(let piece):
            worker.received(piece, from: self)
        case .end(let trailers):
            worker.receivedEnd(trailers, from: self)
        }
    }

    /// Whose it is, where that is known.
    var user: UInt32? { context.flatMap { ConnectionOwner.user(of: $0.channel) } }

    /// Sends a whole answer.
    func respond(_ status: Int, _ headers: HTTPHeaders, _ body: ByteBuffer) {
        guard let context else { return }
        var headers = headers
        headers.add(name: "content-length", value: String(body.readableBytes))
        let head = HTTPResponseHead(
            version: .http1_1,
            status: HTTPResponseStatus(statusCode: status),
            headers: headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Stops reading while a reader is slow, and goes on.
    func setReading(_ on: Bool) {
        guard on != isReading else { return }
        isReading = on
        context?.channel.setOption(.autoRead, value: on).whenFailure { _ in }
    }

    func close() { context?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        worker.brokeOff(self)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The decoder has told of a body that broke off before it passes this on.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.closed(self)
        self.context = nil
    }
}
