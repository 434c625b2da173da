/// A scanned document: its text and its tape.
///
/// Values are named by the places of their entries. Paths are not kept; one is found by a walk from the root
/// when an error needs it. Walks and searches leave hints, so a document is for one thread.
final class JSONDocument {
    private struct State {
        /// The text, and after it what was appended.
        var text: [UInt8]
        var tape: JSONTape
        /// The places of the names of very large objects.
        var indexes: [Int: [String: Int]] = [:]
        /// The path that was asked for last.
        var steps: [Step] = []
    }

    /// A step of a path: the element, or the member's name, in a container.
    private struct Step {
        let container: Int
        let inner: Int
        let position: Int
    }

    // SAFETY: allocated and initialised in `init`, freed in `deinit`. Behind a pointer, because a class's
    // variables are guarded against overlapping use at each access, which took a third of the time; no access
    // here spans another.
    private let state: UnsafeMutablePointer<State>
    /// The path of the document within another one, for errors.
    private let prefix: [any CodingKey]

    /// Scans a document; throws what `JSON.parse` throws.
    init(scanning bytes: Bytes, limits: JSON.Limits) throws(JSONError) {
        // The result leaves the closure as a value, because `throws(JSONError)` must not widen on the way.
        // SAFETY: the buffer is used inside the closure only.
        let result = bytes.array.withUnsafeBufferPointer { JSONScanner.tape($0, limits: limits) }
        let tape = try result.get()
        state = .allocate(capacity: 1)
        state.initialize(to: State(text: bytes.array, tape: tape))
        prefix = []
    }

    /// A document for a value that exists as a tree.
    init(_ json: JSON, prefix: [any CodingKey] = []) {
        state = .allocate(capacity: 1)
        state.initialize(to: State(text: [], tape: JSONTape(capacity: 16)))
        self.prefix = prefix
        append(json)
    }

    deinit {
        state.pointee.tape.free()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    @inline(__always)
    subscript(place: Int) -> JSONTapeEntry {
        // SAFETY: places come from the tape itself, and never lie at or above its count.
        state.pointee.tape.entries[place]
    }

    /// The place after a value and all it contains.
    @inline(__always)
    func end(of place: Int) -> Int {
        let entry = self[place]
        return entry.kind == .array || entry.kind == .object ? entry.low : place + 1
    }

    @inline(__always)
    func mark(_ object: Int, _ marks: JSONTapeEntry.Marks) {
        // SAFETY: as above.
        state.pointee.tape.entries[object].marks.formUnion(marks)
    }

    /// Notes with which name the next search in an object begins.
    @inline(__always)
    func expect(_ name: Int, in object: Int) {
        // SAFETY: as above.
        state.pointee.tape.entries[object].offset = UInt32(truncatingIfNeeded: name)
    }

    /// The places of an object's names, made once for objects that have very many.
    func index(of object: Int) -> [String: Int] {
        if let index = state.pointee.indexes[object] { return index }
        var index: [String: Int] = [:]
        index.reserveCapacity(self[object].high)
        eachName(of: object) { index[string($0)] = $0 }
        state.pointee.indexes[object] = index
        return index
    }

    func eachName(of object: Int, _ body: (Int) -> Void) {
        let end = self[object].low
        var name = object + 1
        while name < end {
            body(name)
            name = self.end(of: name + 1)
        }
    }

    /// Calls `body` with the bytes of a string as they stand in the state.pointee.text.
    @inline(__always)
    // SAFETY: the closure must not keep the buffer.
    func withSource<Result>(_ place: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let entry = self[place]
        return state.pointee.text.withUnsafeBufferPointer { whole in
            // SAFETY: the scanner, or `append`, found the string within the text, which only grows.
            body(UnsafeBufferPointer(rebasing: whole[Int(entry.offset)..<Int(entry.offset) + entry.low]))
        }
    }

    /// The text of a string's or a name's entry.
    @inline(__always)
    func string(_ place: Int) -> String {
        guard self[place].marks.contains(.escaped) else {
            return withSource(place) { String(decoding: $0, as: UTF8.self) }
        }
        return withSource(place) { JSONEscapes.resolved($0) }
    }
}

// MARK: - Trees

extension JSONDocument {
    /// The value at a place as a tree.
    func tree(_ place: Int) -> JSON {
        let entry = self[place]
        switch entry.kind {
        case .null: return .null
        case .bool: return .bool(entry.payload == 1)
        case .integer: return .integer(Int64(bitPattern: entry.payload))
        case .number: return .number(Double(bitPattern: entry.payload))
        case .string: return .string(string(place))
        case .array:
            var elements: [JSON] = []
            elements.reserveCapacity(entry.high)
            var element = place + 1
            while element < entry.low {
                elements.append(tree(element))
                element = end(of: element)
            }
            return .array(elements)
        case .object: return .object(object(place))
        }
    }

