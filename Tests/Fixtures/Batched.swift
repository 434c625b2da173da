import FunctionCore

/// Asks the model once for all events together; one whose body is `"bad"` fails alone.
struct BatchedFunction: BatchFunction {
    func handle(_ events: [Event], _ context: Context) async throws -> [Result<Reply, FunctionError>] {
        let texts = events.map(\.body.text)
        if texts.contains("all") { throw FunctionError(code: "all", message: "none of them") }
        let request = CompletionRequest(
            messages: [ChatMessage(role: "user", content: texts.joined(separator: "\n"))]
        )
        _ = try await context.bindings.text.complete(request)
        if texts.contains("few") { return [] }
        return texts.enumerated().map { index, text in
            if text == "bad" { return .failure(.badRequest("bad", "this one alone")) }
            if text == "large" { return .success(Reply(body: Bytes(Array(repeating: 65, count: 300_000)))) }
            return .success(
                .json(
                    [
                        "text": .string(text), "index": .integer(Int64(index)),
                        "batch": .string(context.invocation),
                    ],
                    status: 201
                )
            )
        }
    }
}
