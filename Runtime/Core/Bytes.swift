/// A run of bytes: bodies, documents, media.
public struct Bytes: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The bytes themselves.
    public var array: [UInt8]

    /// Wraps `array`.
    public init(_ array: [UInt8] = []) {
        self.array = array
    }

    /// The UTF-8 form of `text`.
    public init(_ text: String) {
        self.array = Array(text.utf8)
    }

    /// The UTF-8 form of a literal.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The bytes read as UTF-8; what is not UTF-8 becomes U+FFFD.
    public var text: String {
        String(decoding: array, as: UTF8.self)
    }

    /// How many bytes there are.
    public var count: Int { array.count }

    /// Whether there are none.
    public var isEmpty: Bool { array.isEmpty }
}
