import FunctionCore

/// A stored conversation: the last messages of a list in Redis, each a JSON object.
struct Conversation: Sendable {
    /// How many messages are kept and told to the model.
    static let length = 40
    /// How much text of them, in bytes of UTF-8; the oldest are left out first.
    private static let budget = 64 * 1024

    private let key: String
    private let context: Context

    /// The conversation `id`; of the principal, where the trigger knows one, so that nobody reads another's
    /// by guessing.
    init(id: String, context: Context) {
        let owner = context.principal.map { "\($0)/" } ?? ""
        self.key = "chat:conversation:\(owner)\(id)"
        self.context = context
    }

    /// What was said so far, oldest first.
    /// - Throws: `FunctionError` 503 `redis_unavailable`: an answer without the history would mislead.
    func history() async throws -> [ChatMessage] {
        var messages: [ChatMessage] = []
        var size = 0
        for line in try await context.bindings.state.last(key, Conversation.length).reversed() {
            guard let entry = try? JSON.parse(Bytes(line)), let role = entry["role"]?.stringValue,
                let content = entry["content"]?.stringValue
            else {
                context.log.warning("a stored message is unreadable and left out", ["key": key])
                continue
            }
            size += content.utf8.count
            if size > Conversation.budget { break }
            messages.append(ChatMessage(role: role, content: content))
        }
        return messages.reversed()
    }

    /// Adds a question and its answer; tells whether both are stored.
    ///
    /// The reader has the answer already, so that a failure here is logged and no more.
    func append(_ question: ChatMessage, answer: String, interrupted: Bool) async -> Bool {
        let state = context.bindings.state
        do {
            try await state.append(
                key,
                line(question.role, question.content, false),
                keep: Conversation.length
            )
            try await state.append(key, line("assistant", answer, interrupted), keep: Conversation.length)
            return true
        } catch {
            context.log.error("the conversation could not be stored", ["error": "\(error)"])
            return false
        }
    }

    private func line(_ role: String, _ content: String, _ interrupted: Bool) -> String {
        var entry: JSONObject = [
            "role": .string(role), "content": .string(content), "time": .string(context.now.rfc3339),
            "invocation": .string(context.invocation),
        ]
        if interrupted { entry["interrupted"] = true }
        return JSON.object(entry).text
    }
}
