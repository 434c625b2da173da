/// The head of a frame (RFC 6455 section 5.2).
///
///      0               1               2 …
///     ┌─┬─────┬───────┬─┬─────────────┬───────────────────────┬────────┬─────────
///     │F│ RSV │ opcode│M│ length      │ 0, 2 or 8 bytes of it │ mask 4 │ payload
///     └─┴─────┴───────┴─┴─────────────┴───────────────────────┴────────┴─────────
package struct SocketFrame: Sendable, Hashable {
    package enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        package var isControl: Bool { rawValue >= 8 }
    }

    package var opcode: Opcode
    /// Whether it is the last of its message.
    package var isFinal: Bool
    package var length: Int
    /// The mask as the four bytes stand in memory, so that it can be applied word by word.
    package var mask: UInt32

    /// The longest head: what a parser may have to wait for.
    package static let headMax = 14
    /// The longest payload of a control frame.
    package static let controlMax = 125

    /// A frame of the host's, which is never masked.
    package static func bytes(
        _ opcode: Opcode,
        isFinal: Bool = true,
        _ payload: some Collection<UInt8>
    ) -> [UInt8] {
        let count = payload.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(10 + count)
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        switch count {
        case ...125: bytes.append(UInt8(count))
        case ...0xFFFF: bytes += [126, UInt8(count >> 8), UInt8(count & 0xFF)]
        default:
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: count >> shift))
            }
        }
        bytes.append(contentsOf: payload)
        return bytes
    }

    /// A close frame.
    package static func close(_ closing: Closing) -> [UInt8] {
        guard closing.code != .none else { return bytes(.close, []) }
        let code = closing.code.rawValue
        let reason = closing.reason.utf8.prefix(Closing.reasonMax)
        return bytes(.close, [UInt8(code >> 8 & 0xFF), UInt8(code & 0xFF)] + reason)
    }

    /// Reads a client's head from the beginning of `bytes`; nil while it is not all there.
    package static func head(
        _ bytes: ArraySlice<UInt8>
    ) throws(SocketFault) -> (frame: SocketFrame, size: Int)? {
        var index = bytes.startIndex
        guard bytes.count >= 2 else { return nil }
        let (first, second) = (bytes[index], bytes[index + 1])
        guard first & 0x70 == 0 else {
            throw SocketFault(.protocolError, "a reserved bit is set, and no extension was agreed on")
        }
        guard let opcode = Opcode(rawValue: first & 0x0F) else {
            throw SocketFault(.protocolError, "the opcode \(first & 0x0F) is reserved")
        }
        guard second & 0x80 != 0 else { throw SocketFault(.protocolError, "a client must mask its frames") }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7F)
        guard !opcode.isControl || (isFinal && short <= controlMax) else {
            throw SocketFault(.protocolError, "a control frame is whole and has at most 125 bytes")
        }
        let more = short == 126 ? 2 : short == 127 ? 8 : 0
        let size = 2 + more + 4
        guard bytes.count >= size else { return nil }
        index += 2
        var length = UInt64(short)
        if more > 0 {
            length = bytes[index..<index + more].reduce(0) { $0 << 8 | UInt64($1) }
            guard length > (more == 2 ? 125 : 0xFFFF), length <= UInt64(Int64.max) else {
                throw SocketFault(.protocolError, "a length is written in the fewest bytes it needs")
            }
            index += more
        }
        var mask: UInt32 = 0
        for place in 0..<4 { mask |= UInt32(bytes[index + place]) << (8 * UInt32(place)) }
        let frame = SocketFrame(opcode: opcode, isFinal: isFinal, length: Int(length), mask: mask)
        return (frame, size)
    }
}

/// What a client did against the protocol, with the code for its close frame.
package struct SocketFault: Error, Sendable, Hashable {
    package var closing: Closing

    package init(_ code: CloseCode, _ reason: String) {
        closing = Closing(code, reason)
    }
}
