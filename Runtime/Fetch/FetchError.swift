/// Why an outbound request came to nothing.
///
/// The message names the host and path, never a header or a query.
package struct FetchError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, as a word that is safe as a metric label.
    package enum Code: String, Sendable {
        /// The URL cannot be read, or carries credentials.
        case invalidRequest = "invalid_request"
        /// The address or the scheme is not allowed.
        case refused = "refused"
        /// No connection: the name is unknown, nobody listens, or TLS failed.
        case unreachable = "unreachable"
        /// The peer broke the connection or the protocol.
        case broken = "broken"
        /// The request took longer than it may.
        case timedOut = "timed_out"
        /// The reply is larger than the request allows.
        case tooLarge = "too_large"
        /// As many requests wait as may.
        case busy = "busy"
        /// The caller gave up.
        case cancelled = "cancelled"
        /// The fetcher has been shut down.
        case closed = "closed"
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same request may succeed in a moment.
    package var isTransient: Bool {
        switch code {
        case .unreachable, .broken, .timedOut, .busy: true
        case .invalidRequest, .refused, .tooLarge, .cancelled, .closed: false
        }
    }

    /// What a caller that gave up is told.
    static let gaveUp = FetchError(.cancelled, "the caller gave up")

    package var description: String { "\(code.rawValue): \(message)" }
}
