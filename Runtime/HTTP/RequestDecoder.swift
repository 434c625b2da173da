import NIOCore
import NIOHTTP1

/// What the decoder and its connection tell one another.
///
/// Both live on the connection's loop.
final class ReadGate {
    /// As many requests wait as may: nothing more is decoded.
    var isFull = false
    /// Nothing that still comes is of interest.
    var discards = false
    /// The decoder holds bytes back because the gate was full.
    var holdsBytes = false
    /// A part of a request came out since the flag was last cleared.
    var sawPart = false
    /// Bytes came in of which no part came out: the beginning of a head.
    var hasPartialHead = false
}

/// The request target is longer than the server allows.
struct TargetTooLong: Error {}

/// NIO's request decoder, fed in slices, so that a client that sends thousands of small requests in one
/// segment fills the queue by few more than its bound.
///
/// A slice of 4 KiB holds 227 of the smallest requests there are; that is the overshoot, and one slice is
/// what nearly every request takes.
final class RequestDecoder: ByteToMessageDecoder {
    typealias InboundOut = HTTPServerRequestPart

    private static let slice = 4096
    private let gate: ReadGate
    private let decoder: HTTPRequestDecoder
    private let maxTargetBytes: Int
    /// Bytes at the front of the buffer that the parser has seen and not let go of.
    private var seen = 0

    init(gate: ReadGate, settings: ServerSettings) {
        var limits = NIOHTTPDecoderLimitConfiguration()
        // The decoder counts the target among the headers.
        limits.maxHeaderListSize = settings.maxHeaderBytes + settings.maxTargetBytes
        limits.maxHeaderFieldSize = settings.maxHeaderBytes
        limits.maxHeaderFieldCount = settings.maxHeaderFields
        self.gate = gate
        self.maxTargetBytes = settings.maxTargetBytes
        self.decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    }

    func decoderAdded(context: ChannelHandlerContext) {
        decoder.decoderAdded(context: context)
    }

    func decoderRemoved(context: ChannelHandlerContext) {
        decoder.decoderRemoved(context: context)
    }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        gate.sawPart = false
        while true {
            if gate.discards {
                buffer.moveReaderIndex(forwardBy: buffer.readableBytes)
                seen = 0
                return .needMoreData
            }
            guard buffer.readableBytes > seen else { break }
            if gate.isFull {
                gate.holdsBytes = true
                return .needMoreData
            }
            try feed(context: context, buffer: &buffer)
        }
        gate.hasPartialHead = !gate.sawPart
        return .needMoreData
    }

    /// A connection that has ended is owed nothing: what it sent last is not begun.
    func decodeLast(
        context: ChannelHandlerContext,
        buffer: inout ByteBuffer,
        seenEOF: Bool
    ) throws -> DecodingState {
        buffer.moveReaderIndex(forwardBy: buffer.readableBytes)
        return .needMoreData
    }

    private func feed(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws {
        do {
            if buffer.readableBytes - seen <= Self.slice {
                _ = try decoder.decode(context: context, buffer: &buffer)
                seen = buffer.readableBytes
            } else if var part = buffer.getSlice(at: buffer.readerIndex, length: seen + Self.slice) {
                let length = part.readableBytes
                _ = try decoder.decode(context: context, buffer: &part)
                seen = part.readableBytes
                buffer.moveReaderIndex(forwardBy: length - seen)
            }
        } catch HTTPParserError.headerOverflow where startsWithLongTarget(buffer) {
            throw TargetTooLong()
        }
    }

    /// Whether the bytes left begin with a target over the limit, with the method before it or already taken
    /// off.
    private func startsWithLongTarget(_ buffer: ByteBuffer) -> Bool {
        let bytes = buffer.readableBytesView
        var rest = bytes[...]
        if let first = rest.first, first >= 65, first <= 90 {
            rest = rest.drop { $0 != 32 }.dropFirst()
        }
        guard rest.first == 47 else { return false }
        return rest.prefix { $0 != 32 && $0 != 10 }.count > maxTargetBytes
    }
}
