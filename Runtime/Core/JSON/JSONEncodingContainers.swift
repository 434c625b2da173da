// One generic method in each container meets the requirements for all primitive types; the compiler makes a
// specialised witness for each.

/// Writes an object member by member.
struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: JSONTreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) throws {
        encoder.set(key.stringValue, to: .null)
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        let name = key.stringValue
        encoder.set(name, to: try encoder.tree(of: value, at: .name(name)))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        encoder.member(key.stringValue).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.member(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        encoder.member("super")
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        encoder.member(key.stringValue)
    }
}

/// Writes an array element by element.
struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
    let encoder: JSONTreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    var count: Int { encoder.elementCount }

    func encodeNil() throws {
        encoder.append(.null)
    }

    func encode<T: Encodable>(_ value: T) throws {
        encoder.append(try encoder.tree(of: value, at: .place(encoder.elementCount)))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder.element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        encoder.element().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        encoder.element()
    }
}

/// Writes one value as the whole.
struct JSONSingleEncoding: SingleValueEncodingContainer {
    let encoder: JSONTreeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() throws {
        encoder.setSingle(.null)
    }

    func encode<T: Encodable>(_ value: T) throws {
        encoder.setSingle(try encoder.tree(of: value, at: nil))
    }
}
