import FunctionCore

/// A plain event of these members.
package func plain(_ operation: String, _ object: JSON) -> Event {
    Event(operation: operation, body: object.bytes())
}

/// A Redis event of one entry.
package func redis(_ type: String, _ data: JSON, operation: String = "", id: String = "e1") throws -> Event {
    let entry = RedisEntry(
        id: id,
        type: type,
        source: "test",
        time: Instant(seconds: 1_795_003_200),
        traceparent: nil,
        data: data
    )
    let batch = RedisEvent(stream: "events:\(type)", entries: [entry])
    return Event(kind: .redis, operation: operation, body: try JSONCoder.encode(batch))
}

/// The error that a call throws, if it is a `FunctionError`.
package func failure(_ call: () async throws -> some Sendable) async -> FunctionError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? FunctionError
    }
}
