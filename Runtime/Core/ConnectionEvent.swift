/// What a WebSocket event says of its connection.
///
/// A connection gives one `connect`, then its messages one at a time and in order, then one `disconnect`. The
/// reply to `connect` decides: a status below 300 lets the client in, any other is the answer to its request.
/// The body of a reply to `message` goes back to the client as a message; a streamed reply as one message for
/// each `write`. What is replied to `disconnect` goes nowhere.
public struct ConnectionEvent: Sendable, Hashable {
    /// What has happened to a connection.
    public enum Phase: UInt8, Sendable {
        /// A client asks to be connected; the event's request has its headers.
        case connect = 0
        /// The client has sent a message, which is the event's body.
        case message = 1
        /// The connection is over.
        ///
        /// Not said of a connection that `connect` refused, nor when the host itself dies.
        case disconnect = 2
    }

    /// The connection's id; with it `Bindings.connections` reaches the client.
    public var id: String
    /// What has happened.
    public var phase: Phase
    /// Whether the message is text, and so valid UTF-8, rather than binary.
    public var isText: Bool
    /// At `connect` the subprotocols that the client offers, its favourite first; later the one in use, if
    /// any.
    public var subprotocols: [String]
    /// At `disconnect` the close code (RFC 6455 section 7.4): the client's, the host's, or 1006 where the
    /// connection broke; 0 otherwise.
    public var closeCode: Int
    /// At `disconnect` the words that came with the code.
    public var closeReason: String

    /// An event of a connection; used by the trigger and tests.
    public init(
        id: String,
        phase: Phase,
        isText: Bool = true,
        subprotocols: [String] = [],
        closeCode: Int = 0,
        closeReason: String = ""
    ) {
        self.id = id
        self.phase = phase
        self.isText = isText
        self.subprotocols = subprotocols
        self.closeCode = closeCode
        self.closeReason = closeReason
    }
}
