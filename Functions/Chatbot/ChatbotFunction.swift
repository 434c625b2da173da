import FunctionCore

/// A chat bot in OpenAI's dialect: whole or as server-sent events, stateless or with a stored conversation.
///
/// By WebSocket each message is a request, and each chunk of its answer a message, the last one `[DONE]`.
///
/// The bot's instructions are read from Redis at every reply, so that a change shows in the next one.
public struct ChatbotFunction: StreamingFunction {
    /// What each worker remembers of instructions, for when Redis is away.
    private let shelf = InstructionShelf()

    /// Remembers no instructions yet.
    public init() {}

    /// Answers a chat completion request.
    ///
    /// Errors have OpenAI's shape, with OpenAI's statuses.
    public func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        // Everybody may come, and nothing is kept of who leaves.
        if let connection = event.connection, connection.phase != .message { return }
        let answer: PreparedChat
        do {
            answer = try await prepare(event, context)
        } catch let error as FunctionError {
            return try await reply.send(ChatFailure(error).reply())
        }
        if answer.request.stream {
            let isSocket = event.connection != nil
            try await ChatStreaming(chat: answer, context: context, isSocket: isSocket).run(reply)
        } else {
            try await reply.send(whole(answer, context))
        }
    }

    private func prepare(_ event: Event, _ context: Context) async throws -> PreparedChat {
        var request = try ChatRequest(event.object())
        if event.connection != nil { request.stream = true }
        let instructions = try await shelf.instructions(of: request.bot, in: context)
        var messages: [ChatMessage] = []
        if !instructions.text.isEmpty {
            messages.append(ChatMessage(role: "system", content: instructions.text))
        }
        var conversation: Conversation?
        if let id = request.conversation, let question = request.question {
            let stored = Conversation(id: id, context: context)
            messages += try await stored.history() + [question]
            conversation = stored
        } else {
            messages += request.messages
        }
        return PreparedChat(
            request: request,
            instructions: instructions,
            messages: messages,
            conversation: conversation,
            envelope: ChatEnvelope(
                id: "chatcmpl-\(context.invocation)",
                created: context.now.seconds,
                fingerprint: instructions.fingerprint
            )
        )
    }

    private func whole(_ chat: PreparedChat, _ context: Context) async throws -> Reply {
        let completion: Completion
        do {
            completion = try await context.bindings.text.complete(chat.completion)
        } catch let error as FunctionError {
            return ChatFailure(error).reply()
        }
        var headers = [chat.instructions.header]
        if let conversation = chat.conversation, let question = chat.request.question {
            let isSaved = await conversation.append(question, answer: completion.text, interrupted: false)
            headers.append(Header("x-conversation", isSaved ? "saved" : "unsaved"))
        }
        let usage = ChatUsage(completion.usage, messages: chat.messages, text: completion.text)
        return .json(chat.envelope.completion(completion, usage: usage), headers: headers)
    }
}

/// A request with all that is needed to ask the model.
struct PreparedChat: Sendable {
    var request: ChatRequest
    var instructions: Instructions
    /// What the model is told: instructions, history, question.
    var messages: [ChatMessage]
    var conversation: Conversation?
    var envelope: ChatEnvelope

    /// The question to the model.
    var completion: CompletionRequest {
        CompletionRequest(
            messages: messages,
            model: request.model,
            temperature: request.temperature,
            maxTokens: request.maxTokens,
            schema: request.schema,
            schemaName: request.schemaName,
            user: request.user
        )
    }
}
