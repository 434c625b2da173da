import FunctionCore

/// Requests and replies of `POST /chat/completions`.
package enum ChatDialect {
    /// The body of a request.
    package static func body(_ request: CompletionRequest, model: String, stream: Bool) -> JSON {
        var body: JSONObject = [
            "model": .string(request.model ?? model),
            "messages": .array(
                request.messages.map { ["role": .string($0.role), "content": .string($0.content)] }
            ),
        ]
        if let temperature = request.temperature { body["temperature"] = .number(temperature) }
        if let tokens = request.maxTokens { body["max_completion_tokens"] = .integer(Int64(tokens)) }
        if let user = request.user { body["safety_identifier"] = .string(user) }
        if let schema = request.schema {
            body["response_format"] = [
                "type": "json_schema",
                "json_schema": [
                    "name": .string(request.schemaName ?? "answer"),
                    "strict": true,
                    "schema": schema,
                ],
            ]
        }
        if stream {
            body["stream"] = true
            body["stream_options"] = ["include_usage": true]
        }
        return .object(body)
    }

    /// The faults of a request that no provider needs to see.
    package static func check(_ request: CompletionRequest) throws {
        var faults: [Fault] = []
        if request.messages.isEmpty {
            faults.append(Fault("messages", "required", "messages must hold at least one message"))
        }
        let roles: Set<String> = ["system", "developer", "user", "assistant"]
        for (index, message) in request.messages.enumerated() where !roles.contains(message.role) {
            let rule = "must be system, developer, user or assistant"
            faults.append(Fault("messages[\(index)].role", "enum", "messages[\(index)].role \(rule)"))
        }
        if let temperature = request.temperature, !(0...2).contains(temperature) {
            faults.append(Fault("temperature", "range", "temperature must be 0 to 2"))
        }
        if let tokens = request.maxTokens, tokens < 1 {
            faults.append(Fault("maxTokens", "range", "maxTokens must be at least 1"))
        }
        if let name = request.schemaName {
            let isPlain = name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
                    || $0 == 45
            }
            if !isPlain || !(1...64).contains(name.utf8.count) {
                faults.append(
                    Fault("schemaName", "pattern", "schemaName must be 1 to 64 letters, digits, _ or -")
                )
            }
        }
        if !faults.isEmpty { throw FunctionError.invalid(faults) }
    }

    /// Reads a whole reply.
    package static func completion(_ body: Bytes, offline: Bool, secret: String?) throws -> Completion {
        guard let json = try? JSON.parse(body) else { throw ProviderFailure.unreadable("it is no JSON") }
        if let error = json["error"], !error.isNull { throw ProviderFailure(event: error, secret: secret) }
        guard let choice = json["choices"]?[0], let message = choice["message"] else {
            throw ProviderFailure.unreadable("it has no choices")
        }
        if let refusal = message["refusal"]?.stringValue, !refusal.isEmpty {
            throw ProviderFailure(ProviderFailure.policy(refusal))
        }
        let finish = choice["finish_reason"]?.stringValue ?? "stop"
        guard let text = message["content"]?.stringValue else {
            if finish == "content_filter" { throw ProviderFailure(ProviderFailure.policy("")) }
            throw ProviderFailure.unreadable("its message has no content")
        }
        return Completion(
            text: text,
            finishReason: finish,
            model: json["model"]?.stringValue ?? "",
            offline: offline,
            usage: usage(json)
        )
    }

    /// What one event of a stream says.
    package struct Chunk: Sendable, Hashable {
        package var model: String?
        package var text: String
        package var finishReason: String?
        package var usage: TokenUsage?
    }

    /// Reads one event; nil for the end.
    package static func chunk(_ event: ServerSentEvent, secret: String?) throws -> Chunk? {
        guard event.data != "[DONE]" else { return nil }
        guard let json = try? JSON.parse(Bytes(event.data)) else {
            throw ProviderFailure.unreadable("an event is no JSON")
        }
        if let error = json["error"], !error.isNull { throw ProviderFailure(event: error, secret: secret) }
        let choice = json["choices"]?[0]
        let delta = choice?["delta"]
        return Chunk(
            model: json["model"]?.stringValue,
            text: delta?["content"]?.stringValue ?? delta?["refusal"]?.stringValue ?? "",
            finishReason: choice?["finish_reason"]?.stringValue,
            usage: usage(json)
        )
    }

    private static func usage(_ json: JSON) -> TokenUsage? {
        guard let usage = json["usage"], let prompt = usage["prompt_tokens"]?.intValue else { return nil }
        return TokenUsage(prompt: prompt, completion: usage["completion_tokens"]?.intValue ?? 0)
    }
}
