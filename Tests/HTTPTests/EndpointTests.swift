import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import Testing

@Suite("Endpoints", .timeLimit(.minutes(1)))
struct EndpointTests {
    /// A file of the ten digits, removed with the value.
    private final class DigitFile: Sendable {
        let path: String

        init() throws {
            var template = Array("\(P_tmpdir)/swiftlet-http-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            #expect(Glibc.write(descriptor, "0123456789", 10) == 10)
            Glibc.close(descriptor)
        }

        deinit { unlink(path) }
    }

    @Test("an endpoint sees the request and answers it")
    func request() async throws {
        let route = EndpointRoute("POST", "/_swiftlet/things/{name}") { request in
            let parts = [
                request.method, request.parameters["name"] ?? "", request.query["q"] ?? "", request.body.text,
                request.remoteAddress, request.headers.first("x-a") ?? "",
            ]
            return .json(.string(parts.joined(separator: "|")), status: 201, headers: [Header("x-b", "2")])
        }
        try await TestServer.run(endpoints: [route]) { host in
            let response = try await host.post("/_swiftlet/things/a%2Fb?q=c+d", "body", "X-A: 1\r\n")
            #expect(response.status == 201 && response["x-b"] == "2")
            #expect(response.body == #""POST|a/b|c d|body|127.0.0.1|1""#)
            let reports = await host.reports.wait { !$0.isEmpty }
            #expect(reports[0].pattern == "/_swiftlet/things/{name}" && reports[0].function == nil)
        }
    }

    @Test("an endpoint that may not be reached now is answered with 503")
    func bound() async throws {
        let gate = Watched(false)
        let entered = Watched(0)
        let route = EndpointRoute("GET", "/slow") { _ in
            entered.update { $0 += 1 }
            await gate.wait { $0 }
            return EndpointResponse()
        }
        var settings = GatewaySettings()
        settings.maxEndpointRequests = 1
        try await TestServer.run(endpoints: [route], settings: settings) { host in
            let first = try await host.client()
            try await first.send(TestServer.get("/slow"))
            await entered.wait { $0 == 1 }
            let second = try await host.ask(TestServer.get("/slow"))
            #expect(second.status == 503 && second["retry-after"] == "1")
            gate.update { $0 = true }
            #expect(try await first.response().status == 200)
        }
    }

    @Test("a body over the endpoint's limit is answered with 413")
    func bodyLimit() async throws {
        let route = EndpointRoute("POST", "/small", bodyLimit: 3) { _ in EndpointResponse() }
        try await TestServer.run(endpoints: [route]) { host in
            let fits = try await host.post("/small", "abc")
            #expect(fits.status == 200)
            let over = try await host.post("/small", "abcd")
            #expect(over.status == 413)
        }
    }

    @Test("a file is sent whole, in part, or not at all, as Range asks")
    func file() async throws {
        let file = try DigitFile()
        let route = EndpointRoute("GET", "/file") { request in
            .file(file.path, size: 10, contentType: "text/plain", etag: "\"e1\"", for: request)
        }
        try await TestServer.run(endpoints: [route]) { host in
            let whole = try await host.ask(TestServer.get("/file"))
            #expect(whole.status == 200 && whole.body == "0123456789" && whole["accept-ranges"] == "bytes")
            #expect(whole["content-length"] == "10" && whole["etag"] == "\"e1\"")
            let part = try await host.ask(TestServer.get("/file", "Range: bytes=2-4\r\n"))
            #expect(part.status == 206 && part.body == "234" && part["content-range"] == "bytes 2-4/10")
            let fresh = try await host.ask(
                TestServer.get("/file", "Range: bytes=2-4\r\nIf-Range: \"e0\"\r\n")
            )
            #expect(fresh.status == 200 && fresh.body == "0123456789")
            let none = try await host.ask(TestServer.get("/file", "Range: bytes=10-\r\n"))
            #expect(none.status == 416 && none["content-range"] == "bytes */10")
            let head = try await host.ask("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n", isHead: true)
            #expect(head.status == 200 && head["content-length"] == "10")
        }
    }

    @Test("a file that is not there is 404, and one shorter than promised cuts the connection")
    func brokenFile() async throws {
        let file = try DigitFile()
        let routes = [
            EndpointRoute("GET", "/gone") { _ in
                EndpointResponse(body: .file(path: "/nonexistent/file", offset: 0, length: 1))
            },
            EndpointRoute("GET", "/directory") { _ in
                EndpointResponse(body: .file(path: P_tmpdir, offset: 0, length: 1))
            },
            EndpointRoute("GET", "/short") { _ in
                EndpointResponse(body: .file(path: file.path, offset: 0, length: 11))
            },
        ]
        try await TestServer.run(endpoints: routes) { host in
            #expect(try await host.ask(TestServer.get("/gone")).status == 404)
            #expect(try await host.ask(TestServer.get("/directory")).status == 404)
            let client = try await host.client()
            try await client.send(TestServer.get("/short"))
            #expect(await client.waitsForClose().hasSuffix("\r\n\r\n0123456789"))
        }
    }

    @Test("a stream goes no faster than its client, and ends with it")
    func stream() async throws {
        let written = Watched(0)
        let ended = Watched(false)
        let piece = Bytes([UInt8](repeating: 97, count: 64 * 1024))
        let route = EndpointRoute("GET", "/stream") { _ in
            EndpointResponse(
                body: .stream { writer in
                    defer { ended.update { $0 = true } }
                    for _ in 0..<10_000 {
                        try await writer.write(piece)
                        written.update { $0 += 1 }
                    }
                }
            )
        }
        try await TestServer.run(endpoints: [route]) { host in
            let client = try await RawClient.connect(host.server.port, receiveBuffer: 4096)
            try await client.setReading(false)
            try await client.send(TestServer.get("/stream"))
            await written.wait { $0 > 0 }
            // Requests of another client are answered meanwhile, and the stream stands still at what sockets
            // hold.
            let other = try await host.client()
            var seen = -1
            while written.value != seen {
                seen = written.value
                try await other.send(TestServer.get("/v1/echo"))
                _ = try await other.response()
            }
            #expect(seen < 10_000)
            try await client.close()
            await ended.wait { $0 }
        }
    }

    @Test("a sequence is sent piece by piece")
    func sequence() async throws {
        let route = EndpointRoute("GET", "/pieces") { _ in
            let (stream, continuation) = AsyncStream.makeStream(of: Bytes.self)
            for text in ["one", "two"] { continuation.yield(Bytes(text)) }
            continuation.finish()
            return .pieces(of: stream, headers: [.eventStream])
        }
        try await TestServer.run(endpoints: [route]) { host in
            let response = try await host.ask(TestServer.get("/pieces"))
            #expect(response.body == "onetwo" && response["transfer-encoding"] == "chunked")
        }
    }

    @Test("a client that leaves cancels its endpoint's task")
    func leaves() async throws {
        let entered = Watched(false)
        let cancelled = Watched(false)
        let route = EndpointRoute("GET", "/slow") { _ in
            await withTaskCancellationHandler {
                entered.update { $0 = true }
                await cancelled.wait { $0 }
            } onCancel: {
                cancelled.update { $0 = true }
            }
            return EndpointResponse()
        }
        try await TestServer.run(endpoints: [route]) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/slow"))
            await entered.wait { $0 }
            try await client.close()
            await cancelled.wait { $0 }
            let reports = await host.reports.wait { !$0.isEmpty }
            #expect(reports.map(\.status) == [499])
        }
    }
}
