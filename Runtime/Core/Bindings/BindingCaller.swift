/// One call through a binding: what to do, with what.
public struct BindingRequest: Sendable {
    /// The binding's name as the manifest grants it: `text`, `users`.
    public var binding: String
    /// The method: `complete`, `write`.
    public var method: String
    /// The arguments as a JSON object.
    public var arguments: Bytes
    /// Bytes that go along, such as a file's.
    public var body: Bytes

    /// A call; used by the bindings.
    public init(binding: String, method: String, arguments: Bytes, body: Bytes = Bytes()) {
        self.binding = binding
        self.method = method
        self.arguments = arguments
        self.body = body
    }
}

/// The answer to a call: a JSON value, then a body that may come in pieces.
public struct BindingReply: Sendable {
    /// The value as JSON.
    public var value: Bytes
    /// What follows it.
    public var body: BindingBody

    /// An answer; used by carriers and tests.
    public init(value: Bytes, body: BindingBody = BindingBody { nil }) {
        self.value = value
        self.body = body
    }
}

/// The pieces of an answer, in order.
///
/// Reading a piece gives its credit back, so a slow reader slows the sender.
public struct BindingBody: AsyncSequence, Sendable {
    private let pull: @Sendable () async throws -> Bytes?

    /// A body over a function that gives the next piece, or nil at the end.
    public init(_ next: @escaping @Sendable () async throws -> Bytes?) {
        self.pull = next
    }

    /// Reads the pieces.
    public struct Iterator: AsyncIteratorProtocol {
        let pull: @Sendable () async throws -> Bytes?

        /// The next piece, or nil at the end.
        public mutating func next() async throws -> Bytes? { try await pull() }
    }

    /// Begins to read; once.
    public func makeAsyncIterator() -> Iterator { Iterator(pull: pull) }

    /// All pieces joined.
    public func collect() async throws -> Bytes {
        var all: [UInt8] = []
        for try await piece in self { all += piece.array }
        return Bytes(all)
    }
}

/// Carries calls to the services that answer them: the worker's channel, HTTPS on AWS Lambda, a table in
/// tests.
public protocol BindingCaller: Sendable {
    /// Sends a call and waits for the head of its answer.
    ///
    /// Cancellation: cancelling the task gives the call up. Threading: any.
    /// - Throws: `FunctionError`, with code `binding_not_granted` for what the manifest does not grant.
    func call(_ request: BindingRequest) async throws -> BindingReply
}

extension BindingCaller {
    /// A call whose arguments are `arguments` and whose value is decoded; the body is dropped.
    func value<Value: Decodable>(
        _ binding: String,
        _ method: String,
        _ arguments: some Encodable,
        body: Bytes = Bytes()
    ) async throws -> Value {
        let reply = try await self.reply(binding, method, arguments, body: body)
        return try JSONCoder.decode(Value.self, from: reply.value)
    }

    /// A call whose arguments are `arguments`; the answer is left to be read.
    func reply(
        _ binding: String,
        _ method: String,
        _ arguments: some Encodable,
        body: Bytes = Bytes()
    ) async throws -> BindingReply {
        let encoded = try JSONCoder.encode(arguments)
        return try await call(
            BindingRequest(binding: binding, method: method, arguments: encoded, body: body)
        )
    }
}

/// An answer without content.
public struct Nothing: Sendable, Codable {
    /// Nothing.
    public init() {}
}
