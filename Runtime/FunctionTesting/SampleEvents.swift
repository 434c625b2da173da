import FunctionCore

/// Events as the triggers make them.
extension Event {
    /// A plain event, as by `swiftlet invoke`.
    public static func plain(_ object: JSON = [:], operation: String = "") -> Event {
        Event(operation: operation, body: object.bytes())
    }

    /// A request; `parameters` are what the route's `{names}` matched.
    public static func http(
        _ method: String = "POST",
        _ target: String = "/",
        parameters: [String: String] = [:],
        headers: [Header] = [],
        operation: String = "",
        body: Bytes = Bytes()
    ) -> Event {
        let request = HTTPRequest(method: method, target: target, parameters: parameters, headers: headers)
        return Event(kind: .http, operation: operation, request: request, body: body)
    }

    /// A request whose body is `object`.
    public static func http(
        _ method: String = "POST",
        _ target: String = "/",
        parameters: [String: String] = [:],
        operation: String = "",
        json object: JSON
    ) -> Event {
        http(
            method,
            target,
            parameters: parameters,
            headers: [.json],
            operation: operation,
            body: object.bytes()
        )
    }

    /// Entries of a Redis stream, one for each object; their ids are `e1`, `e2` and so on.
    public static func redis(
        _ stream: String,
        _ entries: [JSON],
        type: String = "redis.entry",
        time: Instant = FakeBindings.usualNow,
        operation: String = ""
    ) throws -> Event {
        let made = entries.enumerated().map { place, data in
            RedisEntry(
                id: "e\(place + 1)",
                type: type,
                source: "test",
                time: time,
                traceparent: nil,
                data: data
            )
        }
        let batch = RedisEvent(stream: stream, entries: made)
        return Event(kind: .redis, operation: operation, body: try JSONCoder.encode(batch))
    }

    /// A schedule's firing.
    public static func schedule(_ firing: ScheduledEvent, operation: String = "") throws -> Event {
        Event(kind: .schedule, operation: operation, body: try JSONCoder.encode(firing))
    }

    /// What happens to a WebSocket connection; `text` is the message.
    public static func webSocket(
        _ phase: ConnectionEvent.Phase,
        connection id: String = "c1",
        text: String = "",
        operation: String = ""
    ) -> Event {
        let connection = ConnectionEvent(id: id, phase: phase)
        return Event(kind: .websocket, operation: operation, connection: connection, body: Bytes(text))
    }
}
