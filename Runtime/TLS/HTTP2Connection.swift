import FunctionCore
import HTTPTrigger
import NIOCore
import NIOHTTP2

/// One HTTP/2 connection: what concerns all its streams.
///
/// NIO's own handlers keep the protocol, its limits of rate (resets, control frames, continuations) and the
/// two GOAWAYs of a gentle end. This one counts, and sweeps over the streams.
// SAFETY: a channel handler, and so confined to its channel's loop; the server's calls come on that loop as
// well, as do those of the streams, whose channels have the loop of this one.
final class HTTP2Connection: ChannelInboundHandler, ServedConnection, @unchecked Sendable {
    typealias InboundIn = HTTP2Frame

    let front: ConnectionFront
    /// The peer's address without its port.
    let remoteAddress: String
    private var context: ChannelHandlerContext?
    private var streams: [ObjectIdentifier: HTTP2Stream] = [:]

    private init(_ front: ConnectionFront, remoteAddress: String) {
        self.front = front
        self.remoteAddress = remoteAddress
    }

    /// Begins HTTP/2 at the end of the pipeline.
    static func add(to channel: any Channel, _ front: ConnectionFront) throws {
        let connection = HTTP2Connection(front, remoteAddress: channel.remoteAddress?.ipAddress ?? "")
        let manager = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: managing(front.settings)
        )
        let handler = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: limits(front.settings),
            streamConfiguration: streamLimits(),
            streamDelegate: manager.http2StreamDelegate
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream(connection))
            }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([handler, manager, connection])
        // NIO's handler sees that the channel is active already, and tells those behind it nothing.
        try pipeline.context(handler: handler).fireChannelActive()
    }

    /// A client that is idle gets GOAWAY; one that does not answer a ping is gone.
    private static func managing(
        _ settings: ServerSettings
    ) -> NIOHTTP2ServerConnectionManagementHandler.Configuration {
        NIOHTTP2ServerConnectionManagementHandler.Configuration(
            maxIdleTime: .nanoseconds(settings.idleTimeout.nanoseconds),
            maxAge: nil,
            // The server's own grace ends what is left.
            maxGraceTime: nil,
            keepalive: .init(
                pingInterval: .nanoseconds(settings.stallTimeout.nanoseconds),
                ackTimeout: .seconds(20)
            )
        )
    }

    private static func limits(_ settings: ServerSettings) -> NIOHTTP2Handler.ConnectionConfiguration {
        var limits = NIOHTTP2Handler.ConnectionConfiguration()
        limits.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: settings.maxStreams),
            // RFC 9113 counts 32 bytes for each field beside its name and value.
            HTTP2Setting(
                parameter: .maxHeaderListSize,
                value: settings.maxHeaderBytes + settings.maxTargetBytes + 32 * settings.maxHeaderFields
            ),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        limits.targetWindowSize = connectionWindow
        limits.maximumBufferedControlFrames = 1000
        return limits
    }

    private static func streamLimits() -> NIOHTTP2Handler.StreamConfiguration {
        var limits = NIOHTTP2Handler.StreamConfiguration()
        limits.targetWindowSize = streamWindow
        // What a stream takes before it says that it is full; a function's credit is 64 KiB.
        limits.outboundBufferSizeHighWatermark = 64 * 1024
        limits.outboundBufferSizeLowWatermark = 16 * 1024
        // Of one who opens streams only to take them back.
        limits.streamResetFrameRateLimit.maximumCount = 200
        limits.streamResetFrameRateLimit.windowLength = .seconds(30)
        return limits
    }

    /// What a client may send ahead on a stream, and on all of them.
    private static let streamWindow = 256 * 1024
    private static let connectionWindow = 1024 * 1024

    // MARK: The channel's events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        front.loop.add(self)
        // HTTP/2 has no answer that belongs to no request, so one too many is closed.
        if front.count.enter() > front.settings.maxConnections || front.loop.isStopping { abort() }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if self.context != nil {
            self.context = nil
            front.loop.remove(self)
            front.count.leave()
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A stream's error is the stream's affair; NIO has reset it.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.StreamClosed { return }
        context.close(promise: nil)
    }

    // MARK: Streams

    func add(_ stream: HTTP2Stream) {
        streams[ObjectIdentifier(stream)] = stream
    }

    func remove(_ stream: HTTP2Stream) {
        streams[ObjectIdentifier(stream)] = nil
    }

    func sweep() {
        for stream in streams.values { stream.sweep() }
    }

    func retire() {
        context?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    func abort() {
        context?.channel.close(mode: .all, promise: nil)
    }
}
