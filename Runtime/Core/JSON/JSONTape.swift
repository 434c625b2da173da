/// One value or one name of a document, as the scanner found it.
///
/// A document becomes a row of these in the order of its text. A member is its name's entry and then its
/// value's; the entries of an array or object follow the one that opens it. So a value is skipped in one
/// step, and nothing is made of it before somebody asks.
struct JSONTapeEntry {
    enum Kind: UInt8 {
        case null, bool, integer, number, string, array, object
    }

    /// What is known of a string, or has been found out about an object.
    struct Marks: OptionSet {
        let rawValue: UInt8

        /// The string has escapes.
        static let escaped = Marks(rawValue: 1)
        /// The string has bytes above ASCII.
        static let beyondASCII = Marks(rawValue: 2)
        /// The object's names have been compared with each other.
        static let compared = Marks(rawValue: 4)
        /// Each search must look at all names: one occurs twice, or the bytes alone do not tell two apart.
        static let searchAll = Marks(rawValue: 8)
        /// The object has so many names that they are in an index.
        static let indexed = Marks(rawValue: 16)
    }

    let kind: Kind
    var marks: Marks = []
    /// Where a string begins, after its quote; in an object, the name with which the next search begins.
    var offset: UInt32 = 0
    /// A truth value, the bits of a number, or two halves (low and high): of a string its length and its
    /// fingerprint, of an array or object the entry after it and how many elements or members it has.
    var payload: UInt64 = 0

    var low: Int { Int(payload & 0xFFFF_FFFF) }
    var high: Int { Int(payload >> 32) }

    /// The payload of a string: its length, and its first four bytes mixed with its last four.
    ///
    /// Up to four bytes it tells strings apart for certain.
    @inline(__always)
    // SAFETY: the caller's buffer stays valid for the call.
    static func payload(of string: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var fingerprint: UInt32 = 0
        if let base = string.baseAddress, string.count > 4 {
            // SAFETY: both words lie in the buffer; the loads need no alignment.
            let first = UnsafeRawPointer(base).loadUnaligned(as: UInt32.self)
            let last = UnsafeRawPointer(base + string.count - 4).loadUnaligned(as: UInt32.self)
            fingerprint = first ^ (last &* 0x9E37_79B1)
        } else {
            for byte in string.reversed() { fingerprint = fingerprint << 8 | UInt32(byte) }
        }
        return halves(low: string.count, high: Int(fingerprint))
    }

    static func halves(low: Int, high: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: low) | UInt64(truncatingIfNeeded: high) << 32
    }
}

/// A row of entries that grows; whoever holds it last frees it.
struct JSONTape {
    // SAFETY: allocated here for `capacity` entries, of which the first `count` are initialised; entries are
    // trivial, so nothing needs to be destroyed.
    private(set) var entries: UnsafeMutablePointer<JSONTapeEntry>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        entries = .allocate(capacity: capacity)
    }

    @inline(__always)
    mutating func append(_ entry: JSONTapeEntry) {
        if count == capacity { grow() }
        // SAFETY: `count` is below the capacity.
        (entries + count).initialize(to: entry)
        count += 1
    }

    /// Completes the entry that opened an array or object, once its contents are on the tape.
    @inline(__always)
    func close(_ place: Int, count members: Int) {
        // SAFETY: `place` was appended before.
        entries[place].payload = JSONTapeEntry.halves(low: count, high: members)
    }

    func free() {
        entries.deallocate()
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<JSONTapeEntry>.allocate(capacity: capacity * 2)
        // SAFETY: both hold at least `count` entries and do not overlap.
        larger.moveInitialize(from: entries, count: count)
        entries.deallocate()
        entries = larger
        capacity *= 2
    }
}
