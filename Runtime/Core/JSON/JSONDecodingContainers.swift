// One generic method in each container meets the requirements for all primitive types; the compiler makes a
// specialised witness for each.

/// The members of an object, for types that decode by name.
struct JSONKeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: JSONTreeDecoder
    let object: JSONObject

    var codingPath: [any CodingKey] { decoder.codingPath }

    var allKeys: [Key] { object.compactMap { Key(stringValue: $0.key) } }

    func contains(_ key: Key) -> Bool {
        object.contains(key: key.stringValue)
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        try member(key, key.stringValue).isNull
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let name = key.stringValue
        return try decoder.read(type, member(key, name), at: .name(name))
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        let name = key.stringValue
        guard let value = object[name], !value.isNull else { return nil }
        return try decoder.read(type, value, at: .name(name))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try inner(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try inner(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        JSONTreeDecoder(object["super"] ?? .null, in: decoder, at: .name("super"))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        JSONTreeDecoder(object[key.stringValue] ?? .null, in: decoder, at: .name(key.stringValue))
    }

    private func inner(_ key: Key) throws -> JSONTreeDecoder {
        let name = key.stringValue
        return JSONTreeDecoder(try member(key, name), in: decoder, at: .name(name))
    }

    private func member(_ key: Key, _ name: String) throws -> JSON {
        if let value = object[name] { return value }
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: "is required")
        throw DecodingError.keyNotFound(key, context)
    }
}

/// The elements of an array, for types that decode in order.
struct JSONUnkeyedDecoding: UnkeyedDecodingContainer {
    let decoder: JSONTreeDecoder
    let elements: [JSON]
    private(set) var currentIndex = 0

    init(decoder: JSONTreeDecoder, elements: [JSON]) {
        self.decoder = decoder
        self.elements = elements
    }

    var codingPath: [any CodingKey] { decoder.codingPath }

    var count: Int? { elements.count }

    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool {
        guard try next().isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // An element that fails stays the current one.
        let value = try decoder.read(type, next(), at: .place(currentIndex))
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try inner().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try inner().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let inner = try inner()
        currentIndex += 1
        return inner
    }

    private func inner() throws -> JSONTreeDecoder {
        JSONTreeDecoder(try next(), in: decoder, at: .place(currentIndex))
    }

    private func next() throws -> JSON {
        guard !isAtEnd else {
            throw decoder.invalid("expected more than \(elements.count) elements", at: nil)
        }
        return elements[currentIndex]
    }
}

/// A value as a whole, for types that decode from one.
struct JSONSingleDecoding: SingleValueDecodingContainer {
    let decoder: JSONTreeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
        decoder.value.isNull
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decoder.read(type, decoder.value, at: nil)
    }
}
