import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import Testing

@testable import HTTPTrigger

@Suite("Upgrades", .timeLimit(.minutes(1)))
struct UpgradeTests {
    /// Answers what it reads with itself in capitals, until the server stops.
    private final class Shouting: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: Self.unwrapInboundIn(data)).uppercased()
            context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is HTTPConnection.Retire { context.close(promise: nil) }
        }
    }

    @Test(
        "a connection that is upgraded belongs to its handler, with the bytes behind the request, and ends with the server",
        arguments: [true, false]
    )
    func upgrade(atOnce: Bool) async throws {
        let functions = FakeFunctions { _, sink, _ in
            guard let exchange = sink as? FunctionExchange else { return }
            let upgrade = { @Sendable in
                #expect(exchange.upgrade(headers: [Header("upgrade", "shout")], to: Shouting()))
            }
            if atOnce { upgrade() } else { sink.eventLoop.execute(upgrade) }
        }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(
                TestServer.get("/v1/echo", "Connection: upgrade\r\nUpgrade: shout\r\n") + "hello"
            )
            let head = await client.waits(for: "HELLO")
            #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nupgrade: shout\r\n"))
            #expect(head.contains("\r\nconnection: upgrade\r\n") && head.hasSuffix("\r\n\r\nHELLO"))
            try await client.send("GET / HTTP/1.1")
            await client.waits(for: "GET / HTTP/1.1")
            #expect(await host.reports.wait { !$0.isEmpty }.map(\.status) == [101])
            await host.server.stop(grace: .seconds(30))
            await client.waitsForClose()
        }
    }
}
