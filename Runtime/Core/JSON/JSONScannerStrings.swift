extension JSONScanner {
    /// Notes the string whose opening quote is at the position.
    ///
    /// Only one with bytes above ASCII is validated. Escapes are checked here and resolved when somebody asks
    /// for the text.
    mutating func string() throws(Fault) {
        let start = position + 1
        var seen: UInt8 = 0
        var marks: JSONTapeEntry.Marks = []
        position = plainEnd(from: start, seen: &seen)
        while true {
            guard position < end else { throw fault(.quote) }
            if base[position] == UInt8(ascii: "\"") { break }
            guard base[position] == UInt8(ascii: "\\") else { throw fault(.control) }
            marks.insert(.escaped)
            try escape()
            position = plainEnd(from: position, seen: &seen)
        }
        if seen >= 0x80 {
            marks.insert(.beyondASCII)
            // Escapes are ASCII in the source, so the source is valid just when the text is.
            try validate(start..<position)
        }
        // SAFETY: the string lies in the buffer.
        let source = UnsafeBufferPointer(start: base + start, count: position - start)
        let payload = JSONTapeEntry.payload(of: source)
        let offset = UInt32(truncatingIfNeeded: start)
        tape.append(JSONTapeEntry(kind: .string, marks: marks, offset: offset, payload: payload))
        position += 1
    }

    /// The first byte from `start` on that is a quote, a backslash or a control character, or the end.
    ///
    /// `seen` gathers the bytes passed, so that its top bit tells whether all were ASCII.
    private func plainEnd(from start: Int, seen: inout UInt8) -> Int {
        var cursor = start
        var words: UInt64 = 0
        while cursor + 8 <= end {
            // SAFETY: the eight bytes lie before `end`; the load needs no alignment.
            let word = UnsafeRawPointer(base + cursor).loadUnaligned(as: UInt64.self)
            if JSONWord.needsEscape(word) { break }
            words |= word
            cursor += 8
        }
        if words & JSONWord.tops != 0 { seen |= 0x80 }
        while cursor < end {
            let byte = base[cursor]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seen |= byte
            cursor += 1
        }
        return cursor
    }

    /// Passes the escape at the position.
    private mutating func escape() throws(Fault) {
        position += 1
        guard position < end else { throw fault(.escape) }
        switch base[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"): try unicodeEscape()
        default: throw fault(.escape)
        }
    }

    /// Passes the hexadecimal digits after `\u`, and the second half if the first asks for one.
    private mutating func unicodeEscape() throws(Fault) {
        let start = position - 1
        position += 1
        let first = try fourDigits()
        guard 0xD800...0xDFFF ~= first else { return }
        guard first < 0xDC00 else { throw Fault(reason: .surrogate, offset: start) }
        guard position + 1 < end, base[position] == UInt8(ascii: "\\"),
            base[position + 1] == UInt8(ascii: "u")
        else {
            throw Fault(reason: .surrogate, offset: start)
        }
        position += 2
        let second = try fourDigits()
        guard 0xDC00...0xDFFF ~= second else { throw Fault(reason: .surrogate, offset: start) }
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
