import FunctionCore
import Invocations
import NIOCore
import WebSockets

/// A request for a WebSocket connection: the function decides by its reply to the event `connect`.
///
/// A status below 300 is answered with 101; any other is the answer.
// SAFETY: as Exchange: all state belongs to its loop.
final class WebSocketExchange: Exchange, ReplySink, @unchecked Sendable {
    /// The most of a refusal's body that is sent on.
    private static let bodyMax = 64 * 1024

    private let route: WebSocketRoute
    private let parameters: [String: String]
    private var handshake: SocketHandshake?
    private var client: SocketClient?
    private var dispatched: (any Dispatched)?
    private var reply: (status: Int, headers: [Header]) = (200, [])
    private var replyBody = ByteBuffer()
    private let trace: TraceContext
    private let parent: ParentSpan

    override var function: String? { route.function }
    override var traceID: String? { trace.traceID }
    var eventLoop: any EventLoop { loop.eventLoop }

    init(
        _ request: RequestHead,
        _ route: WebSocketRoute,
        _ parameters: [String: String],
        _ gateway: Gateway,
        _ output: any ReplyOutput
    ) {
        self.route = route
        self.parameters = parameters
        let caller = request.traceparent.flatMap { TraceContext(traceparent: $0) }
        self.parent = ParentSpan(caller, isRemote: true)
        self.trace = caller?.child() ?? output.loop.traceIDs.begin()
        super.init(request, gateway, output, pattern: route.pattern)
    }

    package override func start() {
        if let refusal { return answer(refusal) }
        let handshake: SocketHandshake
        do throws(SocketHandshake.Refusal) {
            handshake = try SocketHandshake(
                method: request.method.text,
                isHTTP11: !request.isOld,
                headers: request.headers,
                origins: route.origins
            )
        } catch {
            return answer(Refusal(error.error, headers: error.headers))
        }
        guard let dispatching = gateway.dispatching else {
            let message = "this port serves no functions"
            return answer(Refusal(FunctionError(status: 503, code: "no_functions", message: message)))
        }
        guard gateway.sockets.reserve(route.function, limit: route.maxConnections) else {
            let message = "the function has as many connections as it may; try again later"
            return answer(Refusal(FunctionError(status: 503, code: "too_many_connections", message: message)))
        }
        self.handshake = handshake
        let target = request.target
        let client = SocketClient(
            id: id,
            route: route,
            request: HTTPRequest(
                method: "GET",
                target: target,
                parameters: parameters,
                clientAddress: request.caller.address,
                scheme: request.caller.scheme
            ),
            principal: gateway.principal(of: request),
            subprotocols: handshake.subprotocols
        )
        self.client = client
        var invocation = client.invocation(client.event(.connect), trace)
        invocation.id = id
        invocation.parent = parent
        invocation.event.request?.headers = request.functionHeaders
        let dispatched = dispatching.dispatch(invocation, to: self)
        if self.client != nil { self.dispatched = dispatched }
    }

    override func clientLeft() {
        dispatched?.cancel()
    }

    // MARK: The reply

    func head(status: Int, headers: [Header]) {
        reply = (status, headers)
    }

    func chunk(_ bytes: ByteBuffer) {
        replyBody.writeBytes(bytes.readableBytesView.prefix(Self.bodyMax - replyBody.readableBytes))
        dispatched?.grant(bytes.readableBytes)
    }

    func end(_ outcome: Outcome) {
        guard let client, let handshake else { return }
        self.client = nil
        dispatched = nil
        if case .replied(let status) = outcome, status < 300 {
            return accept(client, handshake)
        }
        gateway.sockets.release(route.function)
        if let error = outcome.error { return answer(Refusal(error), after: outcome.retryAfter) }
        answer(status: reply.status, headers: reply.headers, body: replyBody)
    }

    private func accept(_ client: SocketClient, _ handshake: SocketHandshake) {
        var client = client
        let named = reply.headers.first("sec-websocket-protocol")
        client.subprotocols = (named ?? handshake.choice(of: route.subprotocols)).map { [$0] } ?? []
        let connection = SocketConnection(client, gateway, loop)
        var headers = [Header("upgrade", "websocket"), Header("sec-websocket-accept", handshake.accept)]
        headers += client.subprotocols.map { Header("sec-websocket-protocol", $0) }
        // What the function sets beside, such as a cookie.
        headers += reply.headers.filter { header in
            let name = header.name.lowercased()
            return !name.hasPrefix("sec-websocket-") && !name.hasPrefix("content-")
        }
        let isOffered = client.subprotocols.allSatisfy(handshake.subprotocols.contains)
        if isOffered, upgrade(headers: headers, to: connection) { return }
        connection.failedToOpen()
        let message =
            "the reply to `connect` has a field that HTTP does not allow, or a subprotocol not offered"
        answer(Refusal(FunctionError(status: 502, code: "bad_reply", message: message)))
    }
}
