/// An `Encoder` that gathers one value of a tree.
///
/// Containers handed out for nested values write after they were asked for. Their place is held by null until
/// `finish` puts their result there; everything else is stored at once.
final class JSONTreeEncoder: Encoder {
    /// What has been asked for so far.
    private enum Shape {
        case nothing, single, array, object
    }

    private let parent: JSONTreeEncoder?
    private let step: JSONStep?
    private var shape = Shape.nothing
    private var single = JSON.null
    private var elements: [JSON] = []
    private var object = JSONObject()
    private var inner: [(step: JSONStep, encoder: JSONTreeEncoder)] = []
    private var fault: JSONError?

    init(in parent: JSONTreeEncoder? = nil, at step: JSONStep? = nil) {
        self.parent = parent
        self.step = step
    }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var codingPath: [any CodingKey] { path(to: nil) }

    /// The path of this value, or of a value inside it.
    func path(to step: JSONStep?) -> [any CodingKey] {
        var steps: [any CodingKey] = []
        if let step { steps.append(step.key) }
        var encoder: JSONTreeEncoder? = self
        while let current = encoder {
            if let step = current.step { steps.append(step.key) }
            encoder = current.parent
        }
        return steps.reversed()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        become(.object)
        return KeyedEncodingContainer(JSONKeyedEncoding<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        become(.array)
        return JSONUnkeyedEncoding(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONSingleEncoding(encoder: self)
    }

    /// The finished value; a type that wrote nothing has no properties, and is an empty object.
    func finish() throws -> JSON {
        if let fault { throw fault }
        for (step, encoder) in inner {
            let value = try encoder.finish()
            switch step {
            case .name(let name): object.set(name, to: value)
            case .place(let place): elements[place] = value
            }
        }
        switch shape {
        case .nothing, .object: return .object(object)
        case .single: return single
        case .array: return .array(elements)
        }
    }

    /// Lets go of the inner encoders: they refer to this one for their path, and both would live for ever.
    private func release() {
        for (_, encoder) in inner {
            encoder.release()
        }
        inner = []
    }

    // MARK: What the containers call

    var elementCount: Int { elements.count }

    func set(_ name: String, to value: JSON) {
        object.set(name, to: value)
    }

    func append(_ value: JSON) {
        elements.append(value)
    }

    func setSingle(_ value: JSON) {
        become(.single)
        single = value
    }

    /// An encoder for the member of that name; the same one if it is asked for twice.
    func member(_ name: String) -> JSONTreeEncoder {
        for (step, encoder) in inner {
            if case .name(name) = step { return encoder }
        }
        object.set(name, to: .null)
        return addInner(.name(name))
    }

    /// An encoder for one more element.
    func element() -> JSONTreeEncoder {
        elements.append(.null)
        return addInner(.place(elements.count - 1))
    }

    private func addInner(_ step: JSONStep) -> JSONTreeEncoder {
        let encoder = JSONTreeEncoder(in: self, at: step)
        inner.append((step, encoder))
        return encoder
    }

    /// Handing out a container cannot throw, so a type that mixes kinds of them is told at the end.
    private func become(_ next: Shape) {
        if shape == .nothing {
            shape = next
        } else if shape != next || next == .single, fault == nil {
            let reason = "a type must encode itself as one object, one array or one value"
            fault = JSONError(code: .unwritable, reason: reason, path: JSONKey.text(codingPath))
        }
    }
}

// MARK: - Values

extension JSONTreeEncoder {
    /// The tree of a value inside this one, or of the whole if there is no step.
    ///
    /// Types are compared by identity, as in `JSONTreeDecoder.read`.
    func tree<T: Encodable>(of value: T, at step: JSONStep?) throws -> JSON {
        let type = T.self
        if type == String.self { return .string(sameType(value, as: String.self)) }
        if type == Int.self { return .integer(Int64(sameType(value, as: Int.self))) }
        if type == Double.self { return try number(sameType(value, as: Double.self), at: step) }
        if type == Bool.self { return .bool(sameType(value, as: Bool.self)) }
        if type == JSON.self { return sameType(value, as: JSON.self) }
        if type == JSONObject.self { return .object(sameType(value, as: JSONObject.self)) }
        if type == Duration.self { return Self.seconds(sameType(value, as: Duration.self)) }
        if type == Float.self { return try number(sameType(value, as: Float.self), at: step) }
        if type == Int64.self { return .integer(sameType(value, as: Int64.self)) }
        if type == UInt64.self { return try integer(sameType(value, as: UInt64.self), at: step) }
        if type == Int32.self { return .integer(Int64(sameType(value, as: Int32.self))) }
        if type == UInt32.self { return .integer(Int64(sameType(value, as: UInt32.self))) }
        if type == Int16.self { return .integer(Int64(sameType(value, as: Int16.self))) }
        if type == UInt16.self { return .integer(Int64(sameType(value, as: UInt16.self))) }
        if type == Int8.self { return .integer(Int64(sameType(value, as: Int8.self))) }
        if type == UInt8.self { return .integer(Int64(sameType(value, as: UInt8.self))) }
        if type == UInt.self { return try integer(UInt64(sameType(value, as: UInt.self)), at: step) }
        let encoder = JSONTreeEncoder(in: self, at: step)
        defer { encoder.release() }
        do {
            try value.encode(to: encoder)
        } catch let error where !(error is EncodingError) && !(error is JSONError) {
            throw JSONError(mapping: error, at: encoder.codingPath, code: .unwritable)
        }
        return try encoder.finish()
    }

    private func number(_ value: Double, at step: JSONStep?) throws -> JSON {
        guard value.isFinite else { throw notFinite(value.description, at: step) }
        return .number(value)
    }

    /// Goes by the shortest decimal text, so that 0.1 stays 0.1 instead of 0.10000000149011612.
    private func number(_ value: Float, at step: JSONStep?) throws -> JSON {
        guard value.isFinite else { throw notFinite(value.description, at: step) }
        guard let short = Double(value.description), Float(short) == value else {
            return .number(Double(value))
        }
        return .number(short)
    }

    private func integer(_ value: UInt64, at step: JSONStep?) throws -> JSON {
        if let integer = Int64(exactly: value) { return .integer(integer) }
        let reason = "\(value) is above the largest integer here, \(Int64.max); encode it as a string"
        throw JSONError(code: .unwritable, reason: reason, path: JSONKey.text(path(to: step)))
    }

    private func notFinite(_ text: String, at step: JSONStep?) -> JSONError {
        let reason = "JSON has no number for \(text); encode null or a string instead"
        return JSONError(code: .unwritable, reason: reason, path: JSONKey.text(path(to: step)))
    }

    /// A number of seconds: an integer if there is no fraction.
    ///
    /// Below 104 days the nanoseconds fit a double exactly, so the quotient is the nearest double; above,
    /// the last digits may be lost.
    private static func seconds(_ duration: Duration) -> JSON {
        let (seconds, attoseconds) = duration.components
        if attoseconds == 0 { return .integer(seconds) }
        if seconds.magnitude < 9_000_000 { return .number(Double(duration.nanoseconds) / 1e9) }
        return .number(Double(seconds) + Double(attoseconds) / 1e18)
    }
}
