import FunctionCore
import Invocations

/// A part of the host that answers requests itself: jobs, blobs, the admin API, the offline provider.
package protocol HTTPEndpoint: Sendable {
    /// Answers one request.
    ///
    /// Runs in a task, which is cancelled when the client goes away; must not block.
    func respond(to request: EndpointRequest) async -> EndpointResponse
}

/// An endpoint that is a closure.
package struct EndpointClosure: HTTPEndpoint {
    private let body: @Sendable (EndpointRequest) async -> EndpointResponse

    package init(_ body: @escaping @Sendable (EndpointRequest) async -> EndpointResponse) {
        self.body = body
    }

    package func respond(to request: EndpointRequest) async -> EndpointResponse {
        await body(request)
    }
}

/// An endpoint and where it is found.
package struct EndpointRoute: Sendable {
    package var method: String
    /// As a function's path, but that it may end in a slash; `{name*}` at the end takes all that follows.
    package var pattern: String
    /// The longest body that is read; more is answered with 413.
    package var bodyLimit: Int
    package var endpoint: any HTTPEndpoint
    var cors: CORSPolicy?
    /// How the route answers what the gateway refuses, such as a body over the limit; nil for the usual form.
    package var refusal: (@Sendable (FunctionError, _ id: String) -> EndpointResponse)?
    /// What of a request is an invocation and no more, which then runs without a task; nil where it needs one.
    ///
    /// Called on the connection's loop, so it must be quick.
    package var invocation: (@Sendable (EndpointRequest) -> EndpointInvocation?)?

    package init(
        _ method: String,
        _ pattern: String,
        bodyLimit: Int = 1024 * 1024,
        _ endpoint: any HTTPEndpoint
    ) {
        self.method = method
        self.pattern = pattern
        self.bodyLimit = bodyLimit
        self.endpoint = endpoint
    }

    package init(
        _ method: String,
        _ pattern: String,
        bodyLimit: Int = 1024 * 1024,
        _ body: @escaping @Sendable (EndpointRequest) async -> EndpointResponse
    ) {
        self.init(method, pattern, bodyLimit: bodyLimit, EndpointClosure(body))
    }
}

/// An invocation that a request asks for, and what its reply is for the client.
package struct EndpointInvocation: Sendable {
    package var invocation: Invocation
    package var dispatching: any Dispatching
    /// Bytes of the reply.
    package var limit: Int
    /// Makes the response, whose body must be bytes, on the connection's loop.
    package var respond: @Sendable (CollectedReply) -> EndpointResponse

    package init(
        _ invocation: Invocation,
        by dispatching: any Dispatching,
        limit: Int,
        respond: @escaping @Sendable (CollectedReply) -> EndpointResponse
    ) {
        self.invocation = invocation
        self.dispatching = dispatching
        self.limit = limit
        self.respond = respond
    }
}

/// A request as an endpoint sees it.
package struct EndpointRequest: Sendable {
    /// What the answer names as `x-swiftlet-invocation`.
    package var id = InvocationID.next()
    /// In capitals; HEAD arrives as GET.
    package var method: String
    /// Path and query as they were sent.
    package var target: String
    /// The values of the pattern's names, percent-decoded.
    package var parameters: [String: String]
    /// The query, decoded; where a name comes twice the last one counts.
    package var query: [String: String]
    package var headers: [Header]
    package var body: Bytes
    /// The peer's address without its port; empty where there is none.
    package var remoteAddress: String
    /// Who asked, where a trusted proxy says so.
    package var principal: String?
    /// It came as HEAD: the body is not sent.
    package var isHead = false
    /// The client takes gzip, and the host gives it.
    package var takesGzip = false

    package init(
        method: String,
        target: String,
        parameters: [String: String] = [:],
        query: [String: String] = [:],
        headers: [Header] = [],
        body: Bytes = Bytes(),
        remoteAddress: String = "",
        principal: String? = nil
    ) {
        self.method = method
        self.target = target
        self.parameters = parameters
        self.query = query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.principal = principal
    }
}

/// What an endpoint answers.
package struct EndpointResponse: Sendable {
    /// The body, whole or by pieces.
    package enum Body: Sendable {
        case bytes(Bytes)
        /// A part of a regular file.
        ///
        /// It is read on threads of its own, piece by piece as the client takes it.
        case file(path: String, offset: Int64, length: Int64)
        /// The same of a file that is open already.
        case opened(FileReader, offset: Int64, length: Int64)
        /// Pieces as they come.
        ///
        /// The reply ends when the closure returns; when it throws, the connection is cut.
        case stream(@Sendable (EndpointWriter) async throws -> Void)
    }

    package var status: Int
    package var headers: [Header]
    package var body: Body

    package init(status: Int = 200, headers: [Header] = [], body: Body = .bytes(Bytes())) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document.
    package static func json(_ value: JSON, status: Int = 200, headers: [Header] = []) -> EndpointResponse {
        EndpointResponse(status: status, headers: [.json] + headers, body: .bytes(value.bytes()))
    }

    /// An error in the form that all of them have, with Retry-After where it asks for patience.
    package static func failure(_ error: FunctionError, invocation: String? = nil) -> EndpointResponse {
        .json(error.json(invocation: invocation), status: error.status, headers: error.retryHeaders())
    }

    /// A stream of what `sequence` gives; the next element is asked for when the last one has gone out.
    package static func pieces<Pieces: AsyncSequence & Sendable>(
        of sequence: Pieces,
        status: Int = 200,
        headers: [Header] = []
    ) -> EndpointResponse where Pieces.Element == Bytes {
        EndpointResponse(
            status: status,
            headers: headers,
            body: .stream { writer in
                for try await piece in sequence { try await writer.write(piece) }
            }
        )
    }
}

/// Takes the pieces of a streamed response.
package struct EndpointWriter: Sendable {
    private let send: @Sendable (Bytes) async throws -> Void

    package init(_ send: @escaping @Sendable (Bytes) async throws -> Void) {
        self.send = send
    }

    /// Sends a piece; returns once it has gone out, so a slow client slows its own stream.
    /// - Throws: `CancellationError` once the client has gone.
    package func write(_ piece: Bytes) async throws {
        try await send(piece)
    }
}

extension FunctionError {
    /// `Retry-After` in whole seconds, at least one: always for 429 and 503, for others where the error
    /// names a wait.
    func retryHeaders(after wait: Duration? = nil) -> [Header] {
        var wait = wait
        if wait == nil, case .after(let own) = retry { wait = own }
        guard wait != nil || status == 429 || status == 503 else { return [] }
        let nanoseconds = (wait ?? .seconds(1)).nanoseconds
        return [Header("retry-after", String(max(1, (nanoseconds + 999_999_999) / 1_000_000_000)))]
    }
}
