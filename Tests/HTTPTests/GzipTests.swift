import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import TestSupport
import Testing

@Suite("Compressed replies", .timeLimit(.minutes(1)))
struct GzipTests {
    private static let text = String(repeating: "{\"name\": \"value\"},\n", count: 300)

    private static func replying(_ type: String, _ body: String, _ headers: [Header] = []) -> FakeFunctions {
        FakeFunctions { _, sink, _ in
            sink.reply(headers: [Header("content-type", type)] + headers, Bytes(body))
        }
    }

    private static let asking = "Accept-Encoding: gzip\r\n"

    private func url(_ server: TestServer) -> String { "http://127.0.0.1:\(server.server.port)/v1/echo" }

    @Test("a long reply of text is compressed for a client that takes it, and its tag weakened")
    func compresses() async throws {
        let functions = GzipTests.replying("application/json", GzipTests.text, [Header("ETag", "\"1\"")])
        try await TestServer.run(functions) { server in
            let head = try await server.ask(TestServer.get("/v1/echo", GzipTests.asking))
            #expect(head["content-encoding"] == "gzip")
            #expect(head["vary"] == "Accept-Encoding")
            #expect(head["etag"] == "W/\"1\"")
            #expect(head["content-length"].flatMap { Int($0) } ?? 0 < 200)
            let curl = try await Curl.run(["--compressed", url(server)])
            #expect(curl.output == GzipTests.text)
        }
    }

    @Test("a client that does not take it, or asks for the head alone, is told that others may get another")
    func varies() async throws {
        try await TestServer.run(GzipTests.replying("text/plain", GzipTests.text)) { server in
            let plain = try await server.ask(TestServer.get("/v1/echo"))
            #expect(plain.body == GzipTests.text)
            #expect(plain["content-encoding"] == nil)
            #expect(plain["vary"] == "Accept-Encoding")
            let request = "HEAD /v1/echo HTTP/1.1\r\nHost: test\r\n\(GzipTests.asking)\r\n"
            let head = try await server.ask(request, isHead: true)
            #expect(head["content-encoding"] == nil)
            #expect(head["vary"] == "Accept-Encoding")
            let old = "GET /v1/echo HTTP/1.0\r\n\(GzipTests.asking)\r\n"
            #expect(try await server.ask(old)["content-encoding"] == nil)
        }
    }

    @Test(
        "what is short, encoded, a picture, a part or not to be changed stays as it is",
        arguments: [
            ("text/plain", "short", []), ("image/png", nil, []),
            ("text/plain", nil, [Header("Content-Encoding", "br")]),
            ("text/plain", nil, [Header("Cache-Control", "public, No-Transform")]),
            ("text/plain", nil, [Header("Content-Digest", "sha-256=:x:")]), ("text/event-stream", nil, []),
            ("", nil, []),
        ] as [(String, String?, [Header])]
    )
    func leaves(type: String, body: String?, headers: [Header]) async throws {
        let body = body ?? GzipTests.text
        try await TestServer.run(GzipTests.replying(type, body, headers)) { server in
            let answer = try await server.ask(TestServer.get("/v1/echo", GzipTests.asking))
            #expect(answer.body == body)
            #expect(answer["content-encoding"] != "gzip")
            #expect(answer["vary"] == nil)
        }
    }

    @Test(
        "a stream comes out piece by piece, and an event stream as it is",
        arguments: ["text/plain", "text/event-stream"]
    )
    func streams(type: String) async throws {
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [Header("content-type", type)])
            sink.chunk("first,")
        }
        try await TestServer.run(functions) { server in
            let client = try await server.client()
            try await client.send(TestServer.get("/v1/echo", GzipTests.asking))
            let run = await functions.run(1)
            // The first piece is out before the second exists.
            await client.waits(for: "\r\n\r\n")
            _ = await run.granted.wait { $0 == 6 }
            #expect(client.text.contains("first,") == (type == "text/event-stream"))
            try await run.act { sink in
                sink.chunk("second")
                sink.end(.replied(status: 200))
            }
            await client.waits(for: "\r\n0\r\n\r\n")
            #expect(client.text.contains("content-encoding: gzip") == (type == "text/plain"))
        }
        let whole = FakeFunctions { _, sink, run in
            sink.head(status: 200, headers: [Header("content-type", type)])
            sink.eventLoop.execute {
                sink.chunk("first,")
                sink.eventLoop.execute {
                    sink.chunk("second")
                    sink.end(.replied(status: 200))
                }
            }
        }
        try await TestServer.run(whole) { server in
            let curl = try await Curl.run(["--compressed", url(server)])
            #expect(curl.output == "first,second")
        }
    }

    @Test("a body too long for the loop is compressed on a thread, and arrives whole")
    func long() async throws {
        let text = (0..<60_000).map { "line \($0)" }.joined(separator: "\n")
        try await TestServer.run(GzipTests.replying("text/plain", text)) { server in
            let curl = try await Curl.run(["--compressed", url(server)])
            #expect(curl.output == text)
            let client = try await server.client()
            try await client.send(TestServer.get("/v1/echo", GzipTests.asking))
            try await client.close()
            _ = await server.reports.wait { $0.count == 2 }
        }
    }

    @Test("a host may leave it to others")
    func off() async throws {
        var settings = GatewaySettings()
        settings.compresses = false
        try await TestServer.run(GzipTests.replying("text/plain", GzipTests.text), settings: settings) {
            server in
            let answer = try await server.ask(TestServer.get("/v1/echo", GzipTests.asking))
            #expect(answer["content-encoding"] == nil)
            #expect(answer["vary"] == nil)
        }
    }
}
