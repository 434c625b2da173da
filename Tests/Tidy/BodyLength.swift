/// How long the bodies of functions and initialisers are, by counting braces in blanked code.
enum BodyLength {
    static let limit = 60

    private static let words = ["func ", "init(", "init?(", "init<"].map { Word($0) }

    static func violations(in source: SourceText, of path: String) -> [Violation] {
        source.code.indices.compactMap { index in
            let line = source.code[index]
            guard words.contains(where: { $0.isIn(line) }),
                let name = declaration(String(decoding: line, as: UTF8.self)),
                let length = length(source.code, from: index), length > limit
            else { return nil }
            return Violation(
                path: path,
                line: index + 1,
                rule: "the body of \(name) has \(length) lines",
                fix: "\(limit) at most: give a part of it a name of its own"
            )
        }
    }

    /// Lines strictly between the braces of the declaration that begins in line `start`; nil where it has no body.
    static func length(_ code: [SourceText.Line], from start: Int) -> Int? {
        var parentheses = 0
        var braces = 0
        var opened: Int?
        for index in start..<code.count {
            for byte in code[index] {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
                // Braces of a default argument are none of the body's.
                case UInt8(ascii: "{") where opened != nil || parentheses == 0:
                    braces += 1
                    opened = opened ?? index
                case UInt8(ascii: "}"):
                    if let opened {
                        braces -= 1
                        if braces == 0 { return max(0, index - opened - 1) }
                    } else if parentheses == 0 {
                        return nil  // a protocol's requirement: its protocol ends
                    }
                default: break
                }
            }
            if opened == nil, parentheses == 0, index + 1 < code.count, !goesOn(code[index + 1]) {
                return nil
            }
        }
        return nil
    }

    /// Whether a declaration's head goes on in this line.
    private static func goesOn(_ line: SourceText.Line) -> Bool {
        let text = String(decoding: line.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
        return ["{", "->", "where ", "throws", "async", "rethrows"].contains { text.hasPrefix($0) }
    }

    /// The name of the function or initialiser that a line declares.
    static func declaration(_ line: String) -> String? {
        var words = line.split(separator: " ")[...]
        while let word = words.first, modifiers.contains(String(word)) || word.hasPrefix("@") {
            words = words.dropFirst()
        }
        guard let word = words.first else { return nil }
        if word == "func", words.count > 1 {
            return "`\(words[words.startIndex + 1].prefix { $0 != "(" && $0 != "<" })`"
        }
        return ["init(", "init?(", "init<"].contains { word.hasPrefix($0) } ? "`init`" : nil
    }

    private static let modifiers: Set<String> = [
        "public", "package", "internal", "fileprivate", "private", "open", "static", "class", "final",
        "override", "mutating",
        "nonmutating", "nonisolated", "isolated", "required", "convenience", "prefix", "postfix", "consuming",
        "borrowing",
    ]
}
