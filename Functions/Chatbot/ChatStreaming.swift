import FunctionCore

/// Writes one answer as server-sent events or messages, a chunk for each piece that the model sends.
///
/// Nothing is sent before the model has begun, so that its refusal still has a status of its own. After that
/// a failure is an event with an `error`, which is what the dialect's clients look for, and the stream ends
/// without `[DONE]`.
struct ChatStreaming: Sendable {
    var chat: PreparedChat
    var context: Context
    /// The reader is connected by WebSocket: a chunk is a message.
    var isSocket = false

    func run(_ reply: ReplyStream) async throws {
        let head: CompletionHead
        let pieces: BindingBody
        do {
            (head, pieces) = try await context.bindings.text.stream(chat.completion)
        } catch let error as FunctionError {
            return try await reply.send(ChatFailure(error).reply())
        }
        var text = ""
        do {
            try await write(pieces, head, to: reply, into: &text)
        } catch {
            await keepPartial(text)
            guard let failure = error as? FunctionError else { throw error }
            context.log.error("the answer broke off", ["code": failure.code, "characters": "\(text.count)"])
            try await say(ChatFailure(failure).json.text, reply)
            return
        }
        // Before the last chunk: whoever reads it may send the next message at once.
        if let conversation = chat.conversation, let question = chat.request.question {
            _ = await conversation.append(question, answer: text, interrupted: false)
        }
        try await finish(text, head, reply)
    }

    private func write(
        _ pieces: BindingBody,
        _ head: CompletionHead,
        to reply: ReplyStream,
        into text: inout String
    ) async throws {
        try reply.start(
            headers: [
                .eventStream, Header("cache-control", "no-store"), Header("x-accel-buffering", "no"),
                chat.instructions.header,
            ]
        )
        try await send(["role": "assistant", "content": ""], nil, head, reply)
        for try await piece in pieces {
            // The bound on what a worker holds for one answer; the model's own limit lies far below.
            guard text.utf8.count + piece.count <= 4 << 20 else {
                throw FunctionError(status: 502, code: "answer_too_long", message: "the answer exceeds 4 MiB")
            }
            if context.isCancelled { throw CancellationError() }
            if piece.isEmpty { continue }
            text += piece.text
            try await send(["content": .string(piece.text)], nil, head, reply)
        }
    }

    private func finish(_ text: String, _ head: CompletionHead, _ reply: ReplyStream) async throws {
        try await send([:], "stop", head, reply)
        if chat.request.includeUsage {
            let usage = ChatUsage(nil, messages: chat.messages, text: text)
            try await say(chat.envelope.usageChunk(usage, head).text, reply)
        }
        try await say("[DONE]", reply)
    }

    private func say(_ text: String, _ reply: ReplyStream) async throws {
        if isSocket {
            try await reply.write(Bytes(text))
        } else {
            try await reply.event(text)
        }
    }

    private func send(
        _ delta: JSONObject,
        _ finish: String?,
        _ head: CompletionHead,
        _ reply: ReplyStream
    ) async throws {
        let chunk = chat.envelope.chunk(delta, finish: finish, head, withUsage: chat.request.includeUsage)
        try await say(chunk.text, reply)
    }

    /// What the reader has seen stays in the conversation, marked as interrupted.
    private func keepPartial(_ text: String) async {
        guard !text.isEmpty, let conversation = chat.conversation, let question = chat.request.question else {
            return
        }
        // A task of its own: this one is cancelled where the reader has gone, and its calls would be given
        // up.
        let saving = Task { await conversation.append(question, answer: text, interrupted: true) }
        _ = await saving.value
    }
}
