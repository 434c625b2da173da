import FunctionCore

/// Does all that a replay has to bring back, and fails, crashes, or replies with what it saw.
///
/// It reads the clock, draws numbers, asks a model whole and as a stream beside each other, and counts in Redis.
struct DrawFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        let begin = context.now
        var random = context.random
        let lots = (0..<5).map { _ in Int.random(in: 0..<1_000_000, using: &random) }
        let bindings = context.bindings
        let question = CompletionRequest(
            messages: [ChatMessage(role: "user", content: "\(settings.text("prompt")) \(lots[0])")]
        )
        async let answer = bindings.text.complete(question)
        async let streamed = Self.stream(question, bindings)
        let count = try await bindings.state.increment("draws")
        let refusal = await Self.refused(bindings)
        let texts = try await [answer.text, streamed]
        var saw: JSONObject = [
            "begin": .integer(begin.nanoseconds), "end": .integer(context.now.nanoseconds),
            "lots": .array(lots.map { .integer(Int64($0)) }), "count": .integer(Int64(count)),
            "texts": .array(texts.map { .string($0) }), "refusal": .string(refusal),
            "invocation": .string(context.invocation), "trace": .string(context.trace.traceID),
            "echo": .string(event.request?.headers.first("authorization") ?? settings.text("echo")),
        ]
        // What no recording has.
        if settings.text("own") == "number" { saw["own"] = .integer(.random(in: 1_000_000..<10_000_000)) }
        if settings.text("own") == "coin" {
            saw["own"] = .string(String(UInt64.random(in: 0 ... .max), radix: 36))
        }
        if settings.text("end") == "crash" { fatalError("told to crash") }
        if settings.text("end") == "fail" {
            throw FunctionError(code: "drawn", message: JSON.object(saw).text)
        }
        return .json(.object(saw))
    }

    private static func stream(_ question: CompletionRequest, _ bindings: Bindings) async throws -> String {
        var text = ""
        for try await piece in try await bindings.text.stream(question).text { text += piece.text + "|" }
        return text
    }

    private static func refused(_ bindings: Bindings) async -> String {
        do {
            _ = try await bindings.documents.get("nothing", "nobody")
            return "there"
        } catch {
            return "\(error)"
        }
    }
}
