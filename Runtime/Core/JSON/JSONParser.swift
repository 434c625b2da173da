/// The recursive-descent parser behind `JSON.parse`.
///
/// Faults carry only an offset and a reason. Line and column are counted once, after a failure, so that good
/// documents do not pay for them.
struct JSONParser {
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
    }

    // SAFETY: points into the buffer that `document` was given, which outlives the parser; reads stay below
    // `end`, which each loop checks before it reads.
    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0

    /// Decoded text of strings with escapes; kept between strings for its capacity.
    var scratch: [UInt8] = []

    private let maximumDepth: Int
    private var valuesLeft: Int

    /// Parses a whole document. The buffer is not kept.
    // SAFETY: the caller's buffer stays valid for the call.
    static func document(_ buffer: UnsafeBufferPointer<UInt8>, limits: JSON.Limits) -> Result<JSON, JSONError>
    {
        guard let base = buffer.baseAddress, !buffer.isEmpty else {
            return .failure(error(Fault(reason: .value, offset: 0), in: buffer, limits))
        }
        var parser = JSONParser(base: base, end: buffer.count, limits: limits)
        do {
            return .success(try parser.wholeDocument())
        } catch {
            return .failure(self.error(error, in: buffer, limits))
        }
    }

    // SAFETY: see `base`.
    private init(base: UnsafePointer<UInt8>, end: Int, limits: JSON.Limits) {
        self.base = base
        self.end = end
        self.maximumDepth = limits.depth
        self.valuesLeft = limits.values
    }

    private mutating func wholeDocument() throws(Fault) -> JSON {
        if end >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            throw Fault(reason: .byteOrderMark, offset: 0)
        }
        let value = try value(depth: 0)
        skipSpace()
        guard position == end else { throw fault(.end) }
        return value
    }

    private mutating func value(depth: Int) throws(Fault) -> JSON {
        skipSpace()
        guard position < end else { throw fault(.value) }
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw fault(.values) }
        switch base[position] {
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number()
        case UInt8(ascii: "{"):
            guard depth < maximumDepth else { throw fault(.depth) }
            return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["):
            guard depth < maximumDepth else { throw fault(.depth) }
            return .array(try array(depth: depth + 1))
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "'"):
            throw fault(.literal)
        default:
            throw fault(.value)
        }
    }

    private mutating func object(depth: Int) throws(Fault) -> JSONObject {
        var object = JSONObject()
        position += 1
        skipSpace()
        if consume(UInt8(ascii: "}")) { return object }
        object.reserveCapacity(4)
        while true {
            skipSpace()
            guard position < end, base[position] == UInt8(ascii: "\"") else { throw fault(.name) }
            let key = try string()
            skipSpace()
            guard consume(UInt8(ascii: ":")) else { throw fault(.colon) }
            object.set(key, to: try value(depth: depth))
            skipSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "}")) else { throw fault(.memberEnd) }
            return object
        }
    }

    private mutating func array(depth: Int) throws(Fault) -> [JSON] {
        var elements: [JSON] = []
        position += 1
        skipSpace()
        if consume(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "]")) else { throw fault(.elementEnd) }
            return elements
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
        default:
            if fault.offset == buffer.count { reason += " but the document ends" }
        }
        return JSONError(code: code, reason: reason, line: line, column: column)
    }
}
