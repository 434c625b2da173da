import NIOCore

/// Where an exchange's answer goes: an HTTP/1 connection, or one stream of an HTTP/2 connection.
///
/// For one exchange the calls are: one `begin` or one `reply`; after `begin` any number of `write`; then
/// `ended`, after which the output holds the exchange no longer. A new kind of output makes a `RequestHead`,
/// asks `Gateway.exchange(for:on:)` for the exchange, gives it the body by `receive`, calls `start` when it
/// is complete and its turn has come, and `leave` if the client goes away before `ended`.
///
/// Threading: on `loop` only.
package protocol ReplyOutput: AnyObject {
    var loop: ServerLoop { get }
    var settings: ServerSettings { get }
    /// The peer's address without the port; empty where it is not known.
    var remoteAddress: String { get }
    /// Whether TLS lies below.
    var isSecure: Bool { get }

    /// Writes a head whose body follows in pieces.
    func begin(_ head: ReplyHead)
    /// Writes a whole answer; `body` is not sent where `head` has none.
    func reply(_ head: ReplyHead, body: ByteBuffer)
    /// Writes a piece of the body after `begin`; the promise is kept when the bytes are with the kernel.
    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?)
    /// Sends what was written, now or at the end of this turn of the loop.
    func flush()
    /// The exchange has written all it will.
    func ended(_ exchange: Exchange, _ ending: ReplyEnding)
    /// Answers 101 with `head` and hands the connection over to `handler`; false where that cannot be.
    ///
    /// The bytes behind the request are read by the handler first. The connection still counts, and closes
    /// with the server: the handler is told by the user event `HTTPConnection.Retire`.
    func upgrade(_ head: ReplyHead, to handler: any ChannelHandler) -> Bool
}

extension ReplyOutput {
    package func upgrade(_ head: ReplyHead, to handler: any ChannelHandler) -> Bool { false }
}

/// How an answer ends.
package enum ReplyEnding {
    /// All of it is out.
    case whole
    /// It is out, and the connection is to end with it.
    case close
    /// It cannot be completed: the client must see that it is not whole.
    case cut
}
