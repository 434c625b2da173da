/// Tells whether bytes that come in pieces are UTF-8, as soon as they cannot be.
///
/// Refuses what RFC 3629 does: overlong forms, surrogates, and all above U+10FFFF.
package struct UTF8Check: Sendable {
    /// How many bytes of a character are still to come.
    private var missing = 0
    /// What the next byte may be, while some are missing.
    private var next: ClosedRange<UInt8> = 0x80...0xBF

    package init() {}

    /// Whether the bytes so far end with a whole character.
    package var isComplete: Bool { missing == 0 }

    /// Takes the next bytes; false where no text begins so.
    package mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
        for byte in bytes {
            if missing > 0 {
                guard next.contains(byte) else { return false }
                missing -= 1
                next = 0x80...0xBF
            } else if byte >= 0x80 {
                switch byte {
                case 0xC2...0xDF: begin(1, 0x80...0xBF)
                case 0xE0: begin(2, 0xA0...0xBF)
                case 0xED: begin(2, 0x80...0x9F)
                case 0xE1...0xEF: begin(2, 0x80...0xBF)
                case 0xF0: begin(3, 0x90...0xBF)
                case 0xF1...0xF3: begin(3, 0x80...0xBF)
                case 0xF4: begin(3, 0x80...0x8F)
                default: return false
                }
            }
        }
        return true
    }

    private mutating func begin(_ count: Int, _ range: ClosedRange<UInt8>) {
        missing = count
        next = range
    }

    /// Whether all of `bytes` is UTF-8.
    package static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
        var check = UTF8Check()
        return check.take(bytes) && check.isComplete
    }
}
