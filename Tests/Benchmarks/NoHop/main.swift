import ShopOrders
import FunctionCore
import NIOCore
import NIOHTTP1
import NIOPosix

// NIO's HTTP server as it comes, on one event loop, answering in the process that reads: what there would be without
// workers. `/echo` sends the body back, `/typed` reads it as an order and writes that.

final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var piece): body.writeBuffer(&piece)
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        var status = HTTPResponseStatus.ok
        if head.uri == "/typed" {
            do {
                let order = try JSONCoder.decode(ShopOrder.self, from: Bytes(Array(body.readableBytesView)))
                body = ByteBuffer(bytes: try JSONCoder.encode(order).array)
            } catch {
                status = .unprocessableEntity
                body = ByteBuffer(string: "\(error)")
            }
        }
        let headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": String(body.readableBytes),
        ]
        let response = HTTPResponseHead(version: head.version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

guard let port = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }) else {
    preconditionFailure("usage: nohop PORT")
}
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let server = ServerBootstrap(group: group)
    .serverChannelOption(.backlog, value: 1024)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
            try channel.pipeline.syncOperations.addHandler(EchoHandler())
        }
    }
try await server.bind(host: "127.0.0.1", port: port).get().closeFuture.get()
