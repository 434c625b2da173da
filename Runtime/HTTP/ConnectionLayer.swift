import NIOCore

/// What lies between the sockets of a server and HTTP/1: nothing, or TLS, in which a client may choose
/// another version.
package protocol ConnectionLayer: Sendable {
    /// Sets up a connection that has just been accepted; called on its loop.
    func setUp(_ channel: any Channel, _ front: ConnectionFront) throws
}

/// What a connection is served by once it is known what it speaks.
package struct ConnectionFront: Sendable {
    package let gateway: Gateway
    package let loop: ServerLoop
    package let settings: ServerSettings
    package let count: ConnectionCount

    /// Adds HTTP/1 at the end of the pipeline; the next `channelActive` begins it.
    package func addHTTP1(to channel: any Channel, isSecure: Bool) throws {
        try channel.pipeline.syncOperations.addHandler(HTTPConnection(self, isSecure: isSecure))
    }
}

/// HTTP/1 on the socket itself.
package struct PlainLayer: ConnectionLayer {
    package init() {}

    package func setUp(_ channel: any Channel, _ front: ConnectionFront) throws {
        try front.addHTTP1(to: channel, isSecure: false)
    }
}
