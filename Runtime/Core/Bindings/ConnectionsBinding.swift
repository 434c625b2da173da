/// The arguments of the `connections` calls.
public struct ConnectionQuery: Sendable, Codable {
    /// The connection's id.
    public var id: String
    /// Whether the body is sent as a text message.
    public var isText: Bool?
    /// The close code.
    public var code: Int?
    /// What to say with the close code.
    public var reason: String?

    /// A query.
    public init(id: String, isText: Bool? = nil, code: Int? = nil, reason: String? = nil) {
        self.id = id
        self.isText = isText
        self.code = code
        self.reason = reason
    }
}

/// The WebSocket clients of this function, from whatever event: a message of another client, an entry of a
/// stream, a schedule.
///
/// A function reaches its own connections only, on the host that runs it. Threading: any.
public struct ConnectionsBinding: Sendable {
    let caller: any BindingCaller

    /// Sends a text message; returns when it is on its way, which waits while the client does not read.
    ///
    /// Messages of one sender arrive in order.
    /// - Throws: `FunctionError` 410 `connection_gone`, at once or, of a client that stopped reading, after
    ///   the time in which it would have had to read; 413 `message_too_large` above 1 MiB.
    public func send(_ text: String, to id: String) async throws {
        let _: Nothing = try await caller.value(
            "connections",
            "send",
            ConnectionQuery(id: id, isText: true),
            body: Bytes(text)
        )
    }

    /// Sends a binary message, in all else as text.
    public func send(_ bytes: Bytes, to id: String) async throws {
        let _: Nothing = try await caller.value(
            "connections",
            "send",
            ConnectionQuery(id: id, isText: false),
            body: bytes
        )
    }

    /// Closes a connection, with a code of 1000, 1001, 1008, 1011 to 1013 or 3000 to 4999 and a reason of at
    /// most 123 bytes of UTF-8.
    ///
    /// A connection that is gone already is no error.
    public func close(_ id: String, code: Int = 1000, reason: String = "") async throws {
        let query = ConnectionQuery(id: id, code: code, reason: reason)
        let _: Nothing = try await caller.value("connections", "close", query)
    }

    /// The ids of all open connections of this function, in no order.
    public func list() async throws -> [String] {
        try await caller.value("connections", "list", Nothing())
    }
}
