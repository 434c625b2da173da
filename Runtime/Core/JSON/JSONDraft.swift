/// The text of a value that is being encoded, and how far its containers have come.
struct JSONDraft {
    /// A value that a type is encoding.
    struct Level {
        enum Shape {
            case nothing, single, array, object
        }

        var shape = Shape.nothing
        /// How many elements or members are complete.
        var count = 0
        /// Where the last member's name stands, with its quotes.
        var name = 0..<0
        /// Where the object's fingerprints begin.
        let fingerprints: Int
        /// Tells this level from an earlier one at the same depth.
        let serial: UInt32
    }

    /// A text that belongs at a place of this one.
    struct Piece {
        let offset: Int
        let serial: UInt32
        let name: String?
        let output: JSONOutput
    }

    /// What was there before a member, an element or a value.
    struct Mark {
        fileprivate let text: Int
        fileprivate let fingerprints: Int
        fileprivate let pieces: Int
        fileprivate let levels: Int
    }

    /// Up to this many names of an object are compared each with each.
    private static let comparisonLimit = 32

    var text = JSONBuffer()
    private(set) var levels: [Level] = []
    var pieces: [Piece] = []
    /// One number a name for each object that is open, to find a name that is written twice.
    private var fingerprints: [UInt64] = []
    /// The same of objects with very many names, by their serials.
    private var manyFingerprints: [UInt32: Set<UInt64>] = [:]
    /// Whether a name may have been written twice.
    private(set) var mayHoldDoubles = false
    private var isMixed = false
    private var serial: UInt32 = 0

    /// The serial of the innermost level.
    var innermost: UInt32 { levels[levels.count - 1].serial }

    @inline(__always)
    func isInnermost(_ depth: Int, _ serial: UInt32) -> Bool {
        depth == levels.count - 1 && levels[depth].serial == serial
    }

    mutating func open() {
        serial &+= 1
        levels.append(Level(fingerprints: fingerprints.count, serial: serial))
    }

    /// Makes the innermost level an object, an array or a single value; it can be one of them only.
    mutating func become(_ shape: Level.Shape) {
        let place = levels.count - 1
        if levels[place].shape == .nothing {
            levels[place].shape = shape
            if shape == .object { text.append(UInt8(ascii: "{")) }
            if shape == .array { text.append(UInt8(ascii: "[")) }
        } else if levels[place].shape != shape || shape == .single {
            isMixed = true
        }
    }

    /// Completes the innermost level; false if its type mixed kinds of containers.
    mutating func close() -> Bool {
        guard !isMixed, let level = levels.popLast() else { return false }
        switch level.shape {
        case .nothing: text.appendWord("{}")
        case .single: break
        case .array: text.append(UInt8(ascii: "]"))
        case .object:
            text.append(UInt8(ascii: "}"))
            fingerprints.removeLast(fingerprints.count - level.fingerprints)
        }
        return true
    }

    /// Writes what stands before the next element.
    @inline(__always)
    mutating func beginElement() {
        if levels[levels.count - 1].count > 0 { text.append(UInt8(ascii: ",")) }
    }

    /// Writes what stands before the value of the next member.
    @inline(__always)
    mutating func beginMember(_ name: String) {
        beginElement()
        let start = text.count
        text.append(name)
        levels[levels.count - 1].name = start..<text.count
        note(text.fingerprint(start..<text.count))
        text.append(UInt8(ascii: ":"))
    }

    @inline(__always)
    mutating func endValue() {
        levels[levels.count - 1].count += 1
    }

    var mark: Mark {
        Mark(text: text.count, fingerprints: fingerprints.count, pieces: pieces.count, levels: levels.count)
    }

    /// Takes back what was written since the mark.
    mutating func undo(to mark: Mark) {
        text.cut(to: mark.text)
        fingerprints.removeLast(fingerprints.count - mark.fingerprints)
        pieces.removeLast(pieces.count - mark.pieces)
        levels.removeLast(levels.count - mark.levels)
        isMixed = false
    }

    /// The steps to the value of the level at a depth; one deeper, to the value inside it that is being written.
    func path(_ depth: Int) -> [any CodingKey] {
        levels.prefix(depth).compactMap { level in
            switch level.shape {
            case .object:
                let name = try? JSON.parse(Bytes(Array(text[level.name])))
                return JSONKey(stringValue: name?.stringValue ?? "")
            case .array: return JSONKey(intValue: level.count)
            case .nothing, .single: return nil
            }
        }
    }

    /// Remembers a name's fingerprint.
    ///
    /// Different names can share one; that only costs a look at the end.
    @inline(__always)
    private mutating func note(_ fingerprint: UInt64) {
        let start = levels[levels.count - 1].fingerprints
        guard fingerprints.count - start < Self.comparisonLimit else {
            return noteAmongMany(fingerprint, start)
        }
        for place in start..<fingerprints.count where fingerprints[place] == fingerprint {
            mayHoldDoubles = true
        }
        fingerprints.append(fingerprint)
    }

    @inline(never)
    private mutating func noteAmongMany(_ fingerprint: UInt64, _ start: Int) {
        let few = fingerprints[start...]
        if !manyFingerprints[innermost, default: Set(few)].insert(fingerprint).inserted {
            mayHoldDoubles = true
        }
    }
}
