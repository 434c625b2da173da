import FunctionCore
import HTTPTrigger
import NIOCore
import NIOHTTP2

/// One HTTP/2 connection: what concerns all its streams.
///
/// NIO's own handler keeps the protocol and its limits of rate (resets, control frames, continuations). This
/// one counts, sweeps over the streams, looks whether the client is there, and ends gently.
// SAFETY: a channel handler, and so confined to its channel's loop; the server's calls come on that loop as
// well, as do those of NIO's delegate and of the streams, whose channels have the loop of this one.
final class HTTP2Connection: ChannelInboundHandler, ServedConnection, NIOHTTP2StreamDelegate,
    @unchecked Sendable
{
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    let front: ConnectionFront
    /// The peer's address without its port.
    let remoteAddress: String
    private let wire: HTTP2Wire
    private var drain: HTTP2Drain
    private let farewell = UInt64.random(in: .min ... .max)
    private var context: ChannelHandlerContext?
    private var streams: [ObjectIdentifier: HTTP2Stream] = [:]
    private var lastStream = 0

    // Ticks since which something has been so, for the sweep.
    private var idleSince = 0
    private var heardAt = 0
    private var pingedAt: Int?

    private init(_ front: ConnectionFront, _ wire: HTTP2Wire, remoteAddress: String) {
        self.front = front
        self.wire = wire
        self.remoteAddress = remoteAddress
        let settings = front.settings
        drain = HTTP2Drain(patience: max(1, Int(settings.lingerTimeout / settings.sweepInterval)))
        idleSince = front.loop.tick
        heardAt = front.loop.tick
    }

    /// Begins HTTP/2 at the end of the pipeline.
    static func add(to channel: any Channel, _ front: ConnectionFront) throws {
        let limits = HTTP2Limits(front.settings)
        let wire = HTTP2Wire(saying: limits.said)
        let connection = HTTP2Connection(front, wire, remoteAddress: channel.remoteAddress?.ipAddress ?? "")
        let handler = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: limits.connection,
            streamConfiguration: limits.stream,
            streamDelegate: connection
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(HTTP2Stream(connection))
            }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([wire, handler, connection])
        // NIO's handler sees that the channel is active already, and tells those behind it nothing.
        try pipeline.context(handler: handler).fireChannelActive()
    }

    // MARK: The channel's events

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        front.loop.add(self)
        // HTTP/2 has no answer that belongs to no request, so one too many is closed.
        if front.count.enter() > front.settings.maxConnections || front.loop.isStopping { return abort() }
        // At once: NIO itself would open the window of all streams with the first that ends.
        let more = HTTP2Limits.connectionWindow - HTTP2Limits.initialWindow
        let frame = HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: more))
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
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

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard()
        if case .ping(let mark, true) = Self.unwrapInboundIn(data).payload, mark.integer == farewell {
            perform(drain.acknowledged(streams: streams.count))
        }
    }

    /// What NIO finds wrong with one stream it has reset, and is that stream's affair.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is any NIOHTTP2Error, !wire.hasFailed { return }
        context.close(promise: nil)
    }

    // MARK: Streams

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        lastStream = max(lastStream, Int(id))
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {}

    func add(_ stream: HTTP2Stream) {
        streams[ObjectIdentifier(stream)] = stream
    }

    func remove(_ stream: HTTP2Stream) {
        guard streams.removeValue(forKey: ObjectIdentifier(stream)) != nil, streams.isEmpty else { return }
        idleSince = front.loop.tick
        perform(drain.emptied())
    }

    /// Whether a stream that has just been added may go on.
    var isOpen: Bool { !drain.refuses && streams.count <= front.settings.maxStreams }

    func heard() {
        heardAt = front.loop.tick
        pingedAt = nil
    }

    // MARK: The end

    func sweep() {
        for stream in streams.values { stream.sweep() }
        let tick = front.loop.tick
        perform(drain.passed(tick, streams: streams.count))
        if streams.isEmpty, passed(front.settings.idleTimeout, since: idleSince) { retire() }
        if let pingedAt {
            if passed(HTTP2Limits.pingTimeout, since: pingedAt) { abort() }
        } else if passed(front.settings.stallTimeout, since: heardAt) {
            pingedAt = tick
            wire.ping(~farewell)
        }
    }

    private func passed(_ limit: Duration, since tick: Int) -> Bool {
        front.settings.sweepInterval * (front.loop.tick - tick) >= limit
    }

    func retire() {
        perform(drain.began(at: front.loop.tick))
    }

    private func perform(_ action: HTTP2Drain.Action?) {
        switch action {
        case .announce:
            wire.sayGoing(last: Int(Int32.max))
            wire.ping(farewell)
        case .limit: wire.sayGoing(last: lastStream)
        case .close: close()
        case nil: break
        }
    }

    /// Closes when all that was answered is with the kernel, of which the last frame tells.
    private func close() {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let channel = context.channel
        promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        // The answer of the last stream is yet to be flushed in this turn of the loop.
        context.eventLoop.execute { self.wire.sayGoing(last: self.lastStream, promise: promise) }
    }

    func abort() {
        context?.channel.close(mode: .all, promise: nil)
    }
}
