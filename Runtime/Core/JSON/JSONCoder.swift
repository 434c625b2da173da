/// Turns JSON into Swift types and back, by `Codable`.
///
/// `Bytes` are Base64 text, an `Instant` is RFC 3339 text and a `Duration` a number of seconds. `JSON` and
/// `JSONObject` stand for themselves wherever they occur. A null member and an absent one are the same to an
/// optional property. Errors name the place: `scenes[2].seconds: expected a number, found a string`.
public enum JSONCoder {
    /// Reads a value from a document.
    ///
    /// Throws for bytes that are not JSON, and for JSON that is not a `T`. An error of the type's own
    /// `init(from:)` is the `cause` of what is thrown.
    public static func decode<T: Decodable>(
        _ type: T.Type = T.self,
        from bytes: Bytes,
        limits: JSON.Limits = JSON.Limits()
    ) throws(JSONError) -> T {
        try decode(type, from: JSONDocument(scanning: bytes, limits: limits))
    }

    // Disfavoured so that a string literal means the text of a document, as it does to `JSON.parse`; it could
    // be a JSON string as well.

    /// Reads a value from a document that is already parsed.
    @_disfavoredOverload
    public static func decode<T: Decodable>(
        _ type: T.Type = T.self,
        from json: JSON
    ) throws(JSONError) -> T {
        try decode(type, from: JSONDocument(json))
    }

    static func decode<T: Decodable>(_ type: T.Type, from document: JSONDocument) throws(JSONError) -> T {
        do {
            return try document.read(type, 0)
        } catch {
            throw JSONError(mapping: error, at: [], code: .invalid)
        }
    }

    /// Writes a value as a document; throws for what JSON cannot express, such as an infinity.
    ///
    /// A dictionary has no order of its own: ask for `sortedKeys` where the text is compared.
    public static func encode(
        _ value: some Encodable,
        pretty: Bool = false,
        sortedKeys: Bool = false
    ) throws(JSONError) -> Bytes {
        if pretty || sortedKeys { return try json(of: value).bytes(pretty: pretty, sortedKeys: sortedKeys) }
        let output = JSONOutput()
        do {
            try output.write(value)
            return Bytes(try output.finish())
        } catch {
            throw JSONError(mapping: error, at: [], code: .unwritable)
        }
    }

    /// The JSON form of a value; throws for what JSON cannot express, such as an infinity.
    public static func json(of value: some Encodable) throws(JSONError) -> JSON {
        try JSON.parse(encode(value), limits: JSON.Limits(depth: .max, values: .max))
    }
}

/// Returns `value` as `T`, which the caller has found to be its type.
///
/// A dynamic cast would do the same at many times the cost, once for each member that is decoded.
@inline(__always)
func sameType<Value, T>(_ value: Value, as type: T.Type) -> T {
    precondition(Value.self == T.self, "sameType needs a value of the type it returns")
    // SAFETY: both types are the same, as checked above.
    return unsafeBitCast(value, to: T.self)
}
