import FunctionCore

/// Plain conversation: two or three sentences about what was said, in the manner that the instructions ask
/// for.
struct OfflineConversation {
    private let instruction: String
    private let said: [String]
    private var last: String { said.last ?? "" }

    init(_ messages: [ChatMessage]) {
        instruction = messages.filter { $0.role == "system" || $0.role == "developer" }
            .map(\.content)
            .joined(separator: "\n")
        said = messages.filter { $0.role == "user" }.map {
            OfflineText.trimmed(OfflineText.withoutMarks($0.content))
        }
    }

    func reply() -> String {
        let manner = Manner(instruction)
        var sentences = remembered() ?? content()
        if manner.isBrief {
            // What was asked about counts for more than the manner when there is room for one of them.
            sentences = Array(sentences.prefix(1))
        } else if let persona = manner.persona {
            sentences.insert(persona, at: 0)
        }
        var text = sentences.prefix(3).joined(separator: " ")
        if let prefix = manner.prefix { text = "\(prefix) \(text)" }
        if let suffix = manner.suffix { text = "\(text) \(suffix)" }
        if manner.isUpper { text = text.uppercased() }
        if manner.isLower { text = text.lowercased() }
        return text
    }

    /// What the instructions say about how to reply.
    private struct Manner {
        var isUpper: Bool
        var isLower: Bool
        var isBrief: Bool
        var prefix: String?
        var suffix: String?
        var persona: String?

        init(_ instruction: String) {
            let lower = instruction.lowercased()
            isUpper = ["capitals", "capital letters", "uppercase", "upper case"].contains {
                lower.contains($0)
            }
            isLower = !isUpper && ["lowercase", "lower case"].contains { lower.contains($0) }
            isBrief = ["one sentence", "single sentence", "be brief", "briefly"].contains {
                lower.contains($0)
            }
            prefix = Manner.quoted(instruction, after: ["start", "begin"])
            suffix = Manner.quoted(instruction, after: ["end ", "ends ", "finish", "close "])
            let first = OfflineText.firstSentence(instruction)
            guard !first.isEmpty else { return }
            if first.lowercased().hasPrefix("you are ") {
                persona = "As \(first.dropFirst(8)), I am glad you asked."
            } else if !isUpper, !isLower, prefix == nil, suffix == nil, !isBrief {
                persona = "I keep to what I was told (“\(first)”)."
            }
        }

        /// The quoted text in the sentence that holds one of `words`: `start every reply with "Ahoy"`.
        private static func quoted(_ text: String, after words: [String]) -> String? {
            let lower = text.lowercased()
            for word in words {
                guard let found = lower.firstRange(of: word) else { continue }
                let offset = lower.distance(from: lower.startIndex, to: found.upperBound)
                let rest = text.dropFirst(offset).prefix { !$0.isNewline }
                let marks: Set<Character> = ["\"", "“", "”", "„", "`"]
                let parts = rest.split(omittingEmptySubsequences: false) { marks.contains($0) }
                if parts.count >= 3, parts[0].contains("with"), !parts[1].isEmpty { return String(parts[1]) }
            }
            return nil
        }
    }

    // MARK: - Remembering

    private func remembered() -> [String]? {
        let asked = last.lowercased()
        let earlier = said.dropLast()
        if asked.contains("my name"), asked.contains("what") || asked.contains("remember"),
            !asked.contains("name is ")
        {
            guard let name = earlier.reversed().compactMap(OfflineConversation.name).first else {
                return ["You have not told me your name yet."]
            }
            return ["Your name is \(name); you told me so."]
        }
        let cues = ["did i say", "i said", "did i tell", "i told you", "did i ask", "remember", "earlier"]
        guard cues.contains(where: asked.contains) else { return nil }
        guard !earlier.isEmpty else { return ["This is the first thing that you have said to me."] }
        let quotes = earlier.suffix(3).map { "“\($0.prefix(120))”" }
        return [
            "Earlier you said \(quotes.joined(separator: ", then ")).", "I have not forgotten any of it.",
        ]
    }

    private static func name(_ text: String) -> String? {
        let lower = text.lowercased()
        for cue in ["my name is ", "i am called ", "call me "] {
            guard let found = lower.firstRange(of: cue) else { continue }
            let offset = lower.distance(from: lower.startIndex, to: found.upperBound)
            if let word = OfflineText.words(String(text.dropFirst(offset))).first { return word }
        }
        return nil
    }

    // MARK: - Content

    private func content() -> [String] {
        var seed = OfflineSeed(instruction + "\u{0}" + said.joined(separator: "\u{0}"))
        let words = OfflineText.keywords(last)
        guard let first = words.first else {
            return [
                seed.pick(["Good to hear from you.", "Hello, and welcome.", "I am listening."]),
                "What is on your mind?",
            ]
        }
        let second = words.dropFirst().first ?? first
        let third = words.last ?? first
        let openings = [
            "About \(first): it is worth a closer look.", "Let us think about \(first) for a moment.",
            "You mention \(first), and that is a good place to begin.",
            "There is more to \(first) than meets the eye.",
        ]
        let middles = [
            "What matters most is how \(second) fits in with the rest.",
            "I would take \(second) step by step, and the small steps first.",
            "Often \(second) becomes clear once one has tried it out.",
            "With \(second) patience pays, and so does a plain plan.",
        ]
        let questions = [
            "What would you like to know next about \(third)?", "Shall we look at \(third) together?",
            "How did you come to \(third)?", "What have you tried with \(third) so far?",
        ]
        return [seed.pick(openings), seed.pick(middles), seed.pick(questions)]
    }
}
