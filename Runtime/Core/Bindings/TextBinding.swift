/// One message of a conversation.
public struct ChatMessage: Sendable, Codable, Hashable {
    /// `system`, `user`, `assistant` or `developer`.
    public var role: String
    /// What was said.
    public var content: String

    /// A message.
    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// What a language model is asked.
public struct CompletionRequest: Sendable, Codable {
    /// The conversation so far.
    public var messages: [ChatMessage]
    /// The model; nil for the provider's own choice.
    public var model: String?
    /// 0 to 2; nil for the model's own.
    public var temperature: Double?
    /// The most tokens to write; nil for the model's own limit.
    public var maxTokens: Int?
    /// A JSON Schema that the answer must follow, in OpenAI's strict subset; nil for free text.
    public var schema: JSON?
    /// The schema's name, 1 to 64 letters, digits, `_` or `-`.
    public var schemaName: String?
    /// The end user, for a vendor's abuse control.
    public var user: String?

    /// A request.
    public init(
        messages: [ChatMessage],
        model: String? = nil,
        temperature: Double? = nil,
        maxTokens: Int? = nil,
        schema: JSON? = nil,
        schemaName: String? = nil,
        user: String? = nil
    ) {
        self.messages = messages
        self.model = model
        self.temperature = temperature
        self.maxTokens = maxTokens
        self.schema = schema
        self.schemaName = schemaName
        self.user = user
    }
}

/// Tokens used.
public struct TokenUsage: Sendable, Codable, Hashable {
    /// Tokens read.
    public var prompt: Int
    /// Tokens written.
    public var completion: Int

    /// A count.
    public init(prompt: Int, completion: Int) {
        self.prompt = prompt
        self.completion = completion
    }
}

/// What a language model answered.
public struct Completion: Sendable, Codable {
    /// The text.
    public var text: String
    /// `stop`, `length`, `content_filter`.
    public var finishReason: String
    /// The model that answered.
    public var model: String
    /// Whether the offline provider answered.
    public var offline: Bool
    /// Tokens used, where the provider said.
    public var usage: TokenUsage?

    /// An answer.
    public init(text: String, finishReason: String, model: String, offline: Bool, usage: TokenUsage?) {
        self.text = text
        self.finishReason = finishReason
        self.model = model
        self.offline = offline
        self.usage = usage
    }
}

/// The head of a streamed answer; its pieces of text follow.
public struct CompletionHead: Sendable, Codable {
    /// The model that answers.
    public var model: String
    /// Whether the offline provider answers.
    public var offline: Bool

    /// A head.
    public init(model: String, offline: Bool) {
        self.model = model
        self.offline = offline
    }
}

/// Language models, by OpenAI's chat completions dialect.
public struct TextBinding: Sendable {
    let caller: any BindingCaller

    /// Asks and waits for the whole answer.
    /// - Throws: `FunctionError`: `provider_unavailable` 503, `provider_rate_limited` 429, `content_policy`
    ///   422, `provider_refused` 502 for a request that the vendor rejects.
    public func complete(_ request: CompletionRequest) async throws -> Completion {
        try await caller.value("text", "complete", request)
    }

    /// Asks and reads the answer as it is written: the head first, then pieces of text as UTF-8 in whole
    /// characters.
    /// - Throws: as `complete`; a failure in the middle is thrown by the body.
    public func stream(_ request: CompletionRequest) async throws -> (head: CompletionHead, text: BindingBody)
    {
        let reply = try await caller.reply("text", "stream", request)
        return (try JSONCoder.decode(CompletionHead.self, from: reply.value), reply.body)
    }
}
