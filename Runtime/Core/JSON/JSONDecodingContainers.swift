// A generic method in each container meets the requirements for all types. The four commonest have methods of
// their own, as the compiler does not specialise the generic one over a key it does not know.

/// The members of an object, for types that decode by name.
struct JSONKeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let document: JSONDocument
    let object: Int

    var codingPath: [any CodingKey] { document.path(to: object) }

    var allKeys: [Key] { document.names(of: object).compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool {
        document.member(key.stringValue, of: object) != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        document[try member(key)].kind == .null
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try document.read(type, member(key))
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try present(key).map { try document.read(type, $0) }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try document.string(at: member(key))
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try document.integer(Int.self, member(key))
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try document.double(member(key))
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try document.bool(member(key))
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try present(key).map { try document.string(at: $0) }
    }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try present(key).map { try document.integer(Int.self, $0) }
    }

    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try present(key).map { try document.double($0) }
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try present(key).map { try document.bool($0) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try JSONDecoding(document: document, place: member(key)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try JSONDecoding(document: document, place: member(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        superDecoder(named: "super")
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        superDecoder(named: key.stringValue)
    }

    /// A decoder for a member; for one that is absent, over null.
    private func superDecoder(named name: String) -> JSONDecoding {
        if let place = document.member(name, of: object) {
            return JSONDecoding(document: document, place: place)
        }
        let path = codingPath + [JSONKey(stringValue: name)]
        return JSONDecoding(document: JSONDocument(.null, prefix: path), place: 0)
    }

    /// The place of a member that is there and not null.
    @inline(__always)
    private func present(_ key: Key) -> Int? {
        guard let place = document.member(key.stringValue, of: object), document[place].kind != .null else {
            return nil
        }
        return place
    }

    @inline(__always)
    private func member(_ key: Key) throws -> Int {
        if let place = document.member(key.stringValue, of: object) { return place }
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "is required")
        throw DecodingError.keyNotFound(key, context)
    }
}

/// The elements of an array, for types that decode in order.
///
/// Three words at most, so that the standard library need not box it.
struct JSONUnkeyedDecoding: UnkeyedDecodingContainer {
    private let document: JSONDocument
    private let array: UInt32
    private var next: UInt32
    private var taken: UInt32 = 0

    init(document: JSONDocument, array: Int) {
        self.document = document
        self.array = UInt32(truncatingIfNeeded: array)
        self.next = self.array + 1
    }

    var codingPath: [any CodingKey] { document.path(to: Int(array)) }

    var count: Int? { document[Int(array)].high }

    var currentIndex: Int { Int(taken) }

    var isAtEnd: Bool { Int(next) >= document[Int(array)].low }

    mutating func decodeNil() throws -> Bool {
        guard try document[current()].kind == .null else { return false }
        advance()
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // An element that fails stays the current one.
        let value = try document.read(type, current())
        advance()
        return value
    }

    mutating func decode(_ type: String.Type) throws -> String {
        let value = try document.string(at: current())
        advance()
        return value
    }

    mutating func decode(_ type: Int.Type) throws -> Int {
        let value = try document.integer(Int.self, current())
        advance()
        return value
    }

    mutating func decode(_ type: Double.Type) throws -> Double {
        let value = try document.double(current())
        advance()
        return value
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        let value = try document.bool(current())
        advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try inner().container(keyedBy: type)
        advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try inner().unkeyedContainer()
        advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let inner = try inner()
        advance()
        return inner
    }

    private func inner() throws -> JSONDecoding {
        JSONDecoding(document: document, place: try current())
    }

    private mutating func advance() {
        next = UInt32(truncatingIfNeeded: document.end(of: Int(next)))
        taken += 1
    }

    private func current() throws -> Int {
        guard !isAtEnd else {
            throw document.invalid("expected more than \(taken) elements", Int(array))
        }
        return Int(next)
    }
}
