/// Base64 as RFC 4648 section 4 defines it: the standard alphabet, with padding.
///
/// Decoding accepts exactly what encoding writes. White space, missing padding and stray bits in the last
/// character are refused, so that a value has one text only.
private enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    )
    private static let padding = UInt8(ascii: "=")

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        let alphabet = Self.alphabet
        var place = 0
        while place < bytes.count {
            let left = bytes.count - place
            var group = UInt32(bytes[place]) << 16
            if left > 1 { group |= UInt32(bytes[place + 1]) << 8 }
            if left > 2 { group |= UInt32(bytes[place + 2]) }
            text.append(alphabet[Int(group >> 18)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : padding)
            text.append(left > 2 ? alphabet[Int(group & 63)] : padding)
            place += 3
        }
        return text
    }

    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var place = 0
        while place < text.count {
            let isLast = place + 4 == text.count
            let pads = !isLast || text[place + 3] != padding ? 0 : text[place + 2] != padding ? 1 : 2
            var group: UInt32 = 0
            for offset in 0..<4 {
                group <<= 6
                if offset >= 4 - pads { continue }
                guard let digit = digit(text[place + offset]) else { return nil }
                group |= digit
            }
            bytes.append(UInt8(truncatingIfNeeded: group >> 16))
            if pads < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
            if pads < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
            let strayBits: UInt32 = pads == 2 ? 0xFFFF : pads == 1 ? 0xFF : 0
            guard group & strayBits == 0 else { return nil }
            place += 4
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension Bytes {
    /// The bytes of a Base64 text, or nil if it is not one: standard alphabet, padded, no white space.
    public init?(base64 text: String) {
        guard let bytes = Base64.decode(Array(text.utf8)) else { return nil }
        self.init(bytes)
    }

    /// The bytes as Base64 text, in the standard alphabet and padded.
    public var base64: String {
        String(decoding: Base64.encode(array), as: UTF8.self)
    }
}
