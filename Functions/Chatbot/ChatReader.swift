import FunctionCore

/// Reads the members of a chat request and gathers what is wrong with them.
struct ChatReader {
    private static let roles = ["developer", "system", "user", "assistant"]
    /// A bound on one request's work; conversations of that length belong into the store.
    private static let mostMessages = 1000

    private let object: JSON
    private var faults: [Fault] = []

    init(_ object: JSON) {
        self.object = object
    }

    mutating func fault(_ path: String, _ rule: String, _ message: String) {
        faults.append(Fault(path, rule, message))
    }

    /// Throws what was gathered: one error, whose code is the first fault's rule.
    func check() throws {
        guard let first = faults.first else { return }
        throw FunctionError(
            status: 400,
            code: first.rule,
            message: faults.map(\.message).joined(separator: "; "),
            faults: faults,
            retry: .never
        )
    }

    mutating func messages() -> [ChatMessage] {
        guard let value = object["messages"], !value.isNull else {
            fault("messages", "missing_required_parameter", "messages is required: a list of {role, content}")
            return []
        }
        guard let list = value.arrayValue else {
            fault("messages", "invalid_type", "messages must be a list of {role, content}")
            return []
        }
        guard (1...ChatReader.mostMessages).contains(list.count) else {
            let rule = list.isEmpty ? "empty_array" : "array_above_max_length"
            fault(
                "messages",
                rule,
                "messages must have 1 to \(ChatReader.mostMessages) members; it has \(list.count)"
            )
            return []
        }
        return list.enumerated().compactMap { message($1, at: "messages[\($0)]") }
    }

    private mutating func message(_ value: JSON, at path: String) -> ChatMessage? {
        let known = ChatReader.roles.joined(separator: ", ")
        guard value.objectValue != nil else {
            fault(path, "invalid_type", "\(path) must be an object {role, content}")
            return nil
        }
        guard let role = value["role"]?.stringValue, ChatReader.roles.contains(role) else {
            fault("\(path).role", "invalid_value", "\(path).role must be one of \(known)")
            return nil
        }
        guard let content = content(value["content"] ?? .null, at: "\(path).content") else { return nil }
        guard !content.isEmpty || role == "assistant" else {
            fault("\(path).content", "invalid_value", "\(path).content must not be empty")
            return nil
        }
        return ChatMessage(role: role, content: content)
    }

    /// Text, or a list of parts that are text; an assistant's message may have none.
    private mutating func content(_ value: JSON, at path: String) -> String? {
        switch value {
        case .string(let text): return text
        case .null: return ""
        case .array(let parts):
            var text = ""
            for (place, part) in parts.enumerated() {
                guard part["type"]?.stringValue == "text", let piece = part["text"]?.stringValue else {
                    let path = "\(path)[\(place)]"
                    fault(
                        path,
                        "unsupported_value",
                        "\(path) must be {type: \"text\", text}; other parts are not read"
                    )
                    return nil
                }
                text += piece
            }
            return text
        default:
            fault(path, "invalid_type", "\(path) must be a string or a list of text parts")
            return nil
        }
    }

    mutating func text(_ name: String, _ length: ClosedRange<Int>) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let text = value.stringValue, length.contains(text.count) else {
            let bounds = "\(length.lowerBound) to \(length.upperBound)"
            fault(name, "invalid_value", "\(name) must be a string of \(bounds) characters")
            return nil
        }
        return text
    }

    mutating func flag(_ value: JSON?, _ name: String) -> Bool {
        guard let value, !value.isNull else { return false }
        guard let flag = value.boolValue else {
            fault(name, "invalid_type", "\(name) must be true or false")
            return false
        }
        return flag
    }

    mutating func number(_ name: String, _ range: ClosedRange<Double>) -> Double? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let number = value.doubleValue, range.contains(number) else {
            fault(
                name,
                "invalid_value",
                "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)"
            )
            return nil
        }
        return number
    }

    mutating func count(_ name: String) -> Int? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let count = value.intValue, count >= 1 else {
            fault(name, "invalid_value", "\(name) must be a whole number from 1")
            return nil
        }
        return count
    }

    /// The end user, which SDKs send as a string and this platform's clients as a number.
    mutating func user() -> String? {
        if let number = object["user"]?.intValue { return String(number) }
        return text("user", 1...256)
    }

    /// A word that becomes a part of a key.
    mutating func name(_ name: String, _ longest: Int) -> String? {
        guard let value = object[name], !value.isNull else { return nil }
        let text = value.intValue.map(String.init) ?? value.stringValue ?? ""
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 58, 95: true
            default: false
            }
        }
        guard (1...longest).contains(text.utf8.count), isPlain else {
            fault(
                name,
                "invalid_value",
                "\(name) must have 1 to \(longest) letters, digits, '-', '_', '.' or ':'"
            )
            return nil
        }
        return text
    }

    /// A JSON Schema for the answer and its name, from `response_format`.
    mutating func format() -> (JSON?, String?) {
        guard let format = object["response_format"], !format.isNull else { return (nil, nil) }
        switch format["type"]?.stringValue {
        case "text": return (nil, nil)
        case "json_schema":
            let given = format["json_schema"]
            guard let schema = given?["schema"], schema.objectValue != nil,
                let name = given?["name"]?.stringValue
            else {
                let path = "response_format.json_schema"
                fault(path, "invalid_value", "\(path) must have a name and a schema")
                return (nil, nil)
            }
            return (schema, name)
        default:
            fault(
                "response_format.type",
                "unsupported_value",
                "response_format.type must be text or json_schema"
            )
            return (nil, nil)
        }
    }

    /// What would change the answer's sense if it were left out is refused rather than ignored.
    mutating func refuseUnsupported() {
        for name in ["tools", "functions", "modalities", "audio", "stop"] {
            guard let value = object[name], !value.isNull, value.arrayValue?.isEmpty != true else { continue }
            if name == "modalities", value == ["text"] { continue }
            fault(name, "unsupported_parameter", "\(name) is not supported here; leave it out")
        }
        if let count = object["n"], !count.isNull, count.intValue != 1 {
            fault("n", "unsupported_value", "n must be 1 here: one answer a request")
        }
        if object["logprobs"]?.boolValue == true {
            fault("logprobs", "unsupported_parameter", "logprobs is not supported here; leave it out")
        }
    }
}
