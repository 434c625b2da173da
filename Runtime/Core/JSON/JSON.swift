/// A JSON document as a value: what a function reads and writes when it has no type of its own for it.
///
/// Whole numbers that fit 64 bits are `integer`; every other number is `number`, so `1` and `1.0` are
/// different values. Objects keep the order of their members, and compare without it.
public enum JSON: Sendable, Hashable {
    /// The literal `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number written without fraction or exponent.
    case integer(Int64)
    /// Any other number. Not a number and the infinities have no JSON text; they are written as `null`.
    case number(Double)
    /// Text.
    case string(String)
    /// A list of values.
    case array([JSON])
    /// Named values in their order.
    case object(JSONObject)

    /// Bounds on what the parser accepts.
    public struct Limits: Sendable, Hashable {
        /// How deep arrays and objects may nest; the parser recurses, so this also bounds its stack.
        public var depth: Int

        /// How many values a document may hold; one takes about 24 bytes of memory, plus its text.
        public var values: Int

        /// Limits of 128 levels and four million values, unless told otherwise.
        public init(depth: Int = 128, values: Int = 4_000_000) {
            self.depth = depth
            self.values = values
        }
    }

    /// Reads one document: RFC 8259 to the letter, with nothing but white space around it.
    ///
    /// The text must be valid UTF-8 without a byte order mark. If a name occurs twice in an object, the last
    /// one wins. A whole number beyond 64 bits becomes a `number`; a number beyond the range of a double and
    /// half of a surrogate pair are refused. The error names the line and the column.
    public static func parse(_ bytes: Bytes, limits: Limits = Limits()) throws(JSONError) -> JSON {
        try JSONDocument(scanning: bytes, limits: limits).tree(0)
    }

    /// Reads one document for its faults alone, at a fraction of what it takes to keep it.
    package static func check(_ bytes: Bytes, limits: Limits = Limits()) throws(JSONError) {
        _ = try JSONDocument(scanning: bytes, limits: limits)
    }

    /// The document as UTF-8.
    ///
    /// `pretty` puts each member on a line of its own, indented by two spaces. `sortedKeys` orders members by
    /// the bytes of their names, for text that is compared or hashed.
    public func bytes(pretty: Bool = false, sortedKeys: Bool = false) -> Bytes {
        Bytes(JSONWriter.text(of: self, pretty: pretty, sortedKeys: sortedKeys))
    }

    /// The document as compact text.
    public var text: String {
        bytes().text
    }
}

// MARK: - Reading

extension JSON {
    /// The member of that name, if this is an object that has it.
    public subscript(key: String) -> JSON? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// The element at that position, if this is an array that has it.
    public subscript(position: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(position) else { return nil }
        return elements[position]
    }

    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The text, if this is a string.
    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The whole number, if this is one; `2.0` and `2e3` are, up to 2^53.
    public var intValue: Int? {
        switch self {
        case .integer(let integer): Int(exactly: integer)
        case .number(let number): JSON.wholeNumber(number).flatMap { Int(exactly: $0) }
        default: nil
        }
    }

    /// The number, if this is one; above 2^53 an integer may lose its last digits.
    public var doubleValue: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    /// The truth value, if this is one.
    public var boolValue: Bool? {
        if case .bool(let bool) = self { bool } else { nil }
    }

    /// The elements, if this is an array.
    public var arrayValue: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members, if this is an object.
    public var objectValue: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    /// A double as an integer, if it is whole and so small that no neighbour could have been meant.
    static func wholeNumber(_ number: Double) -> Int64? {
        guard number.magnitude <= 9_007_199_254_740_992 else { return nil }
        return Int64(exactly: number)
    }
}

extension JSON: CustomStringConvertible {
    /// The document as compact text.
    public var description: String { text }
}
