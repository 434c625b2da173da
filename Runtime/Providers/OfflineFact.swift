import FunctionCore

/// Something that a script's brief knows about its subject.
struct OfflineFact: Hashable {
    enum Kind {
        case name, age, date, place, wish, fear, companion, liking, trait, other
    }

    var kind: Kind
    var value: String

    init(kind: Kind, value: String) {
        self.kind = kind
        var text = OfflineText.trimmed(value.split(whereSeparator: \.isNewline).joined(separator: " "))
        while let last = text.last, ".!;, ".contains(last) { text.removeLast() }
        self.value = text
    }

    /// The value, cut to a few words for a title.
    var short: String {
        let words = value.split(separator: " ")
        return words.count <= 6 ? value : words.prefix(6).joined(separator: " ")
    }

    /// The facts of an object, whatever its depth, in order; each value once.
    static func all(in json: JSON, label: String = "") -> [OfflineFact] {
        var facts: [OfflineFact] = []
        switch json {
        case .object(let members): facts = all(of: members, label: label)
        case .array(let values):
            // A list that can be said in a breath stays together.
            let texts = values.compactMap(\.stringValue)
            if texts.count == values.count, texts.count <= 3, texts.joined().count <= 60, !texts.isEmpty {
                facts.append(OfflineFact(kind: kind(of: label), value: listed(texts)))
            } else {
                for value in values { facts += all(in: value, label: label) }
            }
        case .string(let text): facts.append(OfflineFact(kind: kind(of: label), value: text))
        case .integer, .number:
            let isAge = spoken(label).split(separator: " ").contains { $0 == "age" || $0 == "years" }
            let fact = OfflineFact(
                kind: isAge ? .age : .other,
                value: isAge ? json.text : "the number \(json.text)"
            )
            facts.append(fact)
        case .bool(true): facts.append(OfflineFact(kind: .other, value: "a \(spoken(label))"))
        case .bool(false), .null: break
        }
        var seen: Set<String> = []
        return facts.filter { fact in
            let isNothing = ["", "nobody", "none", "nothing", "no"].contains(fact.value.lowercased())
            return !isNothing && seen.insert(fact.value).inserted
        }
    }

    /// Members that belong together are said together: somebody's name and role, a `companion` and its
    /// `companion_name`.
    private static func all(of members: JSONObject, label: String) -> [OfflineFact] {
        var facts: [OfflineFact] = []
        var told: Set<String> = []
        if let name = members["name"]?.stringValue, let role = members["role"]?.stringValue {
            facts.append(OfflineFact(kind: .companion, value: "\(name) the \(role)"))
            told = ["name", "role"]
        }
        for (key, value) in members where !told.contains(key) {
            if let what = value.stringValue, let name = members["\(key)_name"]?.stringValue {
                facts.append(OfflineFact(kind: kind(of: key), value: "\(name) the \(what)"))
                told.insert("\(key)_name")
            } else {
                facts += all(in: value, label: "\(label) \(key)")
            }
        }
        return facts
    }

    private static func listed(_ texts: [String]) -> String {
        guard let last = texts.last, texts.count > 1 else { return texts.first ?? "" }
        return texts.dropLast().joined(separator: ", ") + " and " + last
    }

    private static func spoken(_ label: String) -> String {
        label.split { $0 == "_" || $0 == "-" || $0 == "." || $0 == " " }.joined(separator: " ").lowercased()
    }

    private static func kind(of label: String) -> Kind {
        let label = label.lowercased()
        let cues: [(Kind, [String])] = [
            (.companion, ["friend", "pet", "partner", "family", "mother", "father", "companion", "mentor"]),
            (.date, ["birthday", "date", "anniversary"]),
            (.place, ["place", "city", "town", "country", "home", "where", "location", "live", "setting"]),
            (.wish, ["wish", "dream", "goal", "hope", "want", "aim", "ambition", "plan"]),
            (.fear, ["fear", "afraid", "worry", "obstacle", "problem", "challenge", "struggle"]),
            (
                .liking,
                [
                    "favo", "hobby", "hobbies", "like", "love", "food", "music", "colour", "color", "book",
                    "enjoy",
                ]
            ),
            (
                .trait,
                ["trait", "character", "personality", "strength", "mood", "describe", "adjective", "tone"]
            ),
            (.name, ["name", "called", "hero"]),
        ]
        return cues.first { $0.1.contains(where: label.contains) }?.0 ?? .other
    }
}
