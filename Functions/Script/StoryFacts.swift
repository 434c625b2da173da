import FunctionCore

/// What the story is made of: a user's answers, without those that are private or empty.
struct StoryFacts: Sendable {
    /// The answers by question, in their order.
    let facts: JSONObject

    /// The answers without those named by `hidden`, which no model is to see.
    init(_ answers: JSONObject = [:], hidden: [String] = []) {
        var facts = JSONObject()
        for (name, answer) in answers where !answer.isNull && !hidden.contains(name) {
            facts[name] = StoryFacts.simplified(answer)
        }
        self.facts = facts
    }

    /// An answer of one's own, `{"other": "…"}`, is what it says.
    private static func simplified(_ answer: JSON) -> JSON {
        switch answer {
        case .object(let object) where object.count == 1 && object.contains(key: "other"):
            object["other"] ?? .null
        case .array(let elements): .array(elements.map { simplified($0) })
        default: answer
        }
    }

    /// Who appears: the hero, the companion, and the friends of a group.
    var characters: JSON {
        var characters: [JSON] = []
        if let hero = facts["hero"]?.stringValue {
            var character: JSONObject = ["name": .string(hero), "role": "hero"]
            for trait in ["age", "traits"] {
                if let value = facts[trait] { character[trait] = value }
            }
            characters.append(.object(character))
        }
        if let name = facts["companion_name"]?.stringValue {
            characters.append([
                "name": .string(name), "role": "companion", "kind": facts["companion"] ?? .null,
            ])
        }
        for friend in facts["friends"]?.arrayValue ?? [] {
            guard let name = friend["name"]?.stringValue else { continue }
            characters.append(["name": .string(name), "role": friend["role"] ?? "friend"])
        }
        return .array(characters)
    }

    /// The names of the facts that `text` speaks of.
    func used(in text: String) -> [String] {
        let words = ScriptText.words(text)
        return facts.filter { fact in
            StoryFacts.needles(fact.value).contains { StoryFacts.occurs($0, in: words) }
        }.map(\.key)
    }

    /// What of an answer can turn up in a text.
    private static func needles(_ answer: JSON) -> [[String]] {
        switch answer {
        case .string(let text): [ScriptText.words(text)]
        case .integer(let number): [[String(number)]]
        case .array(let elements): elements.flatMap { needles($0) }
        case .object(let object): object.values.flatMap { needles($0) }
        default: []
        }
    }

    /// Whether the words stand in the text one after the other.
    ///
    /// A long answer, such as a wish told in a sentence, is seldom repeated so; of it all words of five
    /// letters and more are enough, wherever they stand.
    private static func occurs(_ needle: [String], in words: [String]) -> Bool {
        guard let first = needle.first else { return false }
        for start in words.indices where words[start] == first {
            if words[start...].starts(with: needle) { return true }
        }
        let telling = needle.filter { $0.count >= 5 }
        return needle.count > 5 && telling.count > 1 && Set(telling).isSubset(of: words)
    }
}
