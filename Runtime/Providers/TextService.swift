import Fetch
import FunctionCore
import Invocations

/// The binding `text`: language models by the chat completions dialect.
package struct TextService: BindingService {
    package let binding = "text"
    /// The most that a whole reply may be.
    private static let replyLimit = 8 * 1024 * 1024
    private let client: ProviderClient

    package init(_ client: ProviderClient) {
        self.client = client
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        switch call.method {
        case "complete": try await complete(call, answer)
        case "stream": try await stream(call, answer)
        default: throw call.unknownMethod(of: binding)
        }
    }

    private func complete(_ call: BindingCall, _ answer: any BindingAnswering) async throws {
        let request = try call.decode(CompletionRequest.self)
        try ChatDialect.check(request)
        let endpoint = client.endpoint
        let completion = try await client.post(
            "/chat/completions",
            ChatDialect.body(request, model: endpoint.model, stream: false),
            for: call.origin,
            responseLimit: TextService.replyLimit
        ) { response in
            let offline = endpoint.offline || client.isOffline(response)
            let body = try await response.body.collect()
            return try ChatDialect.completion(body, offline: offline, secret: endpoint.apiKey)
        }
        call.origin.facts.tell(model: completion.model, completion.usage)
        try answer.send(encoding: completion)
    }

    /// Until the first text a failure is retried unseen; after it, what is written stays written and the rest
    /// fails.
    private func stream(_ call: BindingCall, _ answer: any BindingAnswering) async throws {
        let request = try call.decode(CompletionRequest.self)
        try ChatDialect.check(request)
        let endpoint = client.endpoint
        var reader = try await client.post(
            "/chat/completions",
            ChatDialect.body(request, model: endpoint.model, stream: true),
            for: call.origin,
            responseLimit: TextService.replyLimit
        ) { response in
            var reader = ChunkReader(response, secret: endpoint.apiKey)
            try await reader.begin()
            return (reader: reader, offline: endpoint.offline || client.isOffline(response))
        }
        let head = CompletionHead(model: reader.reader.model, offline: reader.offline)
        try answer.send(encoding: head)
        do {
            while let text = try await reader.reader.next() {
                if !text.isEmpty { try await answer.write(Bytes(text)) }
            }
            call.origin.facts.tell(model: head.model, reader.reader.usage)
        } catch let failure as ProviderFailure {
            throw failure.error
        } catch let error as FetchError {
            if error.code == .cancelled { throw CancellationError() }
            throw ProviderFailure(error).error
        }
    }
}

extension CallFacts {
    /// What model answered, and of how many tokens.
    fileprivate func tell(model: String, _ usage: TokenUsage?) {
        if !model.isEmpty { tell("gen_ai.response.model", .string(String(model.prefix(64)))) }
        guard let usage else { return }
        tell("gen_ai.usage.input_tokens", .integer(Int64(usage.prompt)))
        tell("gen_ai.usage.output_tokens", .integer(Int64(usage.completion)))
    }
}

/// The text of a streamed reply, event by event.
private struct ChunkReader: Sendable {
    private(set) var model = ""
    private(set) var usage: TokenUsage?
    private var pieces: InboundBody.Iterator
    private var parser = EventStreamParser()
    private var waiting: [ServerSentEvent] = []
    private var first: String?
    private var isComplete = false
    private let secret: String?

    init(_ response: InboundResponse, secret: String?) {
        self.pieces = response.body.makeAsyncIterator()
        self.secret = secret
    }

    /// Reads up to the first text, so that what fails before it can be asked for again.
    mutating func begin() async throws {
        var text: String?
        repeat { text = try await read() } while text == ""
        first = text
    }

    /// The next text, or nil at the end.
    /// - Throws: `ProviderFailure` for an error within the stream, or a stream that ends without saying so.
    mutating func next() async throws -> String? {
        if let text = first {
            first = nil
            return text
        }
        return try await read()
    }

    private mutating func read() async throws -> String? {
        while waiting.isEmpty {
            guard let piece = try await pieces.next() else {
                if isComplete { return nil }
                throw ProviderFailure.unreadable("the stream ended in the middle")
            }
            waiting = try parser.feed(piece)
        }
        let event = waiting.removeFirst()
        guard let chunk = try ChatDialect.chunk(event, secret: secret) else { return nil }
        if let name = chunk.model, model.isEmpty { model = name }
        if let told = chunk.usage { usage = told }
        if chunk.finishReason == "content_filter" { throw ProviderFailure(ProviderFailure.policy("")) }
        if chunk.finishReason != nil { isComplete = true }
        return chunk.text
    }
}
