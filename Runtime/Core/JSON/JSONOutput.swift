/// What encoders and containers write to.
///
/// Values are written in the order in which their types give them. Only a container that is handed out for
/// later, a nested one or one for a superclass, gets an output of its own, which is put into its place at the
/// end.
final class JSONOutput {
    // SAFETY: allocated and initialised in `init`, freed in `deinit`. Behind a pointer for the reason given in
    // `JSONDocument`: no access spans the encoding of a value, which comes back here.
    private let draft: UnsafeMutablePointer<JSONDraft>
    private let prefix: [any CodingKey]

    init() {
        draft = .allocate(capacity: 1)
        draft.initialize(to: JSONDraft())
        prefix = []
    }

    /// An output for a value inside another one, which its encoder writes when it likes.
    private init(piece prefix: [any CodingKey]) {
        draft = .allocate(capacity: 1)
        draft.initialize(to: JSONDraft())
        self.prefix = prefix
        draft.pointee.open()
    }

    deinit {
        draft.pointee.text.free()
        draft.deinitialize(count: 1)
        draft.deallocate()
    }

    /// The whole text, when everything has been written.
    func finish() throws -> [UInt8] {
        if !draft.pointee.levels.isEmpty { try close() }
        guard !draft.pointee.pieces.isEmpty || draft.pointee.mayHoldDoubles else {
            return draft.pointee.text.array
        }
        let text = draft.pointee.text.array
        var whole: [UInt8] = []
        var start = 0
        for piece in draft.pointee.pieces {
            whole += text[start..<piece.offset]
            whole += try piece.output.finish()
            start = piece.offset
        }
        whole += text[start...]
        guard draft.pointee.mayHoldDoubles else { return whole }
        // A tree keeps the last value of a name.
        return try JSON.parse(Bytes(whole), limits: JSON.Limits(depth: .max, values: .max)).bytes().array
    }

    /// The path of the value of the level at a depth; one deeper, of the value inside it that is being written.
    func path(_ depth: Int) -> [any CodingKey] {
        prefix + draft.pointee.path(depth)
    }

    private func close() throws {
        if draft.pointee.close() { return }
        throw unwritable("a type must encode itself as one object, one array or one value", within: 1)
    }

    /// An error at the value that is being written, or `within` levels outside it.
    private func unwritable(_ reason: String, within: Int = 0) -> JSONError {
        let path = path(draft.pointee.levels.count - within)
        return JSONError(code: .unwritable, reason: reason, path: JSONKey.text(path))
    }
}

// MARK: - Containers

extension JSONOutput {
    /// Makes a value an object or an array.
    ///
    /// Handing out a container cannot throw, so a type that mixes kinds of them is told at the end.
    func become(_ shape: JSONDraft.Level.Shape, _ encoding: JSONEncoding) {
        if isInnermost(encoding) { draft.pointee.become(shape) }
    }

    func count(_ encoding: JSONEncoding) -> Int {
        isInnermost(encoding) ? draft.pointee.levels[encoding.depth].count : 0
    }

    /// Writes a member, or nothing if `body` throws.
    @inline(__always)
    func member(_ name: String, _ encoding: JSONEncoding, _ body: () throws -> Void) throws {
        try requireInnermost(encoding)
        let mark = draft.pointee.mark
        draft.pointee.beginMember(name)
        try undoing(mark, body)
        draft.pointee.endValue()
    }

    /// Writes an element, or nothing if `body` throws.
    @inline(__always)
    func element(_ encoding: JSONEncoding, _ body: () throws -> Void) throws {
        try requireInnermost(encoding)
        let mark = draft.pointee.mark
        draft.pointee.beginElement()
        try undoing(mark, body)
        draft.pointee.endValue()
    }

    /// Writes the value as which a type encodes itself, or nothing if `body` throws.
    @inline(__always)
    func single(_ encoding: JSONEncoding, _ body: () throws -> Void) throws {
        try requireInnermost(encoding)
        try undoing(draft.pointee.mark, body)
        draft.pointee.become(.single)
    }

    /// An encoder for a member that is written later, the same one if it is asked for twice; without a name, for
    /// an element.
    func piece(_ name: String?, _ encoding: JSONEncoding) -> JSONEncoding {
        guard isInnermost(encoding) else { return JSONOutput(piece: []).outermost }
        if let name {
            for piece in draft.pointee.pieces where piece.serial == encoding.serial && piece.name == name {
                return piece.output.outermost
            }
            draft.pointee.beginMember(name)
        } else {
            draft.pointee.beginElement()
        }
        let output = JSONOutput(piece: path(encoding.depth + 1))
        let offset = draft.pointee.text.count
        draft.pointee.pieces.append(
            JSONDraft.Piece(offset: offset, serial: encoding.serial, name: name, output: output)
        )
        draft.pointee.endValue()
        return output.outermost
    }

    func writeNull() {
        draft.pointee.text.appendWord("null")
    }

    private var outermost: JSONEncoding {
        JSONEncoding(output: self, level: 0, serial: draft.pointee.levels[0].serial)
    }

