import FunctionCore

/// An HTTP request to somebody else, with the bounds under which it is sent.
package struct OutboundRequest: Sendable {
    package var method: String
    /// An absolute http or https URL without credentials.
    package var url: String
    package var headers: [Header]
    package var body: Bytes
    /// For the whole exchange, until the last byte of the reply.
    package var timeout: Duration
    /// How many redirects are followed, at most 3; each target passes the same checks.
    package var redirects: Int
    /// The most bytes of body that the reply may have.
    package var responseLimit: Int

    package init(
        method: String = "GET",
        url: String,
        headers: [Header] = [],
        body: Bytes = Bytes(),
        timeout: Duration = .seconds(30),
        redirects: Int = 0,
        responseLimit: Int = 8 * 1024 * 1024
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.redirects = min(max(redirects, 0), 3)
        self.responseLimit = responseLimit
    }
}

/// Status and headers of a reply.
package struct ResponseHead: Sendable, Hashable {
    package var status: Int
    package var headers: [Header]

    package init(status: Int, headers: [Header]) {
        self.status = status
        self.headers = headers
    }
}

/// A reply: its head, and a body that is read as it comes.
package struct InboundResponse: Sendable {
    package var status: Int
    package var headers: [Header]
    /// The body.
    ///
    /// Letting go of it unread gives the transfer up.
    package var body: InboundBody
}
