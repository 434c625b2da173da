/// Takes from a line what models put around a motto: list marks, labels, quotation marks, emphasis, emoji.
enum MottoText {
    private static let marks: Set<Character> = [
        "\"", "'", "“", "”", "„", "‟", "‘", "’", "‚", "«", "»", "‹", "›", "「", "」", "`", "*", "_",
    ]
    private static let bullets: Set<Character> = ["-", "•", "*", "–", "—", "·", "#", ">"]
    private static let labels: Set<String> = [
        "motto", "slogan", "tagline", "option", "answer", "text", "output",
    ]

    /// The motto in `line`, on one line; nil where nothing is left, or what is left is talk about mottos to
    /// come.
    static func cleaned(_ line: String) -> String? {
        let lines = line.split(whereSeparator: \.isNewline).map(tidied).filter { !$0.isEmpty }
        guard let first = lines.first(where: { !isPreamble($0) }) else { return nil }
        var text = first
        // Marks nest, such as a bullet before a quoted, labelled line; each round takes one layer off.
        for _ in 0..<6 {
            let peeled = unquoted(unlabelled(unlisted(text)))
            if peeled == text { break }
            text = peeled
        }
        return text.contains { $0.isLetter || $0.isNumber } ? text : nil
    }

    /// Without emoji and control characters, and with single spaces.
    private static func tidied(_ line: Substring) -> String {
        let kept = line.filter { character in
            !character.unicodeScalars.contains {
                $0.properties.isEmojiPresentation || $0.value == 0xFE0F
                    || $0.properties.generalCategory == .control
            }
        }
        return kept.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func isPreamble(_ line: String) -> Bool {
        line.hasSuffix(":") || line.hasPrefix("```")
    }

    /// Without `-`, `•`, `3.`, `3)`, `(3)` at the front.
    private static func unlisted(_ text: String) -> String {
        if let first = text.first, bullets.contains(first), text.dropFirst().first == " " {
            return trimmed(text.dropFirst())
        }
        let inner = text.first == "(" ? text.dropFirst() : text[...]
        let digits = inner.prefix { $0.isASCII && $0.isNumber }
        let rest = inner.dropFirst(digits.count)
        guard (1...2).contains(digits.count), let mark = rest.first,
            mark == "." || mark == ")" || mark == ":",
            rest.dropFirst().first == " "
        else { return text }
        return trimmed(rest.dropFirst())
    }

    /// Without `Motto:` or `Slogan 2:` at the front.
    private static func unlabelled(_ text: String) -> String {
        let bare = text.drop { $0 == "*" || $0 == "_" }
        guard let colon = bare.firstIndex(of: ":") else { return text }
        let words = bare[..<colon].lowercased().split { !$0.isLetter }
        guard let label = words.first, words.count == 1, labels.contains(String(label)),
            bare[..<colon].count <= label.count + 5
        else { return text }
        let rest = bare[bare.index(after: colon)...].drop { $0 == "*" || $0 == "_" }
        return trimmed(rest)
    }

    /// Without a pair of quotation or emphasis marks around the whole.
    private static func unquoted(_ text: String) -> String {
        guard text.count > 2, let first = text.first, let last = text.last, marks.contains(first),
            marks.contains(last)
        else { return text }
        // 'Tis, and the like, begin with a mark but do not end with one; "A" and "B" do both and would lose
        // their sense.
        let inner = text.dropFirst().dropLast()
        if inner.contains(first), inner.contains(last), first != "*", first != "_" { return text }
        return trimmed(inner)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
