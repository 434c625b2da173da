import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Hostile and broken clients", .timeLimit(.minutes(1)))
struct HostileTests {
    @Test(
        "what is not HTTP as the RFC has it is answered with 400 and the connection's end",
        arguments: [
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc",
            "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
            "GET /v1/echo HTTP/1.1\r\nHost: h\r\nX-Folded: a\r\n b\r\n\r\n",
            "GET /v1/echo HTTP/1.1\r\nHost : h\r\n\r\n",
            "GET /v1/echo HTTP/1.1\r\nHost: h\r\nX\0Y: a\r\n\r\n",
            "GET /v1/echo HTTP/1.1\r\n\r\n",
            "GET /v1/echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}",
            "GET\r\n\r\n",
        ]
    )
    func malformed(text: String) async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            // A second request behind the broken one must never be seen: that would be smuggling.
            try await client.send(text + TestServer.get("/v1/echo"))
            let response = try await client.response()
            #expect(response.status == 400 && response["connection"] == "close")
            #expect(response.body.hasPrefix(#"{"error":{"code":"bad_request","message":""#))
            #expect(await client.waitsForClose() == "")
            #expect(functions.runs.value.isEmpty)
        }
    }

    @Test("another version of HTTP is refused", arguments: ["HTTP/3.7", "HTTP/2.0", "HTTP/0.9"])
    func version(version: String) async throws {
        try await TestServer.run { host in
            let status = try await host.ask("GET / \(version)\r\nHost: h\r\n\r\n").status
            #expect(status == 505)
        }
    }

    @Test("a transfer coding that is not known, and a tunnel, are refused with 501")
    func notImplemented() async throws {
        try await TestServer.run { host in
            let coded = "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
            let response = try await host.ask(coded)
            #expect(response.status == 501 && response["connection"] == "close")
            let tunnel = try await host.ask("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n")
            #expect(tunnel.status == 501 && tunnel["connection"] == "close")
        }
    }

    @Test("a method that nobody knows is one to the report, whatever it is called")
    func inventedMethods() async throws {
        try await TestServer.run { host in
            let response = try await host.ask("BREW /v1/echo HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(response.status == 405 && response["allow"] == "GET, HEAD, POST")
            #expect(await host.reports.wait { !$0.isEmpty }.map(\.method) == ["OTHER"])
        }
    }

    @Test("a header over 32 KiB, or of too many fields, is answered with 431")
    func headers() async throws {
        try await TestServer.run { host in
            let long = "X-Long: \(String(repeating: "a", count: 33 * 1024))\r\n"
            #expect(try await host.ask(TestServer.get("/v1/echo", long)).status == 431)
            let wide = (0..<50).map { "X-\($0): \(String(repeating: "/", count: 1024))\r\n" }.joined()
            #expect(try await host.ask(TestServer.get("/v1/echo", wide)).status == 431)
            let many = (0..<200).map { "X-\($0): 1\r\n" }.joined()
            let response = try await host.ask(TestServer.get("/v1/echo", many))
            #expect(response.status == 431)
            #expect(
                response.golden == #"{"error":{"code":"headers_too_large","message":"#
                    + #""the header is over 32768 bytes or has too many fields","invocation":"ID"}}"#
            )
        }
    }

    @Test("a target over 8 KiB is answered with 414, however long it is", arguments: [8193, 50_000])
    func target(length: Int) async throws {
        try await TestServer.run { host in
            let path = "/" + String(repeating: "a", count: length)
            let response = try await host.ask(TestServer.get(path))
            #expect(response.status == 414)
            #expect(
                response.golden == #"{"error":{"code":"target_too_long","message":"#
                    + #""the request target is over 8192 bytes","invocation":"ID"}}"#
            )
        }
    }

    @Test("a body whose stated length is over the limit is refused before it is sent")
    func statedLength() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            try await client.send("POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")
            let response = try await client.response()
            #expect(response.status == 413 && response["connection"] == "close")
            #expect(
                response.golden == #"{"error":{"code":"payload_too_large","message":"#
                    + #""the body is over 1000 bytes, which is the limit of this route","invocation":"ID"}}"#
            )
        }
    }

    @Test("a chunked body is refused where it passes the limit")
    func chunkedLength() async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send("POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "1f4\r\n\(String(repeating: "a", count: 500))\r\n"
            try await client.send(chunk + chunk + chunk)
            #expect(try await client.response().status == 413)
            #expect(functions.runs.value.isEmpty)
        }
    }

    @Test("a client that goes on sending after a refusal still gets the answer")
    func lingers() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            client.push("POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n")
            client.push(String(repeating: "a", count: 4_000_000))
            #expect(try await client.response().status == 413)
        }
    }

    @Test("the rest of a request that found no route is read, and the connection goes on")
    func keepsConnection() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            try await client.send(TestServer.post("/nowhere", "{}") + TestServer.post("/v1/echo", "{}"))
            #expect(try await client.response().status == 404)
            #expect(try await client.response().status == 200)
        }
    }

    @Test("a request for another protocol is answered in this one, and the connection ends")
    func upgrade() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo", "Connection: Upgrade\r\nUpgrade: h2c\r\n"))
            let response = try await client.response()
            #expect(response.status == 200 && response["connection"] == "close")
            await client.waitsForClose()
        }
    }

    @Test("a client that dawdles over its header or its body gets 408, and an idle one is let go")
    func slow() async throws {
        var settings = ServerSettings()
        settings.sweepInterval = .milliseconds(10)
        settings.headerTimeout = .milliseconds(30)
        settings.bodyTimeout = .milliseconds(30)
        settings.idleTimeout = .milliseconds(60)
        try await TestServer.run(server: settings) { host in
            let header = try await host.client()
            try await header.send("GET /v1/echo HTTP/1.1\r\nHos")
            #expect(try await header.response().status == 408)
            let body = try await host.client()
            try await body.send("POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
            let response = try await body.response()
            #expect(response.status == 408)
            #expect(
                response.golden == #"{"error":{"code":"request_timeout","message":"#
                    + #""the request did not arrive in time","invocation":"ID"}}"#
            )
            let idle = try await host.client()
            #expect(await idle.waitsForClose() == "")
        }
    }
}
