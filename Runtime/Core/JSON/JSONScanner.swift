/// Reads a document once, checks it to the letter, and notes its values on a tape.
///
/// It goes down into arrays and objects by recursion. Faults carry only an offset and a reason. Line and column are counted once, after a failure, so that good
/// documents do not pay for them.
struct JSONScanner {
    /// What is wrong, and at which byte.
    struct Fault: Error {
        let reason: Reason
        let offset: Int
    }

    /// The rules a document can break, as the message states them.
    enum Reason: String {
        case byteOrderMark = "a document must not begin with a byte order mark"
        case value = "expected a value"
        case literal = "expected a value; words other than true, false and null need quotes"
        case end = "expected nothing but white space after the value"
        case name = "expected a member name in quotes"
        case colon = "expected ':' after a member name"
        case memberEnd = "expected ',' or '}' after a member"
        case elementEnd = "expected ',' or ']' after an element"
        case digit = "expected a digit"
        case leadingZero = "a number must not begin with a zero"
        case range = "a number is beyond the range of a double"
        case quote = "expected '\"' at the end of a string"
        case control = "control characters in a string must be escaped"
        case escape = "expected one of \" \\ / b f n r t u after a backslash"
        case hexadecimal = "expected four hexadecimal digits after \\u"
        case surrogate = "half of a surrogate pair stands alone"
        case encoding = "a string is not valid UTF-8"
        case depth = "arrays and objects nest too deep"
        case values = "the document holds too many values"
        case size = "the document is larger than 4 GiB"
    }

    // SAFETY: points into the buffer that `tape` was given, which outlives the scanner; reads stay below
    // `end`, which each loop checks before it reads.
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    var tape: JSONTape

    private let maximumDepth: Int
    private var valuesLeft: Int

    /// The tape of a whole document, which the caller frees. The buffer is not kept.
    // SAFETY: the caller's buffer stays valid for the call.
    static func tape(
        _ buffer: UnsafeBufferPointer<UInt8>,
        limits: JSON.Limits
    ) -> Result<JSONTape, JSONError> {
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            return .failure(error(Fault(reason: .value, offset: 0), in: buffer, limits))
        }
        guard buffer.count <= UInt32.max else {
            return .failure(error(Fault(reason: .size, offset: 0), in: buffer, limits))
        }
        var scanner = JSONScanner(base: base, end: buffer.count, limits: limits)
        do {
            try scanner.wholeDocument()
            return .success(scanner.tape)
        } catch {
            scanner.tape.free()
            return .failure(self.error(error, in: buffer, limits))
        }
    }

    // SAFETY: see `base`.
    private init(base: UnsafePointer<UInt8>, end: Int, limits: JSON.Limits) {
        self.base = base
        self.end = end
        self.maximumDepth = limits.depth
        self.valuesLeft = limits.values
        // Objects of short strings and numbers come to about six bytes an entry; a long text may be one string.
        self.tape = JSONTape(capacity: min(end / 6 + 8, 8192))
    }

    private mutating func wholeDocument() throws(Fault) {
        if end >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            throw Fault(reason: .byteOrderMark, offset: 0)
        }
        try value(depth: 0)
        skipSpace()
        guard position == end else { throw fault(.end) }
    }

    private mutating func value(depth: Int) throws(Fault) {
        skipSpace()
        guard position < end else { throw fault(.value) }
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw fault(.values) }
        switch base[position] {
        case UInt8(ascii: "\""):
            try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try number()
        case UInt8(ascii: "{"):
            guard depth < maximumDepth else { throw fault(.depth) }
            try object(depth: depth + 1)
        case UInt8(ascii: "["):
            guard depth < maximumDepth else { throw fault(.depth) }
            try array(depth: depth + 1)
        case UInt8(ascii: "t"):
            try literal("true")
            tape.append(JSONTapeEntry(kind: .bool, payload: 1))
        case UInt8(ascii: "f"):
            try literal("false")
            tape.append(JSONTapeEntry(kind: .bool))
        case UInt8(ascii: "n"):
            try literal("null")
            tape.append(JSONTapeEntry(kind: .null))
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "'"):
            throw fault(.literal)
        default:
            throw fault(.value)
        }
    }

    private mutating func object(depth: Int) throws(Fault) {
        let opening = tape.count
        tape.append(JSONTapeEntry(kind: .object, offset: UInt32(truncatingIfNeeded: opening + 1)))
        position += 1
        skipSpace()
        if consume(UInt8(ascii: "}")) { return tape.close(opening, count: 0) }
        var members = 0
        while true {
            skipSpace()
            guard position < end, base[position] == UInt8(ascii: "\"") else { throw fault(.name) }
            try string()
            skipSpace()
            guard consume(UInt8(ascii: ":")) else { throw fault(.colon) }
            try value(depth: depth)
            members += 1
            skipSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "}")) else { throw fault(.memberEnd) }
            return tape.close(opening, count: members)
        }
    }

    private mutating func array(depth: Int) throws(Fault) {
        let opening = tape.count
        tape.append(JSONTapeEntry(kind: .array))
        position += 1
        skipSpace()
        if consume(UInt8(ascii: "]")) { return tape.close(opening, count: 0) }
        var elements = 0
        while true {
            try value(depth: depth)
            elements += 1
            skipSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "]")) else { throw fault(.elementEnd) }
            return tape.close(opening, count: elements)
        }
    }

    private mutating func literal(_ word: StaticString) throws(Fault) {
        let start = position
        for place in 0..<word.utf8CodeUnitCount {
            guard position < end else { throw fault(.literal) }
            // SAFETY: `place` is below the word's length.
            guard base[position] == word.utf8Start[place] else {
                throw Fault(reason: .literal, offset: start)
            }
            position += 1
        }
    }

    private mutating func skipSpace() {
        while position < end {
            switch base[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            default: return
            }
        }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard position < end, base[position] == byte else { return false }
        position += 1
        return true
    }

    func fault(_ reason: Reason) -> Fault {
        Fault(reason: reason, offset: position)
    }

    private static func error(
        _ fault: Fault,
        // SAFETY: the caller's buffer stays valid for the call; a fault's offset lies in it or at its end.
        in buffer: UnsafeBufferPointer<UInt8>,
        _ limits: JSON.Limits
    ) -> JSONError {
        var line = 1
        var column = 1
        for byte in buffer.prefix(fault.offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        var reason = fault.reason.rawValue
        var code = JSONError.Code.syntax
        switch fault.reason {
        case .depth:
            code = .limit
            reason += " (the limit is \(limits.depth))"
        case .values:
            code = .limit
            reason += " (the limit is \(limits.values))"
        case .size:
            code = .limit
        default:
            if fault.offset == buffer.count { reason += " but the document ends" }
        }
        return JSONError(code: code, reason: reason, line: line, column: column)
    }
}
