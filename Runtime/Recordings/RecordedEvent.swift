import FunctionCore

/// An event with all its fields.
package struct RecordedEvent: Sendable, Codable {
    package var kind: String
    package var operation: String
    package var request: RecordedRequest?
    package var connection: RecordedConnection?
    package var body: RecordedBytes
    /// Those of a batch, which has nothing else: its own bytes could not be searched for secrets.
    package var events: [RecordedEvent]?

    /// A batch of these.
    package init(batch events: [Event]) {
        self.init(Event(kind: .batch))
        self.events = events.map { RecordedEvent($0) }
    }

    init(_ event: Event) {
        kind = event.kind.name
        operation = event.operation
        request = event.request.map { RecordedRequest($0) }
        connection = event.connection.map { RecordedConnection($0) }
        body = RecordedBytes(event.body)
    }

    package var event: Event {
        Event(
            kind: Event.Kind(name: kind) ?? .plain,
            operation: operation,
            request: request?.request,
            connection: connection?.event,
            body: body.bytes
        )
    }

    /// The same, of a batch with the body that `join` makes of its events.
    package func event(joining join: ([Event]) -> Bytes) -> Event {
        var whole = event
        if let events { whole.body = join(events.map(\.event)) }
        return whole
    }
}

/// A header field.
package struct RecordedHeader: Sendable, Codable, Hashable {
    package var name: String
    package var value: String

    package init(_ header: Header) {
        name = header.name
        value = header.value
    }

    package var header: Header { Header(name, value) }
}

/// What an HTTP event carries besides its body.
package struct RecordedRequest: Sendable, Codable {
    package var method: String
    package var target: String
    package var parameters: [String: String]
    package var headers: [RecordedHeader]
    package var clientAddress: String
    package var scheme: String

    init(_ request: HTTPRequest) {
        method = request.method
        target = request.target
        parameters = request.parameters
        headers = request.headers.map { RecordedHeader($0) }
        clientAddress = request.clientAddress
        scheme = request.scheme
    }

    var request: HTTPRequest {
        HTTPRequest(
            method: method,
            target: target,
            parameters: parameters,
            headers: headers.map(\.header),
            clientAddress: clientAddress,
            scheme: scheme
        )
    }
}

/// What a WebSocket event says of its connection.
package struct RecordedConnection: Sendable, Codable {
    package var id: String
    package var phase: Int
    package var isText: Bool
    package var subprotocols: [String]
    package var closeCode: Int
    package var closeReason: String

    init(_ event: ConnectionEvent) {
        id = event.id
        phase = Int(event.phase.rawValue)
        isText = event.isText
        subprotocols = event.subprotocols
        closeCode = event.closeCode
        closeReason = event.closeReason
    }

    var event: ConnectionEvent {
        ConnectionEvent(
            id: id,
            phase: UInt8(exactly: phase).flatMap { ConnectionEvent.Phase(rawValue: $0) } ?? .message,
            isText: isText,
            subprotocols: subprotocols,
            closeCode: closeCode,
            closeReason: closeReason
        )
    }
}

extension Event.Kind {
    private static let names: [(Event.Kind, String)] = [
        (.plain, "plain"), (.http, "http"), (.redis, "redis"), (.schedule, "schedule"),
        (.websocket, "websocket"), (.batch, "batch"),
    ]

    init?(name: String) {
        guard let known = Event.Kind.names.first(where: { $0.1 == name }) else { return nil }
        self = known.0
    }

    var name: String { Event.Kind.names.first { $0.0 == self }?.1 ?? "plain" }
}
