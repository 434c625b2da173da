import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import TLS
import TestSupport
import Testing

/// A server that speaks TLS, with a certificate of its own.
func secured(
    _ functions: FakeFunctions = .echo(),
    server: ServerSettings = ServerSettings(),
    _ body: (TestServer) async throws -> Void
) async throws {
    let workspace = Workspace()
    let made = try await TestCertificate.make("own", for: ["localhost"], in: workspace)
    let certificates = try CertificateStore([
        CertificateFiles(certificate: made.certificate, key: made.key)
    ])
    try await TestServer.run(functions, server: server, layer: SecureLayer(certificates), body)
}

private func curl(_ server: TestServer, _ path: String, _ arguments: [String] = []) async throws -> [String] {
    let format = "\n%{http_version} %{http_code}"
    let url = "https://127.0.0.1:\(server.server.port)\(path)"
    let ran = try await Curl.run(["-k", "-w", format] + arguments + [url])
    #expect(ran.code == 0, "\(ran.all)")
    return ran.output.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        .map(
            String.init
        )
}

@Suite("HTTP/2 and TLS with real clients", .timeLimit(.minutes(1)))
struct SecureClientTests {
    @Test("a client speaks HTTP/2 or HTTP/1.1, as it wishes, to the same functions", arguments: ["2", "1.1"])
    func both(version: String) async throws {
        let functions = FakeFunctions.echo()
        try await secured(functions) { server in
            let flag = ["--http\(version)"]
            let post = try await curl(
                server,
                "/v1/echo",
                flag + ["-d", "{\"a\":1}", "-H", "Cookie: a=1", "-H", "Cookie: b=2"]
            )
            #expect(post == ["{\"a\":1}", "\(version) 200"])
            let invocation = functions.runs.value[0].invocation
            #expect(invocation.event.request?.scheme == "https")
            #expect(invocation.event.request?.clientAddress == "127.0.0.1")
            #expect(invocation.event.request?.headers.first("host")?.hasPrefix("127.0.0.1:") == true)
            #expect(try await curl(server, "/none", flag).last == "\(version) 404")
            #expect(try await curl(server, "/v1/keyed", flag).last == "\(version) 405")
            let long = String(repeating: "1", count: 1001)
            #expect(try await curl(server, "/v1/echo", flag + ["-d", long]).last == "\(version) 413")
            let head = try await curl(server, "/v1/echo", flag + ["-I"])
            #expect(head.contains { $0.hasPrefix("x-swiftlet-invocation: ") })
            #expect(head.last == "\(version) 200")
        }
    }

    @Test("half a megabyte that comes in pieces arrives whole", arguments: ["2", "1.1"])
    func stream(version: String) async throws {
        let piece = String(repeating: "0123456789abcdef", count: 4096)
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [Header("content-type", "application/octet-stream")])
            @Sendable func send(_ left: Int) {
                guard left > 0 else { return sink.end(.replied(status: 200)) }
                sink.chunk(piece)
                sink.eventLoop.execute { send(left - 1) }
            }
            send(8)
        }
        try await secured(functions) { server in
            let answer = try await curl(server, "/v1/echo", ["--http\(version)"])
            #expect(answer[0].utf8.count == 1 << 19)
            #expect(answer[0].hasPrefix(piece) && answer[0].hasSuffix(piece))
        }
    }

    @Test("TLS 1.1 is refused, and so is a client that speaks no TLS; one that says nothing is let go")
    func refused() async throws {
        var settings = ServerSettings()
        settings.headerTimeout = .milliseconds(50)
        settings.sweepInterval = .milliseconds(10)
        try await secured(server: settings) { server in
            let url = "https://127.0.0.1:\(server.server.port)/v1/echo"
            // 35: the handshake failed.
            #expect(try await Curl.run(["-k", "--tls-max", "1.1", url]).code == 35)
            let plain = try await server.client()
            try await plain.send(TestServer.get("/v1/echo"))
            #expect(await !plain.waitsForClose().contains("HTTP/1.1 200"))
            let silent = try await server.client()
            await silent.waitsForClose()
        }
    }
}