    @inline(__always)
    private func undoing(_ mark: JSONDraft.Mark, _ body: () throws -> Void) throws {
        do { try body() } catch {
            draft.pointee.undo(to: mark)
            throw error
        }
    }

    @inline(__always)
    private func isInnermost(_ encoding: JSONEncoding) -> Bool {
        draft.pointee.isInnermost(encoding.depth, encoding.serial)
    }

    @inline(__always)
    private func requireInnermost(_ encoding: JSONEncoding) throws {
        if isInnermost(encoding) { return }
        throw unwritable("a container was written to after, or inside, the encoding of its value")
    }
}

// MARK: - Values

extension JSONOutput {
    /// Writes a value; types are compared by identity, as in `JSONDocument.read`.
    func write<T: Encodable>(_ value: T) throws {
        let type = T.self
        if type == String.self { return draft.pointee.text.append(sameType(value, as: String.self)) }
        if type == Int.self { return draft.pointee.text.append(Int64(sameType(value, as: Int.self))) }
        if type == Double.self { return try number(sameType(value, as: Double.self)) }
        if type == Bool.self { return draft.pointee.text.append(sameType(value, as: Bool.self)) }
        if type == [String].self {
            return try array(sameType(value, as: [String].self)) { draft.pointee.text.append($0) }
        }
        if type == [Int].self {
            return try array(sameType(value, as: [Int].self)) { draft.pointee.text.append(Int64($0)) }
        }
        if type == [Double].self { return try array(sameType(value, as: [Double].self)) { try number($0) } }
        if type == JSON.self {
            return JSONWriter.write(sameType(value, as: JSON.self), to: &draft.pointee.text)
        }
        try writeOther(value)
    }

    private func writeOther<T: Encodable>(_ value: T) throws {
        let type = T.self
        if type == JSONObject.self {
            return JSONWriter.write(.object(sameType(value, as: JSONObject.self)), to: &draft.pointee.text)
        }
        if type == Duration.self { return seconds(sameType(value, as: Duration.self)) }
        if type == Float.self { return try number(sameType(value, as: Float.self)) }
        if type == Int64.self { return draft.pointee.text.append(sameType(value, as: Int64.self)) }
        if type == UInt64.self { return try integer(sameType(value, as: UInt64.self)) }
        if type == Int32.self { return draft.pointee.text.append(Int64(sameType(value, as: Int32.self))) }
        if type == UInt32.self { return draft.pointee.text.append(Int64(sameType(value, as: UInt32.self))) }
        if type == Int16.self { return draft.pointee.text.append(Int64(sameType(value, as: Int16.self))) }
        if type == UInt16.self { return draft.pointee.text.append(Int64(sameType(value, as: UInt16.self))) }
        if type == Int8.self { return draft.pointee.text.append(Int64(sameType(value, as: Int8.self))) }
        if type == UInt8.self { return draft.pointee.text.append(Int64(sameType(value, as: UInt8.self))) }
        if type == UInt.self { return try integer(UInt64(sameType(value, as: UInt.self))) }
        try writeByItsType(value)
    }

    private func writeByItsType(_ value: some Encodable) throws {
        let depth = draft.pointee.levels.count
        draft.pointee.open()
        let encoding = JSONEncoding(output: self, level: depth, serial: draft.pointee.innermost)
        do {
            try value.encode(to: encoding)
        } catch let error where !(error is EncodingError) && !(error is JSONError) {
            throw JSONError(mapping: error, at: path(depth), code: .unwritable)
        }
        try close()
    }

    private func array<Element>(_ elements: [Element], _ write: (Element) throws -> Void) throws {
        draft.pointee.open()
        draft.pointee.become(.array)
        for element in elements {
            draft.pointee.beginElement()
            try write(element)
            draft.pointee.endValue()
        }
        try close()
    }

    private func number(_ value: Double) throws {
        guard value.isFinite else { throw notFinite(value.description) }
        draft.pointee.text.append(value)
    }

    /// Goes by the shortest decimal text, so that 0.1 stays 0.1 instead of 0.10000000149011612.
    private func number(_ value: Float) throws {
        guard value.isFinite else { throw notFinite(value.description) }
        guard let short = Double(value.description), Float(short) == value else {
            return draft.pointee.text.append(Double(value))
        }
        draft.pointee.text.append(short)
    }

    private func integer(_ value: UInt64) throws {
        if let integer = Int64(exactly: value) { return draft.pointee.text.append(integer) }
        let reason = "\(value) is above the largest integer here, \(Int64.max); encode it as a string"
        throw unwritable(reason)
    }

    private func notFinite(_ number: String) -> JSONError {
        unwritable("JSON has no number for \(number); encode null or a string instead")
    }

    /// A number of seconds: an integer if there is no fraction.
    ///
    /// Below 104 days the nanoseconds fit a double exactly, so the quotient is the nearest double; above,
    /// the last digits may be lost.
    private func seconds(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        if attoseconds == 0 { return draft.pointee.text.append(seconds) }
        if seconds.magnitude < 9_000_000 {
            return draft.pointee.text.append(Double(duration.nanoseconds) / 1e9)
        }
        draft.pointee.text.append(Double(seconds) + Double(attoseconds) / 1e18)
    }
}
