import FunctionCore

/// What all objects of one answer have in common, and their shapes.
struct ChatEnvelope: Sendable {
    var id: String
    /// Seconds since the epoch.
    var created: Int64
    var fingerprint: String

    /// A whole answer: `chat.completion`.
    func completion(_ completion: Completion, usage: ChatUsage) -> JSON {
        let message: JSON = ["role": "assistant", "content": .string(completion.text), "refusal": nil]
        let choice: JSON = [
            "index": 0, "message": message, "logprobs": nil,
            "finish_reason": .string(completion.finishReason),
        ]
        var object = head("chat.completion", model: completion.model, offline: completion.offline)
        object["choices"] = [choice]
        object["usage"] = usage.json
        return .object(object)
    }

    /// A piece of an answer: `chat.completion.chunk`.
    func chunk(_ delta: JSONObject, finish: String?, _ head: CompletionHead, withUsage: Bool) -> JSON {
        let choice: JSON = [
            "index": 0, "delta": .object(delta), "logprobs": nil,
            "finish_reason": finish.map { .string($0) } ?? .null,
        ]
        var object = self.head("chat.completion.chunk", model: head.model, offline: head.offline)
        object["choices"] = [choice]
        if withUsage { object["usage"] = .null }
        return .object(object)
    }

    /// The chunk after the last that says what the answer cost.
    func usageChunk(_ usage: ChatUsage, _ head: CompletionHead) -> JSON {
        var object = self.head("chat.completion.chunk", model: head.model, offline: head.offline)
        object["choices"] = []
        object["usage"] = usage.json
        return .object(object)
    }

    private func head(_ kind: String, model: String, offline: Bool) -> JSONObject {
        [
            "id": .string(id), "object": .string(kind), "created": .integer(created), "model": .string(model),
            "system_fingerprint": .string(fingerprint), "offline": .bool(offline),
        ]
    }
}

/// Tokens read and written: the provider's count, or an estimate where it gives none.
struct ChatUsage: Sendable {
    var prompt: Int
    var completion: Int
    var isEstimated: Bool

    /// The provider's count; without one, four bytes of UTF-8 count as a token and a message costs four more.
    init(_ usage: TokenUsage?, messages: [ChatMessage], text: String) {
        prompt = usage?.prompt ?? messages.reduce(3) { $0 + 4 + ChatUsage.tokens($1.content) }
        completion = usage?.completion ?? ChatUsage.tokens(text)
        isEstimated = usage == nil
    }

    private static func tokens(_ text: String) -> Int { (text.utf8.count + 3) / 4 }

    /// The dialect's object; an estimate says that it is one.
    var json: JSON {
        var object: JSONObject = [
            "prompt_tokens": .integer(Int64(prompt)), "completion_tokens": .integer(Int64(completion)),
            "total_tokens": .integer(Int64(prompt + completion)),
        ]
        if isEstimated { object["estimated"] = true }
        return .object(object)
    }
}