    /// An object as a tree; of a name that occurs twice the last value counts.
    func object(_ place: Int) -> JSONObject {
        let count = self[place].high
        if count <= Self.comparisonLimit { compareNames(of: place) }
        let areDistinct = count <= Self.comparisonLimit && !self[place].marks.contains(.searchAll)
        var object = JSONObject()
        object.reserveCapacity(count)
        eachName(of: place) { name in
            if areDistinct {
                object.append(string(name), tree(name + 1))
            } else {
                object.set(string(name), to: tree(name + 1))
            }
        }
        return object
    }

    /// Puts members after those of the root, which must be an object: where a name is there already, the new
    /// value counts.
    func append(_ members: JSONObject) {
        for (name, value) in members {
            append(name)
            append(value)
        }
        state.pointee.tape.close(0, count: self[0].high + members.count)
        state.pointee.tape.entries[0].marks = []
        state.pointee.indexes[0] = nil
    }

    private func append(_ json: JSON) {
        switch json {
        case .null: state.pointee.tape.append(JSONTapeEntry(kind: .null))
        case .bool(let bool): state.pointee.tape.append(JSONTapeEntry(kind: .bool, payload: bool ? 1 : 0))
        case .integer(let integer):
            state.pointee.tape.append(JSONTapeEntry(kind: .integer, payload: UInt64(bitPattern: integer)))
        case .number(let number):
            state.pointee.tape.append(JSONTapeEntry(kind: .number, payload: number.bitPattern))
        case .string(let string): append(string)
        case .array(let elements):
            let opening = state.pointee.tape.count
            state.pointee.tape.append(JSONTapeEntry(kind: .array))
            for element in elements { append(element) }
            state.pointee.tape.close(opening, count: elements.count)
        case .object(let object):
            let opening = state.pointee.tape.count
            state.pointee.tape.append(
                JSONTapeEntry(kind: .object, offset: UInt32(truncatingIfNeeded: opening + 1))
            )
            for (name, value) in object {
                append(name)
                append(value)
            }
            state.pointee.tape.close(opening, count: object.count)
        }
    }

    private func append(_ string: String) {
        let offset = state.pointee.text.count
        state.pointee.text.append(contentsOf: string.utf8)
        // SAFETY: the bytes are used inside the closure only.
        let payload = state.pointee.text[offset...].withUnsafeBufferPointer { JSONTapeEntry.payload(of: $0) }
        let isASCII = state.pointee.text[offset...].allSatisfy { $0 < 0x80 }
        state.pointee.tape.append(
            JSONTapeEntry(
                kind: .string,
                marks: isASCII ? [] : .beyondASCII,
                offset: UInt32(truncatingIfNeeded: offset),
                payload: payload
            )
        )
    }
}

// MARK: - Paths

extension JSONDocument {
    /// The path of the value at a place.
    ///
    /// Types that try one kind after another fail at every element of an array, so each walk goes on where the
    /// last one through the same array or object ended.
    func path(to place: Int) -> [any CodingKey] {
        var path = prefix
        var container = 0
        while container < place {
            let isObject = self[container].kind == .object
            var step = stepBefore(place, in: container, depth: path.count - prefix.count)
            var value = isObject ? step.inner + 1 : step.inner
            while end(of: value) <= place {
                step = Step(container: container, inner: end(of: value), position: step.position + 1)
                value = isObject ? step.inner + 1 : step.inner
            }
            remember(step, depth: path.count - prefix.count)
            path.append(
                isObject ? JSONKey(stringValue: string(step.inner)) : JSONKey(intValue: step.position)
            )
            container = value
        }
        return path
    }

    /// The last step that was taken in a container, if it lies before a place; otherwise the first.
    private func stepBefore(_ place: Int, in container: Int, depth: Int) -> Step {
        let steps = state.pointee.steps
        if depth < steps.count, steps[depth].container == container, steps[depth].inner <= place {
            return steps[depth]
        }
        return Step(container: container, inner: container + 1, position: 0)
    }

    private func remember(_ step: Step, depth: Int) {
        state.pointee.steps.removeSubrange(min(depth, state.pointee.steps.count)...)
        state.pointee.steps.append(step)
    }

    /// What a value is, with its article, for messages.
    func kind(of place: Int) -> String {
        switch self[place].kind {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
