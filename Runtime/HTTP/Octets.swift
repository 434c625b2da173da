/// Looking through bytes of HTTP.
package enum Octets {
    /// The first byte below 32 or equal to 127 in `range`, or the range's end.
    static func firstControl(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        let raw = bytes.bytes
        let ones: UInt64 = 0x0101_0101_0101_0101
        while index &+ 8 <= range.upperBound {
            // SAFETY: eight bytes of any value, within `bytes`, make a number.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let deletes = word ^ (ones &* 127)
            // A byte's high bit is set where it is below 32, or 127. A borrow can set it wrongly in a later
            // byte, never in one before the first.
            let found =
                ((word &- ones &* 32) & ~word | (deletes &- ones) & ~deletes) & (ones &* 128)
            guard found == 0 else { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < range.upperBound, bytes[index] >= 32, bytes[index] != 127 { index &+= 1 }
        return index
    }

    /// Whether the byte may stand in a token (RFC 9110, 5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``.
    static func isToken(_ byte: UInt8) -> Bool {
        isIn(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// Whether the byte may stand in a Host field or a target's authority (RFC 3986, 3.2.2 and 3.2.3): no
    /// user, no path.
    package static func isAuthority(_ byte: UInt8) -> Bool {
        isIn(byte, 0x2FFF_7FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE)
    }

    /// The value of a hexadecimal digit.
    static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: Int(byte) - 48
        case 65...70: Int(byte) - 55
        case 97...102: Int(byte) - 87
        default: nil
        }
    }

    /// The range without spaces and tabs at its ends.
    static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, bytes[start] == 32 || bytes[start] == 9 { start &+= 1 }
        while end > start, bytes[end &- 1] == 32 || bytes[end &- 1] == 9 { end &-= 1 }
        return start..<end
    }

    /// The bytes as a text; what is not UTF-8 becomes U+FFFD.
    static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        bytes.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a set of ASCII bytes, a bit each, holds the byte.
    private static func isIn(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        let bits = byte & 64 == 0 ? low : high
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }
}
