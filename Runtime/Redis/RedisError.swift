/// Why a Redis command has no reply.
///
/// After `timedOut` and `disconnected` the server may still have run the command: whoever sends a command
/// that must not run twice has to make it so.
package struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure; the raw text is stable and may label a metric.
    package enum Code: String, Sendable {
        /// There is no connection; the command was not sent.
        case unavailable = "redis_unavailable"
        /// The connection was lost before the reply came.
        case disconnected = "redis_disconnected"
        /// The reply did not come in time.
        case timedOut = "redis_timeout"
        /// 1024 commands wait for replies already; the command was not sent.
        case busy = "redis_busy"
        /// The server answered with an error, told by `kind`.
        case refused = "redis_refused"
        /// What came is no RESP2, or over the decoder's limits.
        case protocolError = "redis_protocol"
        /// The URL cannot be read.
        case badURL = "redis_url"
    }

    package var code: Code
    /// What is wrong and what to do about it, without a password in it.
    package var message: String
    /// The first word of a server's error, such as `NOGROUP`; empty otherwise.
    package var kind: String

    package init(_ code: Code, _ message: String, kind: String = "") {
        self.code = code
        self.message = message
        self.kind = kind
    }

    /// The error for a server's error reply.
    package init(refusal text: String) {
        let word = text.prefix { $0 != " " }
        self.init(.refused, "Redis refused the command: \(text)", kind: String(word))
    }

    /// `code: message`.
    package var description: String { "\(code.rawValue): \(message)" }
}
