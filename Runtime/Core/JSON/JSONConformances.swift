// How the module's own types appear in JSON, and in any other format that goes by `Codable`.

extension JSON: Codable {
    /// Reads any value: by `JSONCoder` as it is, by another decoder by asking for each kind in turn.
    public init(from decoder: any Decoder) throws {
        if let own = decoder as? JSONDecoding {
            self = own.document.tree(own.place)
        } else if let members = try? decoder.container(keyedBy: JSONKey.self) {
            var object = JSONObject()
            for key in members.allKeys {
                object[key.stringValue] = try members.decode(JSON.self, forKey: key)
            }
            self = .object(object)
        } else if var elements = try? decoder.unkeyedContainer() {
            var array: [JSON] = []
            while !elements.isAtEnd {
                array.append(try elements.decode(JSON.self))
            }
            self = .array(array)
        } else {
            self = try JSON(single: decoder.singleValueContainer())
        }
    }

    private init(single: any SingleValueDecodingContainer) throws {
        if single.decodeNil() {
            self = .null
        } else if let bool = try? single.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? single.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? single.decode(Double.self) {
            self = .number(number)
        } else {
            self = .string(try single.decode(String.self))
        }
    }

    /// Writes the value as what it is.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            try object.encode(to: encoder)
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements {
                try container.encode(element)
            }
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let bool):
            var container = encoder.singleValueContainer()
            try container.encode(bool)
        case .integer(let integer):
            var container = encoder.singleValueContainer()
            try container.encode(integer)
        case .number(let number):
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .string(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }
}

extension JSONObject: Codable {
    /// Reads an object; throws for any other value.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: JSONKey.self)
        self.init()
        for key in members.allKeys {
            self[key.stringValue] = try members.decode(JSON.self, forKey: key)
        }
    }

    /// Writes the members in their order.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: JSONKey.self)
        for (key, value) in self {
            try container.encode(value, forKey: JSONKey(stringValue: key))
        }
    }
}

extension Bytes: Codable {
    /// Reads Base64 text: standard alphabet, padded.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Bytes(base64: try container.decode(String.self)) else {
            let reason = "must be Base64 text in the standard alphabet, with padding"
            throw DecodingError.dataCorruptedError(in: container, debugDescription: reason)
        }
        self = bytes
    }

    /// Writes Base64 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(base64)
    }
}

extension Instant: Codable {
    /// Reads RFC 3339 text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let instant = Instant(rfc3339: try container.decode(String.self)) else {
            let reason = "must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z"
            throw DecodingError.dataCorruptedError(in: container, debugDescription: reason)
        }
        self = instant
    }

    /// Writes RFC 3339 text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}
