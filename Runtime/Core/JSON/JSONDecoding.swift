/// A `Decoder` over one value of a scanned document.
///
/// It is two words and owns nothing but a reference, so handing one out costs no allocation.
struct JSONDecoding: Decoder {
    let document: JSONDocument
    /// The value's entry.
    let place: Int

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var codingPath: [any CodingKey] { document.path(to: place) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try document.requireObject(place)
        return KeyedDecodingContainer(JSONKeyedDecoding(document: document, object: place))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try document.requireArray(place)
        return JSONUnkeyedDecoding(document: document, array: place)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension JSONDecoding: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        document[place].kind == .null
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try document.read(type, place)
    }

    func decode(_ type: String.Type) throws -> String {
        try document.string(at: place)
    }

    func decode(_ type: Int.Type) throws -> Int {
        try document.integer(Int.self, place)
    }

    func decode(_ type: Double.Type) throws -> Double {
        try document.double(place)
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        try document.bool(place)
    }
}

// MARK: - Values

extension JSONDocument {
    /// Reads a `T` from the value at a place.
    ///
    /// Compares types by identity: in code that the compiler specialised the comparisons vanish, elsewhere
    /// they take a nanosecond each, where a conformance look-up would take a hundred.
    func read<T: Decodable>(_ type: T.Type, _ place: Int) throws -> T {
        if type == String.self { return sameType(try string(at: place), as: type) }
        if type == Int.self { return sameType(try integer(Int.self, place), as: type) }
        if type == Double.self { return sameType(try double(place), as: type) }
        if type == Bool.self { return sameType(try bool(place), as: type) }
        if type == [String].self { return sameType(try array(place) { try string(at: $0) }, as: type) }
        if type == [Int].self { return sameType(try array(place) { try integer(Int.self, $0) }, as: type) }
        if type == [Double].self { return sameType(try array(place) { try double($0) }, as: type) }
        if type == JSON.self { return sameType(tree(place), as: type) }
        return try readOther(type, place)
    }

    private func readOther<T: Decodable>(_ type: T.Type, _ place: Int) throws -> T {
        if type == JSONObject.self {
            try requireObject(place)
            return sameType(object(place), as: type)
        }
        if type == Duration.self { return sameType(try duration(place), as: type) }
        if type == Float.self { return sameType(try float(place), as: type) }
        if type == Int64.self { return sameType(try integer(Int64.self, place), as: type) }
        if type == UInt64.self { return sameType(try integer(UInt64.self, place), as: type) }
        if type == Int32.self { return sameType(try integer(Int32.self, place), as: type) }
        if type == UInt32.self { return sameType(try integer(UInt32.self, place), as: type) }
        if type == Int16.self { return sameType(try integer(Int16.self, place), as: type) }
        if type == UInt16.self { return sameType(try integer(UInt16.self, place), as: type) }
        if type == Int8.self { return sameType(try integer(Int8.self, place), as: type) }
        if type == UInt8.self { return sameType(try integer(UInt8.self, place), as: type) }
        if type == UInt.self { return sameType(try integer(UInt.self, place), as: type) }
        do {
            return try T(from: JSONDecoding(document: self, place: place))
        } catch let error where !(error is DecodingError) && !(error is JSONError) {
            // Only here is it known where an error of the type's own arose.
            throw JSONError(mapping: error, at: path(to: place), code: .invalid)
        }
    }

    @inline(__always)
    func string(at place: Int) throws -> String {
        guard self[place].kind == .string else { throw mismatch("a string", place) }
        return string(place)
    }

    @inline(__always)
    func bool(_ place: Int) throws -> Bool {
        guard self[place].kind == .bool else { throw mismatch("true or false", place) }
        return self[place].payload == 1
    }

    @inline(__always)
    func double(_ place: Int) throws -> Double {
        switch self[place].kind {
        case .number: return Double(bitPattern: self[place].payload)
        case .integer: return Double(Int64(bitPattern: self[place].payload))
        default: throw mismatch("a number", place)
        }
    }

    private func float(_ place: Int) throws -> Float {
        let number = Float(try double(place))
        guard number.isFinite else { throw invalid("is beyond the range of Float", place) }
        return number
    }

    @inline(__always)
    func integer<T: FixedWidthInteger>(_ type: T.Type, _ place: Int) throws -> T {
        if self[place].kind == .integer, let result = T(exactly: Int64(bitPattern: self[place].payload)) {
            return result
        }
        return try unusualInteger(type, place)
    }

    /// An integer that is out of range, is no number, or is written as a fraction.
    private func unusualInteger<T: FixedWidthInteger>(_ type: T.Type, _ place: Int) throws -> T {
        switch self[place].kind {
        case .integer: throw outOfRange(type, place)
        case .number:
            let number = Double(bitPattern: self[place].payload)
            guard number == number.rounded(.towardZero) else {
                throw invalid("must be a whole number", place)
            }
            guard let whole = JSON.wholeNumber(number), let result = T(exactly: whole) else {
                throw outOfRange(type, place)
            }
            return result
        default: throw mismatch("a number", place)
        }
    }

    private func array<Element>(_ place: Int, _ element: (Int) throws -> Element) throws -> [Element] {
        try requireArray(place)
        var elements: [Element] = []
        elements.reserveCapacity(self[place].high)
        let end = self[place].low
        var next = place + 1
        while next < end {
            elements.append(try element(next))
            next += 1
        }
        return elements
    }

    /// Fractions are read to the nanosecond, as `Instant` has them.
    private func duration(_ place: Int) throws -> Duration {
        if self[place].kind == .integer { return .seconds(Int64(bitPattern: self[place].payload)) }
        let seconds = try double(place)
        let whole = seconds.rounded(.towardZero)
        guard let wholeSeconds = Int64(exactly: whole) else {
            throw invalid("is beyond the range of a duration", place)
        }
        return .seconds(wholeSeconds) + .nanoseconds(Int64(((seconds - whole) * 1e9).rounded()))
    }
}

// MARK: - Errors

extension JSONDocument {
    /// Throws unless the value is an object; then its names can be searched.
    @inline(__always)
    func requireObject(_ place: Int) throws {
        guard self[place].kind == .object else { throw mismatch("an object", place) }
        compareNames(of: place)
    }

    @inline(__always)
    func requireArray(_ place: Int) throws {
        guard self[place].kind == .array else { throw mismatch("an array", place) }
    }

    @inline(never)
    func mismatch(_ expected: String, _ place: Int) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: path(to: place),
            debugDescription: "expected \(expected), found \(kind(of: place))"
        )
        return self[place].kind == .null
            ? .valueNotFound(JSON.self, context) : .typeMismatch(JSON.self, context)
    }

    @inline(never)
    func invalid(_ reason: String, _ place: Int) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: path(to: place), debugDescription: reason))
    }

    @inline(never)
    private func outOfRange<T: FixedWidthInteger>(_ type: T.Type, _ place: Int) -> DecodingError {
        // JSON text carries 64-bit integers here, so a UInt64 ends there too.
        let largest = min(UInt64(clamping: T.max), UInt64(Int64.max))
        return invalid("must be a whole number from \(T.min) to \(largest)", place)
    }
}
