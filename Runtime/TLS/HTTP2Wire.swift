import NIOCore

/// What lies between NIO's handler of HTTP/2 and TLS: the frames that go past that handler.
///
/// NIO's own quiescing takes the first GOAWAY for the last as soon as no stream is open, and fails the
/// connection over the next frame; so the GOAWAYs of a gentle end are said here, and NIO never hears of them.
/// A client is told lower limits than NIO keeps: what is above the one and below the other costs one stream,
/// while NIO would end the connection.
// SAFETY: a channel handler, and so confined to its channel's loop.
final class HTTP2Wire: ChannelOutboundHandler, @unchecked Sendable {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// NIO has ended the connection with a GOAWAY of its own.
    private(set) var hasFailed = false
    private let said: [UInt16: UInt32]
    private var context: ChannelHandlerContext?
    private var hasSaidSettings = false
    /// The next write is the payload of a DATA frame, which may look like anything.
    private var isPayload = false

    /// `said` are the settings that a client is told in place of NIO's.
    init(saying said: [UInt16: UInt32]) {
        self.said = said
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// NIO writes a frame at a time, DATA in two pieces.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var frame = Self.unwrapOutboundIn(data)
        if isPayload {
            isPayload = false
        } else if let kind: UInt8 = frame.getInteger(at: frame.readerIndex + 3) {
            switch kind {
            case 0:
                let hasPayload = frame.readableBytesView.prefix(3).contains { $0 > 0 }
                isPayload = hasPayload && frame.readableBytes == 9
            case 4 where !hasSaidSettings: restate(&frame)
            case 7: hasFailed = true
            default: break
            }
        }
        context.write(Self.wrapOutboundOut(frame), promise: promise)
    }

    private func restate(_ frame: inout ByteBuffer) {
        hasSaidSettings = true
        let end = frame.readerIndex + frame.readableBytes
        for at in stride(from: frame.readerIndex + 9, to: end, by: 6) {
            guard let name: UInt16 = frame.getInteger(at: at), let value = said[name] else { continue }
            frame.setInteger(value, at: at + 2)
        }
    }

    /// Tells the client which of its streams is the last that is served.
    func sayGoing(last: Int, promise: EventLoopPromise<Void>? = nil) {
        var frame = ByteBuffer(bytes: [0, 0, 8, 7, 0, 0, 0, 0, 0])
        frame.writeInteger(UInt32(last))
        frame.writeInteger(UInt32(0))
        send(frame, promise)
    }

    /// Asks for a sign of life.
    func ping(_ mark: UInt64) {
        var frame = ByteBuffer(bytes: [0, 0, 8, 6, 0, 0, 0, 0, 0])
        frame.writeInteger(mark)
        send(frame, nil)
    }

    private func send(_ frame: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: promise)
    }
}
