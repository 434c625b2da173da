import HTTPTrigger
import NIOCore
import NIOSSL
import NIOTLS

/// TLS on every connection of a server, and in it HTTP/2 or HTTP/1.1, as the client wishes.
package struct SecureLayer: ConnectionLayer {
    private let certificates: CertificateStore

    package init(_ certificates: CertificateStore) {
        self.certificates = certificates
    }

    package func setUp(_ channel: any Channel, _ front: ConnectionFront) throws {
        let tls = NIOSSLServerHandler(context: certificates.context)
        try channel.pipeline.syncOperations.addHandlers([tls, Handshake(front, tls)])
    }
}

/// A connection until its handshake is done; then it makes room for what the two sides agreed on.
///
/// Bounds: it counts as a connection, and has as long as a request's head may take.
// SAFETY: a channel handler, and so confined to its channel's loop; the server's calls come on that loop as
// well.
private final class Handshake: ChannelInboundHandler, RemovableChannelHandler, ServedConnection,
    @unchecked Sendable
{
    typealias InboundIn = ByteBuffer

    private let front: ConnectionFront
    private let tls: NIOSSLServerHandler
    private var isCounted = false
    private var context: ChannelHandlerContext?
    private let since: Int

    init(_ front: ConnectionFront, _ tls: NIOSSLServerHandler) {
        self.front = front
        self.tls = tls
        since = front.loop.tick
    }

    // What comes after is told of the connection when it is there to hear it.
    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        front.loop.add(self)
        let connections = front.count.enter()
        isCounted = true
        // Too many even to be told so; below that HTTP says it.
        if front.loop.isStopping || connections > front.settings.maxConnections + front.settings.backlog {
            abort()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let agreed) = event as? TLSUserEvent, self.context != nil else {
            return context.fireUserInboundEventTriggered(event)
        }
        uncount()
        // The loop has the other one before it has this one no longer, so that a server that stops does not
        // take it for empty in between.
        do {
            if agreed == "h2" {
                try HTTP2Connection.add(to: context.channel, front)
            } else {
                try front.addHTTP1(to: context.channel, isSecure: true)
                context.fireChannelActive()
            }
        } catch {
            return abort()
        }
        leave()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// A client that does not like the certificate, or speaks no TLS.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard self.context != nil else { return context.fireErrorCaught(error) }
        context.close(promise: nil)
    }

    func sweep() {
        let settings = front.settings
        if settings.sweepInterval * (front.loop.tick - since) >= settings.headerTimeout { abort() }
    }

    func retire() {
        abort()
    }

    func abort() {
        // Below TLS, whose own shutdown would wait for a client that has yet to say its first word.
        try? context?.pipeline.syncOperations.context(handler: tls).close(promise: nil)
    }

    private func leave() {
        guard context != nil else { return }
        context = nil
        uncount()
        front.loop.remove(self)
    }

    private func uncount() {
        guard isCounted else { return }
        isCounted = false
        front.count.leave()
    }
}
