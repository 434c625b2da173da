/// Growing text: what the writer and the encoder put their values into.
///
/// Whoever holds it last frees it.
struct JSONBuffer {
    // SAFETY: allocated here for `capacity` bytes, of which the first `count` are initialised.
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 512) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    func free() {
        base.deallocate()
    }

    /// The bytes of a range.
    // SAFETY: the buffer is for the caller's next statements only; the next write may move the bytes.
    subscript(range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// All bytes, copied.
    var array: [UInt8] {
        Array(self[0..<count])
    }

    /// A number that is the same for the same bytes, and seldom for others.
    @inline(__always)
    func fingerprint(_ range: Range<Int>) -> UInt64 {
        var mixed = UInt64(truncatingIfNeeded: range.count)
        var place = range.lowerBound
        while place + 8 <= range.upperBound {
            // SAFETY: the eight bytes lie in the range; the load needs no alignment.
            let word = UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self)
            mixed = (mixed ^ word) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 29
            place += 8
        }
        while place < range.upperBound {
            mixed = (mixed ^ UInt64(base[place])) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 29
            place += 1
        }
        return mixed
    }

    /// Forgets all bytes from a place on.
    mutating func cut(to count: Int) {
        self.count = count
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        // SAFETY: there is room.
        base[count] = byte
        count += 1
    }

    @inline(__always)
    // SAFETY: the caller's bytes are valid for the call; they are copied.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        // SAFETY: there is room, and the two cannot overlap.
        (base + count).initialize(from: source, count: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    mutating func appendWord(_ word: StaticString) {
        // SAFETY: a static string's bytes live for ever.
        append(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    @inline(__always)
    private mutating func reserve(_ room: Int) {
        if capacity - count < room { grow(room) }
    }

    @inline(never)
    private mutating func grow(_ room: Int) {
        capacity = max(capacity * 2, count + room)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        // SAFETY: both hold at least `count` bytes and do not overlap.
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
    }
}

// MARK: - Values

extension JSONBuffer {
    mutating func append(_ bool: Bool) {
        if bool { appendWord("true") } else { appendWord("false") }
    }

    mutating func append(_ integer: Int64) {
        reserve(20)
        var magnitude = integer.magnitude
        if integer < 0 { append(UInt8(ascii: "-")) }
        var digits = 1
        var rest = magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        var place = count + digits
        repeat {
            place -= 1
            // SAFETY: there is room for all digits, the longest having twenty with its sign.
            base[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        count += digits
    }

    /// Appends a number, or null for what is none.
    mutating func append(_ number: Double) {
        guard number.isFinite else { return appendWord("null") }
        // The description of a double is the shortest text that reads back as the same value.
        var text = number.description
        // SAFETY: the bytes are used inside the closure only.
        text.withUTF8 { append($0) }
    }

    /// Appends text in quotes.
    mutating func append(_ text: String) {
        // SAFETY: the storage is used inside the closure only.
        let done: Void? = text.utf8.withContiguousStorageIfAvailable { appendQuoted($0) }
        if done == nil {
            var copy = text
            // SAFETY: the storage is used inside the closure only.
            copy.withUTF8 { appendQuoted($0) }
        }
    }

    /// Appends text in runs: what needs no escape is copied in one piece.
    // SAFETY: the caller's bytes are valid for the call, and places stay below their count.
    private mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) {
        reserve(text.count + 2)
        append(UInt8(ascii: "\""))
        var run = 0
        var place = Self.plainEnd(text, from: 0)
        while place < text.count {
            // SAFETY: the run ends before `place`, which is in the text.
            append(UnsafeBufferPointer(rebasing: text[run..<place]))
            appendEscape(text[place])
            run = place + 1
            place = Self.plainEnd(text, from: run)
        }
        // SAFETY: the run ends with the text.
        append(UnsafeBufferPointer(rebasing: text[run...]))
        append(UInt8(ascii: "\""))
    }

    /// The first byte from a place on that needs an escape, or the end.
    // SAFETY: as above.
    private static func plainEnd(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let base = text.baseAddress else { return 0 }
        var place = start
        while place + 8 <= text.count {
            // SAFETY: the eight bytes lie in the text; the load needs no alignment.
            let word = UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self)
            if JSONWord.needsEscape(word) { break }
            place += 8
        }
        while place < text.count {
            let byte = text[place]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            place += 1
        }
        return place
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            appendWord("u00")
            append(UInt8(ascii: "0") + byte >> 4)
            let digit = byte & 0x0F
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

/// Eight bytes of text looked at as one.
enum JSONWord {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Whether a quote, a backslash or a control character is among them.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> Bool {
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        // Subtracting borrows into a byte's top bit where it was below the subtrahend. As a test of the whole
        // word this is exact.
        let hits =
            ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
        return hits & tops != 0
    }
}