@Suite("HTTP/2 frame by frame", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    /// A function that answers when the test says so.
    private func holding() -> FakeFunctions { FakeFunctions { _, _, _ in } }

    @Test("a stream that the client takes back cancels its function, and the connection goes on")
    func reset() async throws {
        let functions = holding()
        try await secured(functions) { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(.request(1, "GET", "/v1/echo"))
            let run = await functions.run(1)
            try await client.send(.reset(1))
            _ = await run.isCancelled.wait { $0 }
            try await client.send(.request(3, "GET", "/none"))
            await client.frame { $0.stream == 3 && $0.endsStream }
            #expect(client.body(3).contains("not_found"))
            try await client.close()
        }
    }

    @Test("a client that goes away cancels all that it asked for")
    func gone() async throws {
        let functions = holding()
        try await secured(functions) { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(.request(1, "GET", "/v1/echo"), .request(3, "GET", "/v1/echo"))
            let (first, second) = (await functions.run(1), await functions.run(2))
            try await client.close()
            _ = await first.isCancelled.wait { $0 }
            _ = await second.isCancelled.wait { $0 }
        }
    }

    @Test("a reply flows as far as the client's window goes, and so does the function's credit")
    func window() async throws {
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [])
            sink.chunk(String(repeating: "a", count: 100))
        }
        try await secured(functions) { server in
            // 4: the window of each stream.
            let client = try await RawClient.http2(server.server.port, settings: [(4, 10)])
            try await client.send(.request(1, "GET", "/v1/echo"))
            let run = await functions.run(1)
            await client.frame { $0.kind == .data }
            // A ping's answer comes behind all that the server would have sent before it.
            try await client.send(WireFrame(kind: .ping, payload: Array("12345678".utf8)))
            await client.frame { $0.kind == .ping && $0.flags == 1 }
            #expect(client.body(1) == String(repeating: "a", count: 10))
            #expect(run.granted.value == 0)
            try await client.send(.window(1, 1000))
            _ = await run.granted.wait { $0 == 100 }
            try await run.act { $0.end(.replied(status: 200)) }
            await client.frame { $0.stream == 1 && $0.endsStream }
            #expect(client.body(1) == String(repeating: "a", count: 100))
            try await client.close()
        }
    }

    @Test("a client that takes nothing is let go, and one that sends no body is told")
    func stalls() async throws {
        var settings = ServerSettings()
        settings.stallTimeout = .milliseconds(60)
        settings.bodyTimeout = .milliseconds(60)
        settings.sweepInterval = .milliseconds(10)
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [])
            sink.chunk(String(repeating: "a", count: 100))
        }
        try await secured(functions, server: settings) { server in
            let client = try await RawClient.http2(server.server.port, settings: [(4, 10)])
            try await client.send(.request(1, "GET", "/v1/echo"))
            let run = await functions.run(1)
            let reset = await client.frame { $0.kind == .reset }
            #expect(reset?.stream == 1)
            _ = await run.isCancelled.wait { $0 }
            try await client.send(.window(0, 1000), .request(3, "POST", "/v1/echo", ends: false))
            await client.frame { $0.stream == 3 && $0.kind == .headers }
            let told = await client.frame { $0.stream == 3 && $0.kind == .data }
            #expect(told != nil)
            try await client.close()
        }
    }

    @Test("a client that waits for leave to send its body gets it")
    func expects() async throws {
        try await secured { server in
            let client = try await RawClient.http2(server.server.port)
            let fields = [
                (":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/v1/echo"),
                ("expect", "100-continue"),
            ]
            try await client.send(.headers(1, fields, ends: false))
            let leave = await client.frame { $0.stream == 1 && $0.kind == .headers }
            #expect(leave?.endsStream == false)
            try await client.send(.data(1, "{}"))
            await client.frame { $0.stream == 1 && $0.endsStream }
            #expect(client.body(1) == "{}")
            try await client.close()
        }
    }

    @Test("a body over the limit is answered before its end, and the rest is not wanted")
    func tooLong() async throws {
        try await secured { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(
                .request(1, "POST", "/v1/echo", ends: false),
                .data(1, String(repeating: "1", count: 1001), ends: false)
            )
            // 0: no error; the answer is whole.
            #expect(await client.frame { $0.kind == .reset && $0.stream == 1 }?.code == 0)
            #expect(client.body(1).contains("payload_too_large"))
            try await client.close()
        }
    }

    @Test("heads that say too little, too much or two things are refused, and the connection goes on")
    func heads() async throws {
        try await secured { server in
            let usual = [(":method", "GET"), (":scheme", "https"), (":path", "/v1/echo")]
            let client = try await RawClient.http2(server.server.port)
            let answered: [([(String, String)], String)] = [
                (usual, "bad_request"),
                (usual + [(":authority", "a"), ("host", "b")], "bad_request"),
                (usual + [("host", "a"), ("host", "a")], "bad_request"),
                (usual.dropLast() + [(":path", "v1"), (":authority", "a")], "bad_request"),
                (
                    usual.dropLast() + [
                        (":path", "/" + String(repeating: "a", count: 9000)), (":authority", "a"),
                    ], "target_too_long"
                ),
            ]
            var stream: UInt32 = 1
            for (fields, code) in answered {
                let number = stream
                try await client.send(.headers(number, fields))
                #expect(await client.frame { $0.stream == number && $0.endsStream } != nil)
                #expect(client.body(number).contains(code), "\(code): \(client.body(number))")
                stream += 2
            }
            try await client.close()
        }
    }

    @Test("a stream beyond the number that was said is refused, and the others go on")
    func concurrent() async throws {
        let functions = holding()
        var settings = ServerSettings()
        settings.maxStreams = 2
        try await secured(functions, server: settings) { server in
            let client = try await RawClient.http2(server.server.port)
            let said = await client.frame { $0.kind == .settings && $0.flags == 0 }
            #expect(said?.setting(3) == 2)
            try await client.send(WireFrame(kind: .settings, flags: 1))
            for stream: UInt32 in [1, 3, 5] { try await client.send(.request(stream, "GET", "/v1/echo")) }
            let refused = await client.frame { $0.kind == .reset }
            // 7: nothing has been done for it.
            #expect(refused?.stream == 5 && refused?.code == 7)
            #expect(functions.runs.value.count == 2)
            try await functions.run(2).act { $0.reply(Bytes("done")) }
            await client.frame { $0.stream == 3 && $0.endsStream }
            try await client.send(.request(7, "GET", "/v1/echo"))
            try await functions.run(3).act { $0.reply(Bytes("more")) }
            await client.frame { $0.stream == 7 && $0.endsStream }
            #expect(client.body(3) == "done" && client.body(7) == "more")
            try await client.close()
        }
    }

    @Test("one who opens streams only to take them back is shown out")
    func rapidReset() async throws {
        let functions = holding()
        try await secured(functions) { server in
            let client = try await RawClient.http2(server.server.port)
            for stream in (0..<400).map({ UInt32($0 * 2 + 1) }) {
                client.push([WireFrame.request(stream, "GET", "/v1/echo"), .reset(stream)].flatMap(\.bytes))
            }
            await client.waitsForClose()
            // 11: enhance your calm.
            #expect(client.frames.contains { $0.kind == .goAway && $0.code == 11 })
            #expect(functions.runs.value.count <= 202)
            for run in functions.runs.value { _ = await run.isCancelled.wait { $0 } }
        }
    }

    @Test("fields that break the protocol end their stream, and the connection goes on")
    func malformed() async throws {
        try await secured { server in
            let client = try await RawClient.http2(server.server.port)
            let usual = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/none")]
            let broken: [[(String, String)]] = [
                Array(usual.dropLast()), usual + [(":path", "/twice")], usual + [(":unknown", "1")],
                [("early", "1")] + usual, usual + [("Capital", "1")], usual + [("connection", "close")],
            ]
            for (index, fields) in broken.enumerated() {
                let stream = UInt32(index * 2 + 1)
                try await client.send(.headers(stream, fields))
                let reset = await client.frame { $0.stream == stream }
                // 1: against the protocol.
                #expect(reset?.kind == .reset && reset?.code == 1, "\(fields): \(String(describing: reset))")
            }
            try await client.send(.headers(101, usual))
            await client.frame { $0.stream == 101 && $0.endsStream }
            #expect(client.body(101).contains("not_found"))
            try await client.close()
        }
    }

    @Test("a field over the limit is answered with 431; one far over it ends the connection")
    func longField() async throws {
        try await secured { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(WireFrame(kind: .settings, flags: 1))
            let usual = [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/none")]
            for (stream, size) in [(UInt32(1), 40_000), (3, 60_000)] {
                let long = ("x-long", String(repeating: "a", count: size))
                try await client.send(.headers(stream, usual + [long]))
                await client.frame { $0.stream == stream && $0.endsStream }
                #expect(client.body(stream).contains("headers_too_large"), "\(client.body(stream))")
            }
            let longest = ("x-long", String(repeating: "a", count: 200_000))
            client.push(WireFrame.headers(5, usual + [longest]).bytes)
            await client.waitsForClose()
            #expect(client.frames.contains { $0.kind == .goAway && $0.code != 0 })
        }
    }
}
