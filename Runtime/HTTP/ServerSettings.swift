/// The bounds of an HTTP server.
///
/// Every one has a default that suits a gateway on a host of its own.
package struct ServerSettings: Sendable {
    /// Connections that the kernel may hold ready before they are accepted.
    package var backlog: Int = 1024
    /// Connections at once, over all loops; one more is answered with 503 and closed.
    package var maxConnections: Int = 16_384
    /// From the first byte of a request's head to its end.
    ///
    /// Keeps slow senders from holding connections.
    package var headerTimeout: Duration = .seconds(10)
    /// Without any byte of a body that is due.
    package var bodyTimeout: Duration = .seconds(30)
    /// A connection on which nothing is asked.
    package var idleTimeout: Duration = .seconds(75)
    /// A client that takes nothing of what was written to it.
    package var stallTimeout: Duration = .seconds(60)
    /// Of an event stream between two writes, before a comment tells the client, and whatever stands between,
    /// that it is alive.
    package var heartbeat: Duration = .seconds(15)
    /// After a refusal in mid-request: how long what the client still sends is read and dropped, so that it
    /// sees the answer instead of a reset.
    package var lingerTimeout: Duration = .seconds(2)
    /// Bytes of all header names and values of a request; more is answered with 431.
    package var maxHeaderBytes: Int = 32 * 1024
    /// Header fields of a request; more is answered with 431.
    package var maxHeaderFields: Int = 128
    /// Bytes of the request target; more is answered with 414.
    package var maxTargetBytes: Int = 8 * 1024
    /// Requests that wait on one connection behind the one being answered; then nothing more is read from
    /// it.
    package var maxPipelined: Int = 16
    /// Streams of an HTTP/2 connection that are open at once.
    package var maxStreams: Int = 100
    /// The longest body that is read and dropped to keep the connection of a refused request.
    package var maxDiscardedBytes: Int = 1024 * 1024
    /// How often connections are looked over for the limits above, which therefore are as exact as this.
    package var sweepInterval: Duration = .seconds(1)

    package init() {}
}
