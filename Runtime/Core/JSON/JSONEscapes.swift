/// Resolves the escapes of a string that the scanner has checked.
enum JSONEscapes {
    // SAFETY: the caller's buffer stays valid for the call.
    static func resolved(_ source: UnsafeBufferPointer<UInt8>) -> String {
        // No escape is shorter than what it stands for.
        String(unsafeUninitializedCapacity: source.count) { target in
            var filled = 0
            var place = 0
            while place < source.count {
                let byte = source[place]
                guard byte == UInt8(ascii: "\\") else {
                    target[filled] = byte
                    filled += 1
                    place += 1
                    continue
                }
                if source[place + 1] == UInt8(ascii: "u") {
                    for byte in UTF8.encode(scalar(source, &place)) ?? UTF8.encodedReplacementCharacter {
                        target[filled] = byte
                        filled += 1
                    }
                } else {
                    target[filled] = byteMeant(by: source[place + 1])
                    filled += 1
                    place += 2
                }
            }
            return filled
        }
    }

    private static func byteMeant(by letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// Reads `\uXXXX` at the place, or two of them that are a surrogate pair.
    // SAFETY: the scanner saw to it that the digits, and both halves of a pair, are there.
    private static func scalar(_ source: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> Unicode.Scalar {
        var code = digits(source, place + 2)
        place += 6
        if code & 0xFC00 == 0xD800 {
            code = 0x10000 + (code & 0x3FF) << 10 + digits(source, place + 2) & 0x3FF
            place += 6
        }
        return Unicode.Scalar(code) ?? "\u{FFFD}"
    }

    // SAFETY: as above.
    private static func digits(_ source: UnsafeBufferPointer<UInt8>, _ place: Int) -> UInt32 {
        var code: UInt32 = 0
        for byte in source[place..<place + 4] {
            // A letter's low bits count from one, and bit 6 tells it from a digit.
            code = code << 4 | UInt32(byte & 0x0F) + (byte & 0x40 != 0 ? 9 : 0)
        }
        return code
    }
}
