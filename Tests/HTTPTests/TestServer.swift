import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import NIOPosix
import Synchronization

/// A server on a free port of loopback, with everything behind it a fake.
struct TestServer {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let server: HTTPServer
    let reports: Watched<[RequestReport]>
    let sockets: SocketTable

    /// Two functions: `echo` on the plain routes, `keyed` with idempotency keys.
    static func manifests() -> [Manifest] {
        var echo = Manifest(name: "echo")
        echo.limits.payload = 1000
        echo.routes = [
            Manifest.Route(method: "POST", path: "/v1/echo", operation: "say"),
            Manifest.Route(method: "GET", path: "/v1/echo", operation: "hear"),
            Manifest.Route(method: "GET", path: "/v1/users/{user}/notes/{note}", operation: "note"),
            Manifest.Route(method: "POST", path: "/v1/videos", operation: "make", async: true),
        ]
        var keyed = Manifest(name: "keyed")
        keyed.idempotencyKeys = true
        keyed.routes = [Manifest.Route(method: "POST", path: "/v1/keyed", operation: "once")]
        var talk = Manifest(name: "talk")
        var room = Manifest.WebSocket(path: "/v1/rooms/{room}", operation: "talk")
        room.subprotocols = ["a", "b"]
        room.maxConnections = 2
        talk.webSockets = [room]
        return [echo, keyed, talk]
    }

    /// Starts a server, runs `body`, and stops it.
    static func run(
        _ functions: FakeFunctions = .echo(),
        manifests: [Manifest] = manifests(),
        endpoints: [EndpointRoute] = [],
        jobs: (any JobAccepting)? = nil,
        keeper: (any IdempotencyKeeping)? = nil,
        limiter: (any RateLimiting)? = nil,
        settings: GatewaySettings = GatewaySettings(),
        server: ServerSettings = ServerSettings(),
        layer: any ConnectionLayer = PlainLayer(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let reports = Watched<[RequestReport]>([])
        let sockets = SocketTable()
        let gateway = Gateway(
            router: try Router(functions: manifests, endpoints: endpoints),
            settings: settings,
            dispatching: functions,
            jobs: jobs,
            keeper: keeper,
            sockets: sockets,
            limiter: limiter,
            hash: { "hash of \($0.text)" },
            report: { report in reports.update { $0.append(report) } }
        )
        let running = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: 0,
            group: group,
            gateway: gateway,
            settings: server,
            layer: layer,
            clock: { Instant(seconds: 1_795_226_400) }
        )
        do {
            try await body(TestServer(server: running, reports: reports, sockets: sockets))
        } catch {
            await running.stop(grace: .zero)
            throw error
        }
        await running.stop(grace: .zero)
    }

    func client() async throws -> RawClient {
        try await RawClient.connect(server.port)
    }

    /// Sends `text` on a connection of its own and takes the answer.
    func ask(_ text: String, isHead: Bool = false) async throws -> RawClient.Response {
        let client = try await client()
        try await client.send(text)
        let response = try await client.response(isHead: isHead)
        try? await client.close()
        return response
    }

    /// Sends a POST with a JSON body.
    func post(_ path: String, _ body: String, _ headers: String = "") async throws -> RawClient.Response {
        try await ask(TestServer.post(path, body, headers))
    }

    static func get(_ path: String, _ headers: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n"
    }

    static func post(_ path: String, _ body: String, _ headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

extension RawClient.Response {
    /// The body with the invocation's id taken out, for comparison with a text.
    var golden: String {
        body.replacing(self["x-swiftlet-invocation"] ?? "no id", with: "ID")
    }
}
