import FunctionCore

/// Writes the document of the schema `mottos`: distinct lines in the tone that is asked for, about the
/// prompt's own words, none longer than allowed and none that is to be avoided.
struct OfflineMottos {
    private let keywords: [String]
    private let tone: String
    private let count: Int
    private let limit: Int
    private let avoid: Set<String>
    private var seed: OfflineSeed

    /// Finds the brief: the last object with `count` and `prompt` in the messages.
    init?(_ messages: [ChatMessage]) {
        let texts = messages.filter { $0.role != "assistant" }.map { OfflineText.withoutMarks($0.content) }
        let briefs = texts.reversed().flatMap { OfflineText.objects(in: $0) }
        guard
            let brief = briefs.first(where: {
                $0["prompt"] != nil && ($0["tone"] != nil || $0["count"] != nil)
            })
        else {
            return nil
        }
        let prompt = brief["prompt"]?.stringValue ?? ""
        keywords = OfflineMottos.subjects(prompt)
        tone = (brief["tone"]?.stringValue ?? "bold").lowercased()
        count = min(max(brief["count"]?.intValue ?? 3, 1), 50)
        limit = max(brief["max_characters"]?.intValue ?? 120, 8)
        avoid = Set((brief["avoid"]?.arrayValue ?? []).compactMap(\.stringValue).map(OfflineMottos.normal))
        seed = OfflineSeed(brief.text)
    }

    /// The prompt's words that look like things: what follows `who` is an act, and what ends in `ed` or `ing`
    /// mostly too.
    private static func subjects(_ prompt: String) -> [String] {
        let acts = Set(
            zip(OfflineText.words(prompt), OfflineText.words(prompt).dropFirst()).compactMap { before, word in
                ["who", "that", "to", "and", "i"].contains(before.lowercased()) ? word.lowercased() : nil
            }
        )
        let words = OfflineText.keywords(prompt, limit: 12).map { $0.lowercased() }
        let things = words.filter { word in
            !acts.contains(word) && !["ed", "ing", "ly"].contains(where: word.hasSuffix)
        }
        if !things.isEmpty { return things }
        return words.isEmpty ? ["life"] : words
    }

    func document() -> JSON {
        var random = seed
        let voice = OfflineTone.named(tone)
        var lines: [String] = []
        var seen = avoid
        // Each round shuffles all that the tone can say; a few rounds are more than fifty lines need.
        for round in 0..<8 where lines.count < count {
            // Far down the list are side issues; they come when the rest has been said.
            let subjects = Array(keywords.prefix(3 + round))
            for pattern in random.shuffled(voice.patterns + OfflineTone.shortPatterns)
            where lines.count < count {
                let line = OfflineMottos.filled(pattern, subjects, voice, &random)
                guard line.count <= limit, seen.insert(OfflineMottos.normal(line)).inserted else { continue }
                lines.append(line)
            }
        }
        fillUp(&lines, &seen, voice)
        return ["mottos": .array(lines.map { .string($0) })]
    }

    /// For tight limits: two words, cut where they must be.
    private func fillUp(_ lines: inout [String], _ seen: inout Set<String>, _ voice: OfflineTone) {
        for adjective in voice.adjectives + voice.verbs {
            for keyword in keywords + voice.images where lines.count < count {
                let full = OfflineMottos.capitalized("\(adjective) \(keyword).")
                let line = full.count <= limit ? full : OfflineMottos.cut("\(adjective) \(keyword)", limit)
                if seen.insert(OfflineMottos.normal(line)).inserted { lines.append(line) }
            }
        }
        var number = 1
        while lines.count < count, number < 1_000 {
            let line = OfflineMottos.cut("\(OfflineMottos.capitalized(voice.adjectives[0])) \(number)", limit)
            if seen.insert(OfflineMottos.normal(line)).inserted { lines.append(line) }
            number += 1
        }
    }

    private static func filled(
        _ pattern: String,
        _ keywords: [String],
        _ voice: OfflineTone,
        _ random: inout OfflineSeed
    ) -> String {
        let first = random.pick(keywords)
        let others = keywords.filter { $0 != first }
        let values = [
            ("{k}", first),
            ("{o}", others.isEmpty ? random.pick(voice.images) : random.pick(others)),
            ("{a}", random.pick(voice.adjectives)),
            ("{v}", random.pick(voice.verbs)),
            ("{i}", random.pick(voice.images)),
        ]
        var text = pattern
        for (mark, value) in values {
            text = text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: value)
        }
        return capitalized(text)
    }

    /// Sentences begin with a capital.
    private static func capitalized(_ text: String) -> String {
        var out = ""
        var atStart = true
        for character in text {
            out += atStart && character.isLetter ? character.uppercased() : String(character)
            if ".!?".contains(character) {
                atStart = true
            } else if !character.isWhitespace {
                atStart = false
            }
        }
        return out
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.count > limit else { return capitalized(text) }
        let head = text.prefix(limit)
        let end = head.lastIndex(of: " ") ?? head.endIndex
        return capitalized(OfflineText.trimmed(head[..<end]))
    }

    private static func normal(_ text: String) -> String {
        String(text.lowercased().filter { $0.isLetter || $0.isNumber })
    }
}
