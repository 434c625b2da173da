/// What host and worker say to each other over their channel.
///
/// Twelve bytes of header, then a payload.
///
///     0      4      5       6        8    12
///     ┌──────┬──────┬───────┬────────┬────┬─────────
///     │length│ kind │ flags │ unused │ id │ payload
///     └──────┴──────┴───────┴────────┴────┴─────────
///
/// Numbers are little-endian; `length` counts the payload. Ids of invocations are given by the host, ids of
/// binding calls by the worker, which sets the top bit.
package struct Frame {
    /// The kinds of frame.
    package enum Kind: UInt8, Sendable {
        /// Host to worker, first: `Hello`.
        case hello = 1
        /// Worker to host, once the handler is made: `Ready`.
        case ready = 2
        /// Host to worker: `InvokeHead` and the event's body.
        case invoke = 3
        /// Worker to host: `ReplyHead` and the first of the body.
        case reply = 4
        /// More of a body, within the reader's credit; of a reply or of a call's answer.
        case chunk = 5
        /// A reply or an answer is complete; without a reply: the invocation had been taken back.
        case end = 6
        /// A reply or an answer failed: `ErrorPayload`.
        case error = 7
        /// Host to worker: stop this invocation. Worker to host: give this call up.
        case cancel = 8
        /// The reader of `id` takes that many more bytes: four bytes.
        case credit = 9
        /// Worker to host: `CallHead` and a body.
        case call = 10
        /// Host to worker: the answer's value and, with the flag `last`, all there is.
        case callReply = 11
        /// Worker to host: `LogPayload`.
        case log = 12
        /// Host to worker: end what you have and leave.
        case drain = 13
        /// Host to worker: the body that a reply left in the shared region has been taken.
        case taken = 14
        /// Worker to host: what the handler has read from the clock, where the host keeps that: eight bytes.
        case clock = 15
    }

    /// Set in `reply`, `callReply` and `chunk`: nothing follows.
    package static let last: UInt8 = 1
    /// Set in `chunk` where one write of the handler's ends.
    ///
    /// Where a reply goes to a WebSocket, each write is a message.
    package static let written: UInt8 = 2
    /// Set in `invoke` and `reply`: the body lies in the shared region, and the frame says where.
    package static let elsewhere: UInt8 = 4
    /// The header's length in bytes.
    package static let headerLength = 12
    /// The longest payload either side accepts: a blob of 16 MiB and its head fit.
    package static let payloadMax = 17 * 1024 * 1024
    /// The bit that tells a call's id from an invocation's.
    package static let callBit: UInt32 = 0x8000_0000
    /// The version of all this; both sides must have the same.
    package static let protocolVersion: UInt32 = 6

    package var kind: Kind
    package var flags: UInt8
    package var id: UInt32
    /// Lies in the reader's memory, and only for as long as the reader says.
    package var payload: UnsafeRawBufferPointer

    package init(_ header: FrameHeader, payload: UnsafeRawBufferPointer) {
        kind = header.kind
        flags = header.flags
        id = header.id
        self.payload = payload
    }

    /// Whether nothing follows.
    package var isLast: Bool { flags & Frame.last != 0 }
    /// Whether the body lies in the shared region.
    package var isElsewhere: Bool { flags & Frame.elsewhere != 0 }
    /// Whether one write of the handler's ends here.
    package var endsWrite: Bool { flags & Frame.written != 0 }
}

/// A frame's first twelve bytes.
package struct FrameHeader {
    package let kind: Frame.Kind
    package let flags: UInt8
    package let id: UInt32
    /// The payload's length, `Frame.payloadMax` at most.
    package let length: Int

    /// Reads the header at the beginning of `bytes`, which are `Frame.headerLength` at least.
    package init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        flags = bytes[5]
        id = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard let kind = Frame.Kind(rawValue: bytes[4]) else {
            throw WireError("a frame of unknown kind \(bytes[4])")
        }
        self.kind = kind
        guard length <= Frame.payloadMax else {
            throw WireError("a frame of \(length) bytes; \(Frame.payloadMax) are allowed")
        }
    }
}

/// Why bytes from the other side cannot be read.
///
/// The channel is beyond repair: the reader closes it.
package struct WireError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
