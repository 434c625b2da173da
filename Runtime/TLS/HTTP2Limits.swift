import HTTPTrigger
import NIOCore
import NIOHTTP2

/// The bounds of HTTP/2: those that a client is told, and the wider ones that NIO keeps.
///
/// A client that oversteps the first loses a stream or is told so; one that oversteps the second loses its
/// connection. In between lies what was on its way, or a fault of the client's that harms nobody else.
struct HTTP2Limits {
    /// What a client may send ahead on a stream, and on all of them; the last is what the protocol begins with.
    static let streamWindow = 256 * 1024
    static let connectionWindow = 1024 * 1024
    static let initialWindow = 65_535
    /// How long a client has to answer a ping.
    static let pingTimeout = Duration.seconds(20)

    let connection: NIOHTTP2Handler.ConnectionConfiguration
    let stream: NIOHTTP2Handler.StreamConfiguration
    /// The settings that a client is told in place of NIO's, by their numbers in RFC 9113, 6.5.2.
    let said: [UInt16: UInt32]

    init(_ settings: ServerSettings) {
        // RFC 9113 counts 32 bytes for each field beside its name and value.
        let fields = settings.maxHeaderBytes + settings.maxTargetBytes + 32 * settings.maxHeaderFields
        said = [3: UInt32(settings.maxStreams), 6: UInt32(fields)]
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 2 * settings.maxStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * fields),
            HTTP2Setting(parameter: .initialWindowSize, value: HTTP2Limits.streamWindow),
            HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        connection.targetWindowSize = HTTP2Limits.connectionWindow
        connection.maximumBufferedControlFrames = 1000
        self.connection = connection
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.targetWindowSize = HTTP2Limits.streamWindow
        // What a stream takes before it says that it is full; a function's credit is 64 KiB.
        stream.outboundBufferSizeHighWatermark = 64 * 1024
        stream.outboundBufferSizeLowWatermark = 16 * 1024
        // Of one who opens streams only to take them back.
        stream.streamResetFrameRateLimit.maximumCount = 200
        stream.streamResetFrameRateLimit.windowLength = .seconds(30)
        self.stream = stream
    }
}
