import FunctionCore

/// A chat completion request, checked: an instance keeps all rules.
struct ChatRequest: Sendable {
    var model: String?
    var messages: [ChatMessage]
    var stream: Bool
    var includeUsage: Bool
    var temperature: Double?
    var maxTokens: Int?
    var schema: JSON?
    var schemaName: String?
    var user: String?
    /// The stored conversation that the last message continues; nil for a stateless request.
    var conversation: String?
    /// Whose instructions apply.
    var bot: String

    /// What continues a conversation: the request's last user message.
    var question: ChatMessage? { messages.last { $0.role == "user" } }

    /// Reads the request's object.
    ///
    /// - Throws: `FunctionError` 400, as the dialect has it, with every fault at once.
    init(_ object: JSON) throws {
        var reader = ChatReader(object)
        messages = reader.messages()
        model = reader.text("model", 1...200)
        stream = reader.flag(object["stream"], "stream")
        includeUsage = reader.flag(object["stream_options"]?["include_usage"], "stream_options.include_usage")
        temperature = reader.number("temperature", 0...2)
        maxTokens = reader.count("max_completion_tokens") ?? reader.count("max_tokens")
        (schema, schemaName) = reader.format()
        user = reader.user()
        conversation = reader.name("conversation", 128)
        bot = reader.name("bot", 64) ?? "default"
        reader.refuseUnsupported()
        if conversation != nil, !messages.isEmpty, !messages.contains(where: { $0.role == "user" }) {
            reader.fault(
                "messages",
                "missing_user_message",
                "with conversation, messages needs a user message"
            )
        }
        try reader.check()
    }
}
