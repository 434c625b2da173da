extension JSONParser {
    /// Reads the string whose opening quote is at the position.
    ///
    /// A string without escapes is copied in one piece; only one with bytes above ASCII is validated.
    mutating func string() throws(Fault) -> String {
        let start = position + 1
        var seen: UInt8 = 0
        position = plainEnd(from: start, seen: &seen)
        guard position < end else { throw fault(.quote) }
        switch base[position] {
        case UInt8(ascii: "\""):
            if seen >= 0x80 { try validate(start..<position) }
            // SAFETY: the range lies in the buffer; the text is copied.
            let plain = UnsafeBufferPointer(start: base + start, count: position - start)
            let text = String(decoding: plain, as: UTF8.self)
            position += 1
            return text
        case UInt8(ascii: "\\"):
            return try escapedString(from: start, seen: seen)
        default:
            throw fault(.control)
        }
    }

    /// The first byte from `start` on that is a quote, a backslash or a control character, or the end.
    ///
    /// `seen` gathers the bytes passed, so that its top bit tells whether all were ASCII.
    private func plainEnd(from start: Int, seen: inout UInt8) -> Int {
        var cursor = start
        var words: UInt64 = 0
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while cursor + 8 <= end {
            // SAFETY: the eight bytes lie before `end`; the load needs no alignment.
            let word = UnsafeRawPointer(base + cursor).loadUnaligned(as: UInt64.self)
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // Subtracting borrows into a byte's top bit where it was below the subtrahend. As a test of the
            // whole word this is exact.
            let hits =
                ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes)
                | ((slashes &- ones) & ~slashes)
            guard hits & tops == 0 else { break }
            words |= word
            cursor += 8
        }
        if words & tops != 0 { seen |= 0x80 }
        while cursor < end {
            let byte = base[cursor]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seen |= byte
            cursor += 1
        }
        return cursor
    }

    /// Reads the rest of a string that has a backslash at the position.
    private mutating func escapedString(from start: Int, seen: UInt8) throws(Fault) -> String {
        var seen = seen
        var run = start
        scratch.removeAll(keepingCapacity: true)
        while position < end {
            // SAFETY: the run lies in the buffer; its bytes are copied.
            scratch.append(contentsOf: UnsafeBufferPointer(start: base + run, count: position - run))
            switch base[position] {
            case UInt8(ascii: "\""):
                // Escapes are ASCII in the source, so the source is valid just when the text is.
                if seen >= 0x80 { try validate(start..<position) }
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try escape()
            default:
                throw fault(.control)
            }
            run = position
            position = plainEnd(from: run, seen: &seen)
        }
        throw fault(.quote)
    }

    /// Decodes the escape at the position into `scratch`.
    private mutating func escape() throws(Fault) {
        position += 1
        guard position < end else { throw fault(.escape) }
        switch base[position] {
        case UInt8(ascii: "\""): scratch.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): scratch.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): scratch.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            scratch.append(contentsOf: UTF8.encode(try unicodeEscape()) ?? UTF8.encodedReplacementCharacter)
            return
        default: throw fault(.escape)
        }
        position += 1
    }

    /// Reads the hexadecimal digits after `\u`, and the second half if the first asks for one.
    private mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
        let start = position - 1
        position += 1
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00 else { throw Fault(reason: .surrogate, offset: start) }
        guard position + 1 < end, base[position] == UInt8(ascii: "\\"),
            base[position + 1] == UInt8(ascii: "u")
        else {
            throw Fault(reason: .surrogate, offset: start)
        }
        position += 2
        let second = try fourDigits()
        guard 0xDC00...0xDFFF ~= second else { throw Fault(reason: .surrogate, offset: start) }
        let code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        guard let scalar = Unicode.Scalar(code) else { throw Fault(reason: .surrogate, offset: start) }
        return scalar
    }

    private mutating func fourDigits() throws(Fault) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard position < end else { throw fault(.hexadecimal) }
            let byte = base[position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                code = code << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                code = code << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: throw fault(.hexadecimal)
            }
            position += 1
        }
        return code
    }

    /// Checks UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
    private func validate(_ range: Range<Int>) throws(Fault) {
        var cursor = range.lowerBound
        while cursor < range.upperBound {
            let lead = base[cursor]
            // How many bytes follow, and what the first of them may be.
            let follow: Int
            var allowed: ClosedRange<UInt8> = 0x80...0xBF
            switch lead {
            case 0x00...0x7F: follow = 0
            case 0xC2...0xDF: follow = 1
            case 0xE0: (follow, allowed) = (2, 0xA0...0xBF)
            case 0xED: (follow, allowed) = (2, 0x80...0x9F)
            case 0xE1...0xEF: follow = 2
            case 0xF0: (follow, allowed) = (3, 0x90...0xBF)
            case 0xF1...0xF3: follow = 3
            case 0xF4: (follow, allowed) = (3, 0x80...0x8F)
            default: throw Fault(reason: .encoding, offset: cursor)
            }
            guard cursor + follow < range.upperBound else { throw Fault(reason: .encoding, offset: cursor) }
            for place in 0..<follow {
                guard allowed.contains(base[cursor + 1 + place]) else {
                    throw Fault(reason: .encoding, offset: cursor)
                }
                allowed = 0x80...0xBF
            }
            cursor += follow + 1
        }
    }
}
