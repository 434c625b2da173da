/// A `Decoder` over one value of a tree.
///
/// Each nested value that is not a primitive gets a decoder of its own, with a link to the one around it; the
/// coding path is gathered over the links when an error needs it.
final class JSONTreeDecoder: Decoder {
    let value: JSON
    private let parent: JSONTreeDecoder?
    private let step: JSONStep?

    init(_ value: JSON, in parent: JSONTreeDecoder? = nil, at step: JSONStep? = nil) {
        self.value = value
        self.parent = parent
        self.step = step
    }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var codingPath: [any CodingKey] { path(to: nil) }

    /// The path of this value, or of a value inside it.
    func path(to step: JSONStep?) -> [any CodingKey] {
        var steps: [any CodingKey] = []
        if let step { steps.append(step.key) }
        var decoder: JSONTreeDecoder? = self
        while let current = decoder {
            if let step = current.step { steps.append(step.key) }
            decoder = current.parent
        }
        return steps.reversed()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw mismatch("an object", value, at: nil) }
        return KeyedDecodingContainer(JSONKeyedDecoding(decoder: self, object: object))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch("an array", value, at: nil) }
        return JSONUnkeyedDecoding(decoder: self, elements: elements)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        JSONSingleDecoding(decoder: self)
    }
}

// MARK: - Values

extension JSONTreeDecoder {
    /// Reads a `T` from a value inside this one, or from this one if there is no step.
    ///
    /// Compares types by identity: in code that the compiler specialised the comparisons vanish, elsewhere
    /// they take a nanosecond each, where a conformance look-up would take a hundred.
    func read<T: Decodable>(_ type: T.Type, _ value: JSON, at step: JSONStep?) throws -> T {
        if type == String.self { return sameType(try string(value, at: step), as: type) }
        if type == Int.self { return sameType(try integer(Int.self, value, at: step), as: type) }
        if type == Double.self { return sameType(try double(value, at: step), as: type) }
        if type == Bool.self { return sameType(try bool(value, at: step), as: type) }
        if type == JSON.self { return sameType(value, as: type) }
        if type == JSONObject.self { return sameType(try object(value, at: step), as: type) }
        if type == Duration.self { return sameType(try duration(value, at: step), as: type) }
        if type == Float.self { return sameType(try float(value, at: step), as: type) }
        if type == Int64.self { return sameType(try integer(Int64.self, value, at: step), as: type) }
        if type == UInt64.self { return sameType(try integer(UInt64.self, value, at: step), as: type) }
        if type == Int32.self { return sameType(try integer(Int32.self, value, at: step), as: type) }
        if type == UInt32.self { return sameType(try integer(UInt32.self, value, at: step), as: type) }
        if type == Int16.self { return sameType(try integer(Int16.self, value, at: step), as: type) }
        if type == UInt16.self { return sameType(try integer(UInt16.self, value, at: step), as: type) }
        if type == Int8.self { return sameType(try integer(Int8.self, value, at: step), as: type) }
        if type == UInt8.self { return sameType(try integer(UInt8.self, value, at: step), as: type) }
        if type == UInt.self { return sameType(try integer(UInt.self, value, at: step), as: type) }
        let decoder = step == nil ? self : JSONTreeDecoder(value, in: self, at: step)
        do {
            return try T(from: decoder)
        } catch let error where !(error is DecodingError) && !(error is JSONError) {
            // Only here is it known where an error of the type's own arose.
            throw JSONError(mapping: error, at: decoder.codingPath, code: .invalid)
        }
    }

    private func string(_ value: JSON, at step: JSONStep?) throws -> String {
        guard case .string(let text) = value else { throw mismatch("a string", value, at: step) }
        return text
    }

    private func bool(_ value: JSON, at step: JSONStep?) throws -> Bool {
        guard case .bool(let bool) = value else { throw mismatch("true or false", value, at: step) }
        return bool
    }

    private func object(_ value: JSON, at step: JSONStep?) throws -> JSONObject {
        guard case .object(let object) = value else { throw mismatch("an object", value, at: step) }
        return object
    }

    private func double(_ value: JSON, at step: JSONStep?) throws -> Double {
        switch value {
        case .number(let number): return number
        case .integer(let integer): return Double(integer)
        default: throw mismatch("a number", value, at: step)
        }
    }

    private func float(_ value: JSON, at step: JSONStep?) throws -> Float {
        let number = Float(try double(value, at: step))
        guard number.isFinite else { throw invalid("is beyond the range of Float", at: step) }
        return number
    }

    private func integer<T: FixedWidthInteger>(_ type: T.Type, _ value: JSON, at step: JSONStep?) throws -> T
    {
        switch value {
        case .integer(let integer):
            guard let result = T(exactly: integer) else { throw outOfRange(type, at: step) }
            return result
        case .number(let number):
            guard number == number.rounded(.towardZero) else {
                throw invalid("must be a whole number", at: step)
            }
            guard let whole = JSON.wholeNumber(number), let result = T(exactly: whole) else {
                throw outOfRange(type, at: step)
            }
            return result
        default:
            throw mismatch("a number", value, at: step)
        }
    }

    /// Fractions are read to the nanosecond, as `Instant` has them.
    private func duration(_ value: JSON, at step: JSONStep?) throws -> Duration {
        if case .integer(let seconds) = value { return .seconds(seconds) }
        let seconds = try double(value, at: step)
        let whole = seconds.rounded(.towardZero)
        guard let wholeSeconds = Int64(exactly: whole) else {
            throw invalid("is beyond the range of a duration", at: step)
        }
        return .seconds(wholeSeconds) + .nanoseconds(Int64(((seconds - whole) * 1e9).rounded()))
    }
}

// MARK: - Errors

extension JSONTreeDecoder {
    func mismatch(_ expected: String, _ found: JSON, at step: JSONStep?) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: path(to: step),
            debugDescription: "expected \(expected), found \(found.kind)"
        )
        return found.isNull ? .valueNotFound(JSON.self, context) : .typeMismatch(JSON.self, context)
    }

    func invalid(_ reason: String, at step: JSONStep?) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: path(to: step), debugDescription: reason))
    }

    private func outOfRange<T: FixedWidthInteger>(_ type: T.Type, at step: JSONStep?) -> DecodingError {
        // JSON text carries 64-bit integers here, so a UInt64 ends there too.
        let largest = min(UInt64(clamping: T.max), UInt64(Int64.max))
        return invalid("must be a whole number from \(T.min) to \(largest)", at: step)
    }
}
