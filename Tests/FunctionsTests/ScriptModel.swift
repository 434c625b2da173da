import FunctionCore
import FunctionTesting

@testable import Script

/// A model that follows the brief to the letter, for tests to spoil.
enum ScriptModel {
    /// The brief at the end of a question.
    static func brief(_ request: CompletionRequest) throws -> JSON {
        let last = request.messages.last?.content.split(separator: "\n").last ?? ""
        return try JSON.parse(Bytes(String(last)))
    }

    /// A script with one scene a beat and exactly the words asked for; the first scene speaks of every fact
    /// that is a text or a number, as far as its words go.
    static func script(_ request: CompletionRequest) throws -> JSON {
        let brief = try brief(request)
        var words = (brief["facts"]?.objectValue ?? [:]).flatMap { fact in
            (fact.value.stringValue ?? fact.value.intValue.map { String($0) } ?? "").split(separator: " ")
        }
        let scenes = (brief["beats"]?.arrayValue ?? []).map { beat -> JSON in
            let count = beat["words"]?.intValue ?? 0
            var narration = words.prefix(count).map { String($0) }
            words.removeFirst(narration.count)
            while narration.count < count { narration.append("onwards") }
            return [
                "beat": beat["name"] ?? nil, "title": "A scene",
                "narration": .string(narration.joined(separator: " ") + "."),
                "visual_prompt": "A lighthouse at dusk",
            ]
        }
        return [
            "title": brief["title_hint"]?.stringValue.map { .string($0) } ?? "Untold",
            "scenes": .array(scenes),
        ]
    }

    static func completion(_ text: String, finish: String = "stop") -> Completion {
        Completion(text: text, finishReason: finish, model: "fake-1", offline: true, usage: nil)
    }
}

extension JSON {
    /// The JSON with `change` made to its member of that name.
    func changing(_ name: String, _ change: (JSON) -> JSON?) -> JSON {
        guard var object = objectValue else { return self }
        object[name] = change(object[name] ?? .null)
        return .object(object)
    }

    /// The JSON with `change` made to its element at that place.
    func changing(at place: Int, _ change: (JSON) -> JSON) -> JSON {
        guard var elements = arrayValue, elements.indices.contains(place) else { return self }
        elements[place] = change(elements[place])
        return .array(elements)
    }
}
