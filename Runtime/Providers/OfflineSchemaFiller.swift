import FunctionCore

/// Fills any JSON Schema of the strict subset with words of the prompt, for documents that the offline
/// provider does not know by name.
struct OfflineSchemaFiller {
    /// A schema that refers to itself ends here.
    private static let depthLimit = 8
    private let words: [String]
    private var seed: OfflineSeed

    init(prompt: String) {
        let keywords = OfflineText.keywords(prompt, limit: 12)
        words = keywords.isEmpty ? ["offline", "answer"] : keywords
        seed = OfflineSeed(prompt)
    }

    mutating func value(of schema: JSON, depth: Int = 0) -> JSON {
        guard depth < OfflineSchemaFiller.depthLimit else { return .null }
        if let constant = schema["const"] { return constant }
        if let choices = schema["enum"]?.arrayValue, !choices.isEmpty { return seed.pick(choices) }
        if let either = schema["anyOf"]?.arrayValue, let first = either.first {
            return value(of: first, depth: depth + 1)
        }
        switch schema["type"]?.stringValue ?? schema["type"]?[0]?.stringValue ?? "" {
        case "object":
            var object = JSONObject()
            for (name, member) in schema["properties"]?.objectValue ?? [:] {
                object[name] = value(of: member, depth: depth + 1)
            }
            return .object(object)
        case "array":
            let count = max(schema["minItems"]?.intValue ?? 1, 1)
            let member = schema["items"] ?? ["type": "string"]
            return .array((0..<min(count, 100)).map { _ in value(of: member, depth: depth + 1) })
        case "integer": return .integer(Int64(schema["minimum"]?.intValue ?? Int(seed.next() % 10)))
        case "number": return .number(schema["minimum"]?.doubleValue ?? seed.fraction())
        case "boolean": return .bool(seed.next() % 2 == 0)
        case "null": return .null
        default: return .string((0..<3).map { _ in seed.pick(words) }.joined(separator: " "))
        }
    }
}
