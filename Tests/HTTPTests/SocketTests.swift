import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Testing

@Suite("WebSocket connections", .timeLimit(.minutes(1)))
struct SocketTests {
    static let handshake =
        "GET /v1/rooms/red?x=1 HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "Sec-WebSocket-Protocol: b, a\r\n"

    /// A short text as a client frames it.
    private static func frame(_ text: String, opcode: UInt8 = 1) -> [UInt8] {
        [0x80 | opcode, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8)
    }

    /// The same as the server frames it.
    private static func answer(_ text: String) -> String { "\u{1}" + text }

    /// Answers messages with themselves, and says of each event what it was.
    private static func talk() -> FakeFunctions {
        FakeFunctions { invocation, sink, _ in
            switch invocation.event.connection?.phase {
            case .message: sink.reply(invocation.event.body)
            default: sink.reply()
            }
        }
    }

    private func open(
        _ server: TestServer,
        _ more: String = "",
        then frames: [UInt8] = []
    ) async throws -> RawClient {
        let client = try await server.client()
        try await client.send(Array((SocketTests.handshake + more + "\r\n").utf8) + frames)
        return client
    }

    @Test("connect, messages and disconnect reach the function with the id, the path and the query")
    func events() async throws {
        let functions = SocketTests.talk()
        try await TestServer.run(functions) { server in
            let client = try await open(server, "Cookie: c\r\n", then: SocketTests.frame("first"))
            let text = await client.waits(for: "first")
            #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(text.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(text.contains("sec-websocket-protocol: a\r\n"))
            #expect(text.lowercased().contains("connection: upgrade\r\n"))
            try await client.send([0x88, 0x82, 0, 0, 0, 0, 0x0F, 0xA0])
            let events = (1...3).map { $0 }
            var seen: [Event] = []
            for number in events { seen.append(await functions.run(number).invocation.event) }
            #expect(seen.map(\.kind) == [.websocket, .websocket, .websocket])
            #expect(seen.map(\.connection?.phase) == [.connect, .message, .disconnect])
            #expect(Set(seen.map(\.connection?.id)).count == 1)
            #expect(seen[0].connection?.subprotocols == ["b", "a"])
            #expect(seen[1].connection?.subprotocols == ["a"])
            #expect(seen[0].request?.headers.first("cookie") == "c")
            #expect(seen[1].request?.headers.isEmpty == true)
            #expect(seen[1].request?.parameters == ["room": "red"])
            #expect(seen[1].request?.query == ["x": "1"])
            #expect(seen[1].operation == "talk")
            #expect(seen[2].connection?.closeCode == 4000)
            await client.waitsForClose()
        }
    }

    @Test("a conversation cut at any byte is the same conversation")
    func everyCut() async throws {
        let functions = SocketTests.talk()
        try await TestServer.run(functions) { server in
            let all =
                Array((SocketTests.handshake + "\r\n").utf8) + SocketTests.frame("one")
                + SocketTests.frame("two")
            // Every byte of the end, where the protocols meet, and some of what is before.
            let cuts = stride(from: 10, to: all.count - 30, by: 37) + Array((all.count - 30)..<all.count)
            for cut in cuts {
                let client = try await server.client()
                try await client.send(Array(all[..<cut]))
                try await client.send(Array(all[cut...]))
                let text = await client.waits(for: "two")
                #expect(text.contains("one"), "cut at \(cut)")
                try await client.close()
            }
        }
    }

    @Test("a refusal of the function is the answer to the request, and its connection ends")
    func refused() async throws {
        let functions = FakeFunctions { _, sink, _ in sink.reply(status: 403, "not you") }
        try await TestServer.run(functions) { server in
            let client = try await open(server)
            let response = try await client.response()
            #expect(response.status == 403 && response.body == "not you")
            await client.waitsForClose()
            #expect(functions.runs.value.count == 1)
        }
    }

    @Test("a subprotocol that was not offered, and a field that HTTP forbids, are the function's fault")
    func badReply() async throws {
        for header in [Header("sec-websocket-protocol", "z"), Header("x", "a\nb")] {
            let functions = FakeFunctions { _, sink, _ in sink.reply(headers: [header]) }
            try await TestServer.run(functions) { server in
                let client = try await open(server)
                #expect(try await client.response().status == 502)
                #expect(await functions.run(2).invocation.event.connection?.phase == .disconnect)
            }
        }
    }

    @Test("one connection more than the manifest allows is refused, until one has gone")
    func bound() async throws {
        try await TestServer.run(SocketTests.talk()) { server in
            let first = try await open(server, then: SocketTests.frame("in"))
            await first.waits(for: "in")
            let second = try await open(server, then: SocketTests.frame("in"))
            await second.waits(for: "in")
            let third = try await open(server)
            let response = try await third.response()
            #expect(response.status == 503 && response["retry-after"] == "1")
            try await first.close()
            while true {
                let again = try await open(server, then: SocketTests.frame("in"))
                if await again.waits(for: "\r\n\r\n").hasPrefix("HTTP/1.1 101") { break }
            }
        }
    }

    @Test("each write of a reply is a message; one that goes on is sent as it comes")
    func writes() async throws {
        let functions = FakeFunctions { invocation, sink, _ in
            if invocation.event.connection?.phase == .connect { sink.reply() }
        }
        try await TestServer.run(functions) { server in
            let client = try await open(server, then: SocketTests.frame("go"))
            let run = await functions.run(2)
            try await run.act { sink in
                sink.head(status: 200, headers: [])
                for text in ["a", "b"] {
                    sink.chunk(text)
                    sink.written()
                }
                sink.chunk("begin")
                sink.chunk("go on")
            }
            #expect(await client.waits(for: "begin").hasSuffix("\u{1}a\u{FFFD}\u{1}b\u{1}\u{5}begin"))
            try await run.act { sink in
                sink.written()
                sink.end(.replied(status: 200))
            }
            #expect(await client.waits(for: "go on").hasSuffix("begin\u{FFFD}\u{5}go on"))
            #expect(await run.granted.wait { $0 == 12 } == 12)
        }
    }

    @Test("a reply to a client that has left is cancelled, and disconnect comes behind it")
    func left() async throws {
        let functions = FakeFunctions { invocation, sink, _ in
            if invocation.event.connection?.phase != .message { sink.reply() }
        }
        try await TestServer.run(functions) { server in
            let client = try await open(server, then: SocketTests.frame("go"))
            let run = await functions.run(2)
            try await client.close()
            while !run.isCancelled.value {
                try await run.act { $0.chunk("more") }
            }
            #expect(functions.runs.value.count == 2)
            try await run.act { $0.end(.cancelled) }
            let event = await functions.run(3).invocation.event
            #expect(event.connection?.closeCode == 1006)
        }
    }

    @Test("a stopping server says 1001, behind the reply that is under way")
    func stopping() async throws {
        let functions = FakeFunctions { invocation, sink, _ in
            if invocation.event.connection?.phase != .message { sink.reply() }
        }
        try await TestServer.run(functions) { server in
            let idle = try await open(server)
            await idle.waits(for: "\r\n\r\n")
            let busy = try await open(server, then: SocketTests.frame("go"))
            let run = await functions.run(3)
            async let stop: Void = server.server.stop(grace: .seconds(20))
            #expect(await idle.waits(for: "stopping").contains("the host is stopping"))
            try await run.act { $0.reply("done") }
            #expect(await busy.waits(for: "stopping").contains("done"))
            try await idle.close()
            try await busy.close()
            await stop
        }
    }
}
