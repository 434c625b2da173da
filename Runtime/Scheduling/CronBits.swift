/// A set of numbers from 0 to 255, which holds the values of any one field.
struct CronBits: Sendable, Hashable {
    private var words: SIMD4<UInt64> = .zero

    init() {}

    /// The set that `all` gave.
    init(_ all: [UInt64]) {
        for (index, word) in all.prefix(4).enumerated() { words[index] = word }
    }

    /// Its words, the lowest first.
    var all: [UInt64] { (0..<4).map { words[$0] } }

    mutating func insert(_ number: Int) {
        words[number >> 6] |= 1 << UInt64(number & 63)
    }

    mutating func formUnion(_ other: CronBits) {
        words |= other.words
    }

    func contains(_ number: Int) -> Bool {
        0..<256 ~= number && words[number >> 6] & (1 << UInt64(number & 63)) != 0
    }

    /// The least number of the set from the given one on.
    func first(from number: Int) -> Int? {
        guard number < 256 else { return nil }
        var index = max(number, 0) >> 6
        var word = words[index] & (~0 << UInt64(max(number, 0) & 63))
        while word == 0 {
            index += 1
            guard index < 4 else { return nil }
            word = words[index]
        }
        return index << 6 + word.trailingZeroBitCount
    }

    /// The numbers up to 63, bit n for n.
    var low: UInt64 { words[0] }
}
