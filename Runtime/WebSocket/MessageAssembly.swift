/// Puts the frames of a client together to messages, from bytes as they come.
///
/// Holds the beginning of one message, at most `limit` bytes, and a head or a control frame that is not all
/// there.
struct MessageAssembly: Sendable {
    /// What a client said.
    enum Part: Sendable, Equatable {
        case message(SocketMessage)
        case ping([UInt8])
        case pong
        case close(Closing)
    }

    private let limit: Int
    private var input: [UInt8] = []
    private var index = 0
    /// The data frame whose payload is coming, and how much of it has come.
    private var frame: (head: SocketFrame, taken: Int)?
    private var message: SocketMessage?
    private var text = UTF8Check()

    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ bytes: [UInt8]) {
        if index == input.count {
            input = bytes
        } else {
            input.removeFirst(index)
            input += bytes
        }
        index = 0
    }

    /// What is whole next; nil when more bytes are needed.
    mutating func next() throws(SocketFault) -> Part? {
        while true {
            if frame != nil {
                guard let part = try takePayload() else { return nil }
                if let message = part { return .message(message) }
                continue
            }
            guard let (head, size) = try SocketFrame.head(input[index...]) else { return compact() }
            if head.opcode.isControl {
                guard input.count - index >= size + head.length else { return compact() }
                var payload = Array(input[(index + size)..<(index + size + head.length)])
                unmask(&payload, from: 0, with: head.mask)
                index += size + head.length
                return try MessageAssembly.control(head.opcode, payload)
            }
            try begin(head)
            index += size
        }
    }

    private mutating func compact() -> Part? {
        if index == input.count {
            // An idle connection keeps no buffer.
            input = []
            index = 0
        }
        return nil
    }

    private mutating func begin(_ head: SocketFrame) throws(SocketFault) {
        if head.opcode == .continuation {
            guard message != nil else {
                throw SocketFault(.protocolError, "there is no message to go on with")
            }
        } else {
            guard message == nil else {
                throw SocketFault(.protocolError, "a message begins before the last one has ended")
            }
            message = SocketMessage(isText: head.opcode == .text, bytes: [])
        }
        guard let held = message?.bytes.count, head.length <= limit - held else {
            throw SocketFault(.tooBig, "a message has at most \(limit) bytes here")
        }
        frame = (head, 0)
    }

    /// Takes what there is of a data frame's payload: nil while it is not whole, then the message or, before
    /// its last frame, no message.
    private mutating func takePayload() throws(SocketFault) -> SocketMessage?? {
        guard let (head, taken) = frame, message != nil else { return nil }
        let count = min(head.length - taken, input.count - index)
        if count > 0, var bytes = message?.bytes {
            message?.bytes = []
            let start = bytes.count
            bytes += input[index..<index + count]
            unmask(&bytes, from: start, with: head.mask.rotated(by: taken))
            index += count
            if message?.isText == true, !text.take(bytes[start...]) {
                throw SocketFault(.invalidData, "a text message must be UTF-8")
            }
            message?.bytes = bytes
        }
        guard taken + count == head.length else {
            frame = (head, taken + count)
            _ = compact()
            return nil
        }
        frame = nil
        guard head.isFinal else { return .some(nil) }
        guard text.isComplete else { throw SocketFault(.invalidData, "a text message must be UTF-8") }
        defer { message = nil }
        return message
    }

    private static func control(
        _ opcode: SocketFrame.Opcode,
        _ payload: [UInt8]
    ) throws(SocketFault) -> Part {
        if opcode == .ping { return .ping(payload) }
        guard opcode == .close else { return .pong }
        guard !payload.isEmpty else { return .close(Closing(.none)) }
        guard payload.count >= 2 else { throw SocketFault(.protocolError, "a close code has two bytes") }
        let code = CloseCode(rawValue: Int(payload[0]) << 8 | Int(payload[1]))
        guard code.isValidOnWire else {
            throw SocketFault(.protocolError, "the close code \(code.rawValue) is not for the wire")
        }
        let reason = payload[2...]
        guard UTF8Check.isText(reason) else {
            throw SocketFault(.invalidData, "the reason of a close frame must be UTF-8")
        }
        return .close(Closing(code, String(decoding: reason, as: UTF8.self)))
    }
}

/// A message, whole.
package struct SocketMessage: Sendable, Equatable {
    package var isText: Bool
    package var bytes: [UInt8]

    package init(isText: Bool, bytes: [UInt8]) {
        self.isText = isText
        self.bytes = bytes
    }
}

extension UInt32 {
    /// The mask for a payload of which `count` bytes have been seen to.
    fileprivate func rotated(by count: Int) -> UInt32 {
        let bits = UInt32(count % 4) * 8
        return bits == 0 ? self : self >> bits | self << (32 - bits)
    }
}

/// Takes the mask off the bytes from `start` on, eight at a time.
private func unmask(_ bytes: inout [UInt8], from start: Int, with mask: UInt32) {
    guard mask != 0 else { return }
    let wide = UInt64(mask) << 32 | UInt64(mask)
    // SAFETY: every access lies within the buffer, and the words are read and written unaligned.
    bytes.withUnsafeMutableBytes { buffer in
        var index = start
        while index + 8 <= buffer.count {
            let word = buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            buffer.storeBytes(of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        var rest = mask
        while index < buffer.count {
            buffer[index] ^= UInt8(truncatingIfNeeded: rest)
            rest >>= 8
            index += 1
            if (index - start) % 4 == 0 { rest = mask }
        }
    }
}
