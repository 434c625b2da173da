/// The offline provider's only source of variety: a hash of the request, and a sequence that follows from it.
struct OfflineSeed: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The sequence that belongs to `text`: FNV-1a of its bytes, then SplitMix64.
    init(_ text: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        state = hash
    }

    /// The sequence after a number that an earlier one gave.
    init(value: UInt64) {
        state = value
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// One of `choices`, which must not be empty.
    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int(next() % UInt64(choices.count))]
    }

    /// A number from 0 to 1.
    mutating func fraction() -> Double {
        Double(next() >> 11) / Double(1 << 53)
    }

    /// `elements` in another order.
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        elements.shuffled(using: &self)
    }
}
