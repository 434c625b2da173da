/// What a function answers with.
public struct Reply: Sendable {
    /// The HTTP status, 200 to 599; for other triggers below 400 means success.
    public var status: Int
    /// Header fields for an HTTP caller.
    public var headers: [Header]
    /// The body.
    public var body: Bytes

    /// A reply of raw bytes.
    public init(status: Int = 200, headers: [Header] = [], body: Bytes = Bytes()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A reply whose body is `value` as JSON.
    public static func json(_ value: JSON, status: Int = 200, headers: [Header] = []) -> Reply {
        Reply(status: status, headers: [.json] + headers, body: value.bytes())
    }

    /// A reply whose body is `value` encoded as JSON.
    /// - Throws: `JSONError` for a value that has no JSON form, such as an infinite number.
    public static func encoding(_ value: some Encodable, status: Int = 200) throws -> Reply {
        Reply(status: status, headers: [.json], body: try JSONCoder.encode(value))
    }

    /// A reply of plain text.
    public static func text(_ text: String, status: Int = 200) -> Reply {
        Reply(
            status: status,
            headers: [Header("content-type", "text/plain; charset=utf-8")],
            body: Bytes(text)
        )
    }
}

extension Header {
    /// `content-type: application/json`.
    public static let json = Header("content-type", "application/json")
    /// `content-type: text/event-stream`.
    public static let eventStream = Header("content-type", "text/event-stream")
}

/// Writes a reply piece by piece; `write` waits while the reader has no credit left, so a slow client slows
/// its own stream and nothing else.
///
/// Threading: one writer at a time. Cancellation: `write` throws `CancellationError` once the caller has
/// gone.
public struct ReplyStream: Sendable {
    private let begin: @Sendable (Int, [Header]) throws -> Void
    private let send: @Sendable (Bytes) async throws -> Void

    /// A stream over the two steps of a carrier; used by the worker and tests.
    public init(
        start: @escaping @Sendable (_ status: Int, _ headers: [Header]) throws -> Void,
        write: @escaping @Sendable (Bytes) async throws -> Void
    ) {
        self.begin = start
        self.send = write
    }

    /// Sends status and headers; once, and before the first `write`.
    public func start(status: Int = 200, headers: [Header] = []) throws {
        try begin(status, headers)
    }

    /// Sends one piece of the body.
    public func write(_ bytes: Bytes) async throws {
        try await send(bytes)
    }

    /// Sends one server-sent event.
    ///
    /// A client that connects again names the last `id` it has; see `HTTPRequest.lastEventID`. It waits for
    /// `retry` before it does.
    /// - Throws: `FunctionError` `invalid_event` for an id or a name that a line cannot hold.
    public func event(
        _ data: String,
        name: String? = nil,
        id: String? = nil,
        retry: Duration? = nil
    ) async throws {
        try await send(ServerSentEvent.bytes(data, name: name, id: id, retry: retry))
    }

    /// Sends a comment, which clients of server-sent events pass over.
    ///
    /// The gateway keeps idle streams alive by itself.
    public func comment(_ text: String) async throws {
        try await send(ServerSentEvent.comment(text))
    }

    /// Sends a whole reply through the stream.
    public func send(_ reply: Reply) async throws {
        try start(status: reply.status, headers: reply.headers)
        if !reply.body.isEmpty { try await write(reply.body) }
    }
}
