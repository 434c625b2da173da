import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Requests", .timeLimit(.minutes(1)))
struct RequestTests {
    @Test("a function is given the request as it was sent")
    func event() async throws {
        var settings = GatewaySettings()
        settings.principalHeader = "X-User"
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions, settings: settings) { host in
            let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let headers = "X-User: ada\r\ntraceparent: \(trace)\r\nX-Request-Id: r-1\r\n"
            let response = try await host.ask(TestServer.get("/v1/users/a%20b/notes/3?q=%31", headers))
            let invocation = await functions.run(1).invocation
            let request = try #require(invocation.event.request)
            #expect(invocation.function == "echo" && invocation.event.operation == "note")
            #expect(invocation.event.kind == .http && invocation.trigger == "http")
            #expect(invocation.principal == "ada")
            #expect(request.method == "GET" && request.target == "/v1/users/a%20b/notes/3?q=%31")
            #expect(request.parameters == ["user": "a b", "note": "3"])
            #expect(request.headers.map(\.name) == ["Host", "X-User", "traceparent", "X-Request-Id"])
            #expect(invocation.trace.traceID == "0af7651916cd43dd8448eb211c80319c")
            #expect(invocation.trace.spanID != "b7ad6b7169203331")
            #expect(invocation.parent == ParentSpan(0xB7AD_6B71_6920_3331, isRemote: true))
            #expect(response["x-trace-id"] == "0af7651916cd43dd8448eb211c80319c")
            #expect(response["x-request-id"] == "r-1")
            #expect(response["x-swiftlet-invocation"] == invocation.id)
            #expect(response["date"] == "Sat, 21 Nov 2026 02:00:00 GMT")
            #expect(response["server"] == nil && response["connection"] == nil)
        }
    }

    @Test(
        "a function below /console is not sent the session of the host's console, and all else",
        arguments: [
            ("/console/a", "a=1; swiftlet_console_8081=s; b=2", "a=1; b=2"),
            ("/console/a", "swiftlet_console=s", nil), ("/consoles/a", "swiftlet_consoles=s", nil),
            ("/v1/a", "swiftlet_console=s", "swiftlet_console=s"),
        ]
    )
    func consoleCookie(path: String, cookie: String, kept: String?) async throws {
        var manifest = Manifest(name: "own")
        manifest.routes = [Manifest.Route(method: "GET", path: path, operation: "")]
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions, manifests: [manifest]) { host in
            _ = try await host.ask(TestServer.get(path, "Cookie: \(cookie)\r\nX-A: 1\r\n"))
            let headers = await functions.run(1).invocation.event.request?.headers
            #expect(headers?.first("cookie") == kept)
            #expect(headers?.first("x-a") == "1")
        }
    }

    @Test("a body is passed on byte by byte, and comes back with its length")
    func body() async throws {
        try await TestServer.run { host in
            let response = try await host.post("/v1/echo", "{ not JSON at all")
            #expect(response.status == 200 && response.body == "{ not JSON at all")
            #expect(response["content-length"] == "17" && response["transfer-encoding"] == nil)
        }
    }

    @Test("a request id that is malformed or too long is replaced")
    func requestID() async throws {
        try await TestServer.run { host in
            let long = String(repeating: "a", count: 129)
            for id in ["a b", long, "é"] {
                let response = try await host.ask(TestServer.get("/v1/echo", "X-Request-Id: \(id)\r\n"))
                #expect(response["x-request-id"] == response["x-swiftlet-invocation"])
            }
        }
    }

    @Test("a chunked body is put together")
    func chunked() async throws {
        try await TestServer.run { host in
            let text =
                "POST /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\nwiki\r\n5;ext=1\r\npedia\r\n0\r\nTrailer: x\r\n\r\n"
            let response = try await host.ask(text)
            #expect(response.body == "wikipedia")
        }
    }

    @Test("a request that comes byte by byte is read as one that comes at once")
    func byteByByte() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            let text = TestServer.post("/v1/echo", "{}") + TestServer.get("/v1/users/7/notes/1")
            for byte in text.utf8 { try await client.send([byte]) }
            #expect(try await client.response().body == "{}")
            #expect(try await client.response().status == 200)
        }
    }

    @Test("a body of many pieces comes back whole, and the request behind it is not lost")
    func largeBody() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            let body = (0..<50_000).map { String($0) }.joined(separator: ",")
            client.push(TestServer.post("/v1/keyed", body) + TestServer.post("/v1/echo", "{}"))
            #expect(try await client.response().body == body)
            #expect(try await client.response().body == "{}")
        }
    }

    @Test("what curl -d sends is taken")
    func form() async throws {
        try await TestServer.run { host in
            let text =
                "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + "Content-Length: 3\r\n\r\na=b"
            let response = try await host.ask(text)
            #expect(response.status == 200 && response.body == "a=b")
        }
    }

    @Test(
        "a content type that is none, or an encoded body, is answered with 415",
        arguments: [
            ("Content-Type: json\r\n", 415), ("Content-Type: a/b/c\r\n", 415),
            ("Content-Encoding: gzip\r\n", 415),
            ("Content-Type: text/plain; charset\r\n", 415),
            ("Content-Type: text/plain; charset=utf-8\r\n", 200),
            ("Content-Type: multipart/form-data; boundary=\"a;b\"\r\n", 200),
            ("Content-Encoding: identity\r\n", 200),
        ]
    )
    func mediaTypes(header: String, status: Int) async throws {
        try await TestServer.run { host in
            let text = "POST /v1/echo HTTP/1.1\r\nHost: h\r\n\(header)Content-Length: 2\r\n\r\nhi"
            let response = try await host.ask(text)
            #expect(response.status == status)
        }
    }

    @Test("HEAD is answered as GET without the body")
    func head() async throws {
        let functions = FakeFunctions { _, sink, _ in sink.reply("four") }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send("HEAD /v1/echo HTTP/1.1\r\nHost: h\r\n\r\n" + TestServer.get("/v1/echo"))
            let head = try await client.response(isHead: true)
            #expect(head.status == 200 && head["content-length"] == "4")
            #expect(try await client.response().body == "four")
            #expect(await functions.run(1).invocation.event.request?.method == "GET")
        }
    }

    @Test("a client that expects 100 gets it before it sends its body")
    func expectation() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            try await client.send(
                "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
            )
            #expect(try await client.response().status == 100)
            try await client.send("body")
            #expect(try await client.response().body == "body")
        }
    }

    @Test("a client that expects 100 for a body over the limit gets 413 instead")
    func expectationRefused() async throws {
        try await TestServer.run { host in
            let client = try await host.client()
            try await client.send(
                "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n"
            )
            let response = try await client.response()
            #expect(response.status == 413 && response["connection"] == "close")
        }
    }

    @Test("another expectation is answered with 417")
    func unknownExpectation() async throws {
        try await TestServer.run { host in
            let response = try await host.ask(TestServer.get("/v1/echo", "Expect: a-miracle\r\n"))
            #expect(response.status == 417)
        }
    }

    @Test("HTTP/1.0 gets no chunks, and its connection ends unless it asks otherwise")
    func oldClient() async throws {
        let functions = FakeFunctions { _, sink, _ in sink.reply("four") }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send("GET /v1/echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let first = try await client.response()
            #expect(first["connection"] == "keep-alive" && first["content-length"] == "4")
            try await client.send("GET /v1/echo HTTP/1.0\r\n\r\n")
            #expect(try await client.response()["connection"] == "close")
            await client.waitsForClose()
        }
    }

    @Test("the report names the route and counts the bytes")
    func reports() async throws {
        try await TestServer.run { host in
            _ = try await host.post("/v1/echo", "12345")
            _ = try await host.ask(TestServer.get("/nowhere"))
            let reports = await host.reports.wait { $0.count == 2 }
            #expect(
                reports[0].function == "echo" && reports[0].pattern == "/v1/echo" && reports[0].status == 200
            )
            #expect(reports[0].bytesIn == 5 && reports[0].bytesOut == 5 && reports[0].method == "POST")
            #expect(reports[1].function == nil && reports[1].pattern == nil && reports[1].status == 404)
        }
    }
}
