/// An outbound HTTP request.
public struct FetchRequest: Sendable, Codable {
    /// The method.
    public var method: String
    /// An absolute URL: https, or a host that the configuration allows.
    public var url: String
    /// Header fields.
    public var headers: [String: String]

    /// A request.
    public init(method: String = "GET", url: String, headers: [String: String] = [:]) {
        self.method = method
        self.url = url
        self.headers = headers
    }
}

/// The head of a reply; its bytes follow.
public struct FetchHead: Sendable, Codable {
    /// The status.
    public var status: Int
    /// Header fields, names in lower case.
    public var headers: [String: String]

    /// A head.
    public init(status: Int, headers: [String: String]) {
        self.status = status
        self.headers = headers
    }
}

/// Outbound HTTP, by the host.
///
/// Private addresses are refused unless the configuration allows them.
public struct FetchBinding: Sendable {
    let caller: any BindingCaller

    /// Sends a request and waits for the whole reply, at most 8 MiB.
    /// - Throws: `FunctionError`: `fetch_refused` 403 for an address that is not allowed, `fetch_failed` 502.
    public func send(
        _ request: FetchRequest,
        body: Bytes = Bytes()
    ) async throws -> (head: FetchHead, body: Bytes) {
        let reply = try await caller.reply("fetch", "send", request, body: body)
        return (try JSONCoder.decode(FetchHead.self, from: reply.value), try await reply.body.collect())
    }
}
