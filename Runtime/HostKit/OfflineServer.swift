import FunctionCore
import Glibc
import HTTPTrigger
import NIOPosix
import Processes
import Providers
import Storage

/// The offline provider behind an HTTP port.
package struct OfflineServer {
    package let port: Int

    /// Listens on loopback.
    package static func start(port: Int) async throws -> OfflineServer {
        let provider = OfflineProvider()
        let endpoint = EndpointClosure { await respond(to: $0, provider) }
        let routes = ["GET", "POST"].map { EndpointRoute($0, "/{path*}", bodyLimit: 8 << 20, endpoint) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let gateway = Gateway(router: try Router(endpoints: routes), hash: { sha256Hex($0) })
        let clock = VirtualClock()
        let server = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: port,
            group: group,
            gateway: gateway,
            clock: { clock.now }
        )
        return OfflineServer(port: server.port)
    }

    /// Returns when whoever started the process is gone.
    package static func waitForEndOfInput() async {
        await withCheckedContinuation { continuation in
            startThread("input") {
                var buffer = [UInt8](repeating: 0, count: 256)
                while read(0, &buffer, buffer.count) > 0 {}
                continuation.resume()
            }
        }
    }

    private static func respond(
        to request: EndpointRequest,
        _ provider: OfflineProvider
    ) async -> EndpointResponse {
        let answer = provider.answer(
            method: request.method,
            path: request.target,
            headers: request.headers,
            body: request.body
        )
        switch answer.body {
        case .whole(let bytes):
            return EndpointResponse(status: answer.status, headers: answer.headers, body: .bytes(bytes))
        case .events(let events, let pause):
            return EndpointResponse(
                status: answer.status,
                headers: answer.headers,
                body: .stream { writer in
                    for event in events {
                        try await writer.write(Bytes(event))
                        try await Task.sleep(for: pause)
                    }
                }
            )
        }
    }
}
