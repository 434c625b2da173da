// As in the decoding containers, the commonest types have methods of their own.

/// Writes an object member by member.
struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoding: JSONEncoding

    var codingPath: [any CodingKey] { encoding.codingPath }

    func encodeNil(forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { encoding.output.writeNull() }
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { try encoding.output.write(value) }
    }

    func encode(_ value: String, forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { try encoding.output.write(value) }
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { try encoding.output.write(value) }
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { try encoding.output.write(value) }
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        try encoding.output.member(key.stringValue, encoding) { try encoding.output.write(value) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoding.output.piece(key.stringValue, encoding).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoding.output.piece(key.stringValue, encoding).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        encoding.output.piece("super", encoding)
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        encoding.output.piece(key.stringValue, encoding)
    }
}

/// Writes an array element by element.
struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
    let encoding: JSONEncoding

    var codingPath: [any CodingKey] { encoding.codingPath }

    var count: Int { encoding.output.count(encoding) }

    func encodeNil() throws {
        try encoding.output.element(encoding) { encoding.output.writeNull() }
    }

    func encode<T: Encodable>(_ value: T) throws {
        try encoding.output.element(encoding) { try encoding.output.write(value) }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoding.output.piece(nil, encoding).container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        encoding.output.piece(nil, encoding).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        encoding.output.piece(nil, encoding)
    }
}
