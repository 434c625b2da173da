/// A Swift file's code without its comments and strings.
///
/// Both become spaces, so that a rule never trips over what a sentence says; lines and columns stay what they are.
///
/// It knows line and nested block comments, plain, multi-line and raw strings, and code inside `\( )`. It does not know regular
/// expression literals; the project uses none that hold a quote. All is done on bytes, as the suite reads the whole project.
struct SourceText: Sendable {
    /// A line's bytes.
    typealias Line = ArraySlice<UInt8>

    /// The file's lines as they are.
    let lines: [Line]
    /// The same lines with comments and strings blanked.
    let code: [Line]

    init(_ text: String) {
        let bytes = Array(text.utf8)
        lines = SourceText.split(bytes)
        var blanker = Blanker(bytes)
        code = SourceText.split(blanker.blanked())
    }

    /// The lines of a text; a final line feed begins none.
    static func lines(_ text: String) -> [String] {
        split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func split(_ bytes: [UInt8]) -> [Line] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// One pass over a file's bytes.
private struct Blanker {
    private let text: [UInt8]
    private var index = 0
    private var out: [UInt8]

    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\")
    private static let opening = UInt8(ascii: "(")
    private static let closing = UInt8(ascii: ")")
    private static let newline = UInt8(ascii: "\n")

    init(_ text: [UInt8]) {
        self.text = text
        out = text
    }

    mutating func blanked() -> [UInt8] {
        while index < text.count { code(untilParenthesis: false) }
        return out
    }

    /// The byte so far ahead; zero beyond the end.
    private func byte(_ ahead: Int = 0) -> UInt8 {
        index + ahead < text.count ? text[index + ahead] : 0
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < text.count {
            if text[index] != Blanker.newline { out[index] = UInt8(ascii: " ") }
            index += 1
        }
    }

    /// Code until the file's end or, inside an interpolation, until the parenthesis that ends it.
    private mutating func code(untilParenthesis isNested: Bool) {
        var depth = 0
        while index < text.count {
            switch byte() {
            case Blanker.slash where byte(1) == Blanker.slash:
                while index < text.count, byte() != Blanker.newline { blank() }
            case Blanker.slash where byte(1) == Blanker.star:
                comment()
            case Blanker.quote:
                string(hashes: 0)
            case Blanker.hash where rawStringAhead > 0:
                string(hashes: rawStringAhead)
            case Blanker.opening:
                depth += 1
                index += 1
            case Blanker.closing:
                depth -= 1
                if isNested, depth < 0 { return blank() }
                index += 1
            default:
                index += 1
            }
        }
    }

    /// How many `#` stand before a quote here; 0 where this begins no raw string.
    private var rawStringAhead: Int {
        var count = 0
        while byte(count) == Blanker.hash { count += 1 }
        return byte(count) == Blanker.quote ? count : 0
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if byte() == Blanker.slash, byte(1) == Blanker.star {
                depth += 1
                blank(2)
            } else if byte() == Blanker.star, byte(1) == Blanker.slash {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < text.count
    }

    private mutating func string(hashes: Int) {
        blank(hashes)
        let quotes = byte(1) == Blanker.quote && byte(2) == Blanker.quote ? 3 : 1
        blank(quotes)
        while index < text.count {
            if ends(quotes, hashes) { return blank(quotes + hashes) }
            if byte() == Blanker.backslash, hasHashes(hashes, from: 1) {
                let isInterpolation = byte(1 + hashes) == Blanker.opening
                blank(2 + hashes)
                if isInterpolation { code(untilParenthesis: true) }
            } else if quotes == 1, byte() == Blanker.newline {
                return
            } else {
                blank()
            }
        }
    }

    private func ends(_ quotes: Int, _ hashes: Int) -> Bool {
        (0..<quotes).allSatisfy { byte($0) == Blanker.quote } && hasHashes(hashes, from: quotes)
    }

    private func hasHashes(_ count: Int, from start: Int) -> Bool {
        (0..<count).allSatisfy { byte(start + $0) == Blanker.hash }
    }
}
