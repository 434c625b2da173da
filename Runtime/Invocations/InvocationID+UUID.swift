/// An invocation's id as callers and runtimes of AWS Lambda expect it.
extension InvocationID {
    /// The UUID (RFC 9562, version 8) that stands for an invocation's id, the same one every time.
    ///
    /// Ids made here keep all their bits, so two never share a UUID; any other text is hashed.
    package static func uuid(of invocation: String) -> String {
        let (high, low) = bits(of: invocation)
        let first = high >> 16
        let second = 0x8000 | (high >> 4 & 0xFFF)
        let rest = (high & 0xF) << 58 | low & (1 << 58 - 1)
        let third = 0x8000 | rest >> 48
        return [
            hexadecimal(first >> 16, 8), hexadecimal(first & 0xFFFF, 4), hexadecimal(second, 4),
            hexadecimal(third, 4), hexadecimal(rest & (1 << 48 - 1), 12),
        ].joined(separator: "-")
    }

    /// The random part and the counter of an id; of any other text two hashes (FNV-1a).
    private static func bits(of invocation: String) -> (UInt64, UInt64) {
        let digits = invocation.utf8.map { byte -> UInt64? in
            switch byte {
            case 48...57: UInt64(byte - 48)
            case 97...118: UInt64(byte - 87)
            default: nil
            }
        }
        let values = digits.compactMap { $0 }
        guard values.count == 24, digits.count == 24 else {
            return (hash(invocation, 0xCBF2_9CE4_8422_2325), hash(invocation, 0x8422_2325_CBF2_9CE4))
        }
        return (
            values[..<13].reduce(0) { $0 << 5 | $1 }, values[13...].reduce(0) { $0 << 5 | $1 }
        )
    }

    private static func hash(_ text: String, _ start: UInt64) -> UInt64 {
        text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func hexadecimal(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
