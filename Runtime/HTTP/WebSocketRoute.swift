import FunctionCore
import Invocations
import WebSockets

/// What the gateway needs of a manifest to serve one of its WebSocket paths.
final class WebSocketRoute: Sendable {
    let function: String
    let pattern: String
    let operation: String
    let subprotocols: [String]
    let origins: [String]
    let maxConnections: Int
    let limits: SocketLimits

    init(_ manifest: Manifest, _ socket: Manifest.WebSocket) {
        function = manifest.name
        pattern = socket.path
        operation = socket.operation
        subprotocols = socket.subprotocols
        origins = socket.origins
        maxConnections = socket.maxConnections
        var limits = SocketLimits()
        limits.maxMessage = socket.maxMessage
        limits.rate = socket.maxRate
        limits.idle = socket.idle
        self.limits = limits
    }
}

/// A client that is connected, or asks to be, and the events that are made of it.
struct SocketClient: Sendable {
    let id: String
    let route: WebSocketRoute
    /// What it asked for, without the headers, which may hold secrets and are for `connect` alone.
    let request: HTTPRequest
    let principal: String?
    /// What it offers, or the one in use.
    var subprotocols: [String]

    func invocation(_ event: ConnectionEvent, _ trace: TraceContext, body: Bytes = Bytes()) -> Invocation {
        Invocation(
            function: route.function,
            event: Event(
                kind: .websocket,
                operation: route.operation,
                request: request,
                connection: event,
                body: body
            ),
            trace: trace,
            principal: principal,
            trigger: "websocket"
        )
    }

    func event(_ phase: ConnectionEvent.Phase) -> ConnectionEvent {
        ConnectionEvent(id: id, phase: phase, subprotocols: subprotocols)
    }
}
