import FunctionCore

/// Reading the prompts that the offline provider is given.
enum OfflineText {
    /// Words of letters, digits, apostrophes and dashes.
    static func words(_ text: String) -> [String] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "’" || $0 == "-") }
            .map(String.init)
            .filter { $0.contains(where: \.isLetter) || $0.contains(where: \.isNumber) }
    }

    /// The words that carry the meaning, each once, in order.
    static func keywords(_ text: String, limit: Int = 6) -> [String] {
        var seen: Set<String> = []
        return words(withoutMarks(text))
            .filter { word in
                let lower = word.lowercased()
                return lower.count > 2 && !stopWords.contains(lower) && seen.insert(lower).inserted
            }
            .prefix(limit)
            .map { $0 }
    }

    /// About as many tokens as a model would count.
    static func tokens(_ text: String) -> Int {
        max(1, text.utf8.count / 4)
    }

    /// The text without the fault marks that steer a test.
    static func withoutMarks(_ text: String) -> String {
        guard text.contains("[[offline:") else { return text }
        var out = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "[[offline:") {
            out += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstRange(of: "]]") else { return out }
            rest = rest[end.upperBound...]
        }
        return out + rest
    }

    /// The first sentence of a text, without its stop.
    static func firstSentence(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let end = line.firstIndex { ".!?".contains($0) } ?? line.endIndex
        return trimmed(String(line[..<end]))
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// The JSON objects that stand in a text, at its outermost level, in order.
    static func objects(in text: String) -> [JSON] {
        let bytes = Array(text.utf8)
        var found: [JSON] = []
        var place = 0
        while place < bytes.count {
            guard bytes[place] == 123, let end = closing(bytes, from: place) else {
                place += 1
                continue
            }
            if let json = try? JSON.parse(Bytes(Array(bytes[place...end]))) {
                found.append(json)
                place = end + 1
            } else {
                place += 1
            }
        }
        return found
    }

    /// Where the brace at `start` is closed, strings left out.
    private static func closing(_ bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var inString = false
        var escaped = false
        for place in start..<bytes.count {
            let byte = bytes[place]
            if inString {
                if escaped {
                    escaped = false
                } else if byte == 92 {
                    escaped = true
                } else if byte == 34 {
                    inString = false
                }
                continue
            }
            switch byte {
            case 34: inString = true
            case 123: depth += 1
            case 125:
                depth -= 1
                if depth == 0 { return place }
            default: break
            }
        }
        return nil
    }

    private static let stopWords: Set<String> = [
        "the", "and", "for", "with", "that", "this", "from", "into", "what", "when", "where", "which", "who",
        "whom",
        "why", "how", "are", "was", "were", "will", "would", "could", "should", "can", "may", "might", "must",
        "shall",
        "has", "have", "had", "does", "did", "doing", "not", "but", "you", "your", "yours", "they", "them",
        "their",
        "she", "her", "his", "him", "its", "our", "ours", "about", "tell", "please", "give", "make", "some",
        "any",
        "all", "more", "most", "very", "just", "than", "then", "there", "here", "also", "like", "want",
        "need",
        "let", "say", "said", "me", "my", "mine", "is", "it", "a", "an", "of", "to", "in", "on", "at", "be",
        "do",
        "write", "create", "who's", "i'm", "it's", "one", "each", "every", "over", "under", "hello", "thanks",
    ]
}
