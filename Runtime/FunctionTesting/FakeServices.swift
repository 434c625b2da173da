import FunctionCore
import Synchronization

// The bindings that reach somebody else: connections, fetch, invoke.

extension FakeBindings {
    /// Opens a WebSocket connection, to which the function may send.
    public func connect(_ id: String) {
        world.withLock { $0.messages[id] = $0.messages[id] ?? [] }
    }

    /// What the function has sent to an open connection, oldest first; nil where it is closed.
    public func messages(to id: String) -> [Bytes]? {
        world.withLock { $0.messages[id] }
    }

    func connections(_ request: BindingRequest) throws -> BindingReply {
        if request.method == "list" {
            return try FakeBindings.reply(world.withLock { $0.messages.keys.sorted() })
        }
        let query = try JSONCoder.decode(ConnectionQuery.self, from: request.arguments)
        switch request.method {
        case "send":
            try world.withLock { world in
                guard world.messages[query.id] != nil else {
                    let message = "the connection \(query.id) is gone"
                    throw FunctionError(status: 410, code: "connection_gone", message: message)
                }
                world.messages[query.id]?.append(request.body)
            }
        case "close": world.withLock { $0.messages[query.id] = nil }
        default: throw FakeBindings.unknown(request)
        }
        return BindingReply(value: "{}")
    }

    /// Answers `fetch`: the closure gets the request and its body.
    public func onFetch(
        _ answer: @escaping @Sendable (FetchRequest, Bytes) async throws -> (status: Int, body: Bytes)
    ) {
        on("fetch.send") { request in
            let wanted = try JSONCoder.decode(FetchRequest.self, from: request.arguments)
            let (status, body) = try await answer(wanted, request.body)
            let head = FetchHead(status: status, headers: [:])
            return BindingReply(value: try JSONCoder.encode(head), body: FakeBindings.body([body]))
        }
    }

    /// Answers `invoke`: the closure gets the other function's name and its input.
    public func onInvoke(_ answer: @escaping @Sendable (String, JSON) async throws -> JSON) {
        on("invoke.invoke", InvokeRequest.self) { try await answer($0.function, $0.input) }
    }
}
