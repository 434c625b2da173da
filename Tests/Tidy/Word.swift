/// A word of code, found as itself and not as a part of a longer one.
struct Word: Sendable {
    let text: String
    private let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    /// Whether a line says it.
    func isIn(_ line: SourceText.Line) -> Bool {
        guard let first = bytes.first, let last = bytes.last, line.count >= bytes.count else { return false }
        return line.withUnsafeBufferPointer { line in
            for start in 0...(line.count - bytes.count) where line[start] == first {
                guard bytes.indices.allSatisfy({ line[start + $0] == bytes[$0] }) else { continue }
                let end = start + bytes.count
                if Word.isPart(first), start > 0,
                    Word.isPart(line[start - 1]) || line[start - 1] == UInt8(ascii: ".")
                {
                    continue
                }
                if Word.isPart(last), end < line.count, Word.isPart(line[end]) { continue }
                return true
            }
            return false
        }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}
