import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Pages of other origins", .timeLimit(.minutes(1)))
struct CORSTests {
    private static func manifests() -> [Manifest] {
        var manifests = TestServer.manifests()
        manifests[0].cors = Manifest.CORS(origins: ["https://app.example"])
        return manifests
    }

    private static let origin = "Origin: https://app.example\r\n"

    private func preflight(_ path: String, _ method: String, _ origin: String) -> String {
        "OPTIONS \(path) HTTP/1.1\r\nHost: test\r\n\(origin)Access-Control-Request-Method: \(method)\r\n"
            + "Access-Control-Request-Headers: content-type\r\n\r\n"
    }

    @Test("a preflight is answered by the gateway, and the function is not asked")
    func preflight() async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions, manifests: CORSTests.manifests()) { server in
            let answer = try await server.ask(preflight("/v1/echo", "POST", CORSTests.origin))
            #expect(answer.status == 204)
            #expect(answer["access-control-allow-origin"] == "https://app.example")
            #expect(answer["access-control-allow-methods"] == "GET, POST")
            #expect(answer["vary"]?.hasPrefix("Origin") == true)
            #expect(answer["allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(answer["content-length"] == nil)
            let other = try await server.ask(
                preflight("/v1/echo", "POST", "Origin: https://evil.example\r\n")
            )
            #expect(other.status == 204)
            #expect(other["access-control-allow-origin"] == nil)
            let keyed = try await server.ask(preflight("/v1/keyed", "POST", CORSTests.origin))
            #expect(keyed["access-control-allow-origin"] == nil)
            #expect(keyed["allow"] == "OPTIONS, POST")
            #expect(functions.runs.value.isEmpty)
        }
    }

    @Test("OPTIONS without an origin says what a path takes, of the whole server too")
    func options() async throws {
        try await TestServer.run(manifests: CORSTests.manifests()) { server in
            let path = try await server.ask("OPTIONS /v1/echo HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(path.status == 204)
            #expect(path["allow"] == "GET, HEAD, OPTIONS, POST")
            #expect(path["access-control-allow-methods"] == nil)
            let all = try await server.ask("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n")
            #expect(all["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
            #expect(try await server.ask("OPTIONS /none HTTP/1.1\r\nHost: test\r\n\r\n").status == 404)
        }
    }

    @Test("a sender of webhooks hears whether it may, and how often")
    func webhooks() async throws {
        var manifests = TestServer.manifests()
        manifests[0].webhookOrigins = ["events.example.com"]
        try await TestServer.run(manifests: manifests) { server in
            func ask(_ path: String, _ fields: String) async throws -> RawClient.Response {
                try await server.ask("OPTIONS \(path) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
            }
            let may = "WebHook-Request-Origin: Events.example.com\r\n"
            let told = try await ask("/v1/echo", may + "WebHook-Request-Rate: 120\r\n")
            #expect(told.status == 204 && told["webhook-allowed-origin"] == "Events.example.com")
            #expect(told["webhook-allowed-rate"] == "*")
            #expect(try await ask("/v1/echo", may)["webhook-allowed-rate"] == nil)
            for (path, fields) in [
                ("/v1/echo", "WebHook-Request-Origin: other.example.com\r\n"), ("/v1/keyed", may),
                ("/v1/echo", ""),
            ] {
                let refused = try await ask(path, fields)
                #expect(refused.status == 204 && refused["webhook-allowed-origin"] == nil)
            }
        }
    }

    @Test("replies and errors alike can be read by a page of the origin, whatever the function says")
    func replies() async throws {
        let functions = FakeFunctions { invocation, sink, _ in
            if invocation.event.body.isEmpty {
                return sink.end(.failed(FunctionError(status: 500, code: "broken", message: "no")))
            }
            sink.reply(headers: [.json, Header("Access-Control-Allow-Origin", "*")], invocation.event.body)
        }
        try await TestServer.run(functions, manifests: CORSTests.manifests()) { server in
            let good = try await server.post("/v1/echo", "{}", CORSTests.origin)
            #expect(
                good.headers.filter { $0.name.lowercased() == "access-control-allow-origin" }.map(\.value)
                    == ["https://app.example"]
            )
            #expect(good["vary"] == "Origin")
            #expect(good["access-control-expose-headers"]?.contains("retry-after") == true)
            let bad = try await server.ask(TestServer.get("/v1/echo", CORSTests.origin))
            #expect(bad.status == 500)
            #expect(bad["access-control-allow-origin"] == "https://app.example")
            let long = try await server.post(
                "/v1/echo",
                String(repeating: "1", count: 1001),
                CORSTests.origin
            )
            #expect(long.status == 413)
            #expect(long["access-control-allow-origin"] == "https://app.example")
            let wrong = try await server.ask(
                "PUT /v1/echo HTTP/1.1\r\nHost: test\r\n\(CORSTests.origin)Content-Length: 0\r\n\r\n"
            )
            #expect(wrong.status == 405 && wrong["allow"] == "GET, HEAD, POST")
            #expect(wrong["access-control-allow-origin"] == "https://app.example")
            let none = try await server.post("/v1/echo", "{}")
            #expect(none["access-control-allow-origin"] == nil)
            #expect(none["vary"] == "Origin")
        }
    }
}
