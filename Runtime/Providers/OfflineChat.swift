import FunctionCore

/// `POST /v1/chat/completions` of the offline provider: finds out what is asked, lets it be written, and
/// wraps it up.
struct OfflineChat {
    static let model = "offline-1"

    private let json: JSON
    private let headers: [Header]
    private let created: Int64
    private let wordPause: Duration
    private let messages: [ChatMessage]
    private let id: String

    init(_ json: JSON, headers: [Header], created: Int64, wordPause: Duration) {
        self.json = json
        self.headers = headers
        self.created = created
        self.wordPause = wordPause
        self.messages = (json["messages"]?.arrayValue ?? []).compactMap(OfflineChat.message)
        var seed = OfflineSeed(json.text)
        self.id = "chatcmpl-offline-\(String(seed.next(), radix: 36))"
    }

    func answer() -> OfflineAnswer {
        guard json["model"]?.stringValue != nil else {
            return .error(400, "you must provide a model parameter", parameter: "model")
        }
        guard !messages.isEmpty else {
            return .error(400, "messages must hold at least one message.", parameter: "messages")
        }
        let format = json["response_format"]
        let schemaName = format?["json_schema"]?["name"]?.stringValue
        // In a conversation an old message must not fail every later one; a document's brief may stand in any
        // message.
        let last = lastUserText
        let steering = schemaName == nil ? last : messages.map(\.content).joined(separator: "\n")
        let fault = OfflineFault.asked(headers: headers, prompt: steering)
        if let answer = fault?.answer { return answer }
        let isRepair = last.lowercased().contains("repair")
        var text = written(schemaName: schemaName, format: format)
        var finish = "stop"
        switch fault {
        case .badJSON?: text = String(text.prefix(text.count / 2))
        case .badJSONOnce? where !isRepair: text = String(text.prefix(text.count / 2))
        case .length?:
            text = String(text.prefix(text.count / 2))
            finish = "length"
        default: break
        }
        if let limit = json["max_completion_tokens"]?.intValue ?? json["max_tokens"]?.intValue,
            OfflineText.tokens(text) > limit
        {
            text = String(text.prefix(limit * 4))
            finish = "length"
        }
        return json["stream"]?.boolValue == true ? streamed(text, finish, fault) : whole(text, finish)
    }

    private func written(schemaName: String?, format: JSON?) -> String {
        switch schemaName {
        case "script":
            if let script = OfflineScript(messages) { return script.document().text }
        case "mottos":
            if let mottos = OfflineMottos(messages) { return mottos.document().text }
        default: break
        }
        if let schema = format?["json_schema"]?["schema"] {
            var filler = OfflineSchemaFiller(prompt: lastUserText)
            return filler.value(of: schema).text
        }
        if format?["type"]?.stringValue == "json_object" {
            let words = OfflineText.keywords(lastUserText).map { JSON.string($0) }
            return JSON.object(["answer": .string("offline"), "keywords": .array(words)]).text
        }
        return OfflineConversation(messages).reply()
    }

    // MARK: - Wrapping

    private func usage(_ text: String) -> JSON {
        let prompt = Int64(messages.reduce(0) { $0 + OfflineText.tokens($1.content) + 4 })
        let completion = Int64(OfflineText.tokens(text))
        return [
            "prompt_tokens": .integer(prompt),
            "completion_tokens": .integer(completion),
            "total_tokens": .integer(prompt + completion),
        ]
    }

    private func whole(_ text: String, _ finish: String) -> OfflineAnswer {
        .json([
            "id": .string(id),
            "object": "chat.completion",
            "created": .integer(created),
            "model": .string(OfflineChat.model),
            "system_fingerprint": "offline",
            "choices": [
                [
                    "index": 0,
                    "message": ["role": "assistant", "content": .string(text), "refusal": nil],
                    "logprobs": nil,
                    "finish_reason": .string(finish),
                ]
            ],
            "usage": usage(text),
        ])
    }

    private func streamed(_ text: String, _ finish: String, _ fault: OfflineFault?) -> OfflineAnswer {
        let withUsage = json["stream_options"]?["include_usage"]?.boolValue == true
        var events = [event(["role": "assistant", "content": ""], nil, withUsage)]
        var pieces = OfflineChat.pieces(text)
        if fault == .midStream || fault == .cut { pieces = Array(pieces.prefix(max(1, pieces.count / 2))) }
        for piece in pieces { events.append(event(["content": .string(piece)], nil, withUsage)) }
        if fault == .midStream {
            events.append(
                "data: {\"error\":{\"message\":\"broke off, as asked\",\"type\":\"server_error\"}}\n\n"
            )
        }
        if fault != .midStream, fault != .cut {
            events.append(event([:], finish, withUsage))
            if withUsage {
                var last = envelope
                last["choices"] = []
                last["usage"] = usage(text)
                events.append("data: \(JSON.object(last).text)\n\n")
            }
            events.append("data: [DONE]\n\n")
        }
        return OfflineAnswer(headers: [.eventStream], body: .events(events, pause: wordPause))
    }

    private var envelope: JSONObject {
        [
            "id": .string(id),
            "object": "chat.completion.chunk",
            "created": .integer(created),
            "model": .string(OfflineChat.model),
            "system_fingerprint": "offline",
        ]
    }

    private func event(_ delta: JSON, _ finish: String?, _ withUsage: Bool) -> String {
        var chunk = envelope
        chunk["choices"] = [
            [
                "index": 0, "delta": delta, "logprobs": nil,
                "finish_reason": finish.map { .string($0) } ?? .null,
            ]
        ]
        if withUsage { chunk["usage"] = .null }
        return "data: \(JSON.object(chunk).text)\n\n"
    }

    /// The text word by word; each piece but the first begins with the space before it.
    static func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        for character in text {
            if character.isWhitespace, piece.contains(where: { !$0.isWhitespace }) {
                pieces.append(piece)
                piece = ""
            }
            piece.append(character)
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }

    private var lastUserText: String {
        messages.last { $0.role == "user" }?.content ?? messages.last?.content ?? ""
    }

    /// A message whose content is a text, or a list of parts of which the texts count.
    private static func message(_ json: JSON) -> ChatMessage? {
        guard let role = json["role"]?.stringValue else { return nil }
        switch json["content"] {
        case .string(let text): return ChatMessage(role: role, content: text)
        case .array(let parts):
            let texts = parts.compactMap { $0["text"]?.stringValue }
            return ChatMessage(role: role, content: texts.joined(separator: "\n"))
        default: return ChatMessage(role: role, content: "")
        }
    }
}
