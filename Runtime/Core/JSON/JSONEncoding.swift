/// An `Encoder` for one value inside an output.
///
/// Three words at most, so that handing one out costs no allocation.
struct JSONEncoding: Encoder {
    let output: JSONOutput
    let serial: UInt32
    private let level: UInt32

    init(output: JSONOutput, level: Int, serial: UInt32) {
        self.output = output
        self.level = UInt32(truncatingIfNeeded: level)
        self.serial = serial
    }

    /// How many levels lie around the value's own.
    var depth: Int { Int(level) }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var codingPath: [any CodingKey] { output.path(depth) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        output.become(.object, self)
        return KeyedEncodingContainer(JSONKeyedEncoding<Key>(encoding: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        output.become(.array, self)
        return JSONUnkeyedEncoding(encoding: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension JSONEncoding: SingleValueEncodingContainer {
    func encodeNil() throws {
        try output.single(self) { output.writeNull() }
    }

    func encode<T: Encodable>(_ value: T) throws {
        try output.single(self) { try output.write(value) }
    }
}
