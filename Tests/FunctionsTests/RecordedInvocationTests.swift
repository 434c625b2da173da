import FunctionCore
import FunctionTesting
import Recordings
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RecordedInvocationTests {
    /// Asks a model twice, whole and as a stream, and fails with what it saw.
    private struct Teller: AsyncFunction {
        func handle(_ event: Event, _ context: Context) async throws -> Reply {
            var random = context.random
            let lot = Int.random(in: 0..<1_000_000, using: &random)
            let question = CompletionRequest(messages: [ChatMessage(role: "user", content: event.body.text)])
            let answer = try await context.bindings.text.complete(question)
            var streamed = ""
            for try await piece in try await context.bindings.text.stream(question).text {
                streamed += piece.text
            }
            let key = context.environment["SHOP_KEY"] ?? "none"
            let saw = "\(answer.text) \(streamed) \(lot) at \(context.now.rfc3339) by \(key)"
            guard event.operation == "tell" else { throw FunctionError(code: "told", message: saw) }
            return .text(saw)
        }
    }

    private static let recorded = Instant(seconds: 1_795_003_200)
    private static let question = #"{"messages":[{"role":"user","content":"rain"}]}"#

    /// What a host keeps of a `Teller` that was asked about rain, as a file.
    private func file(
        _ operation: String = "",
        question: String = RecordedInvocationTests.question,
        told: String = "wet drip drop"
    ) throws -> Bytes {
        var random = InvocationRandom(seed: 7)
        let lot = Int.random(in: 0..<1_000_000, using: &random)
        let saw = "\(told) \(lot) at 2026-11-18T12:00:00Z by [redacted]"
        let isReply = operation == "tell"
        var recording = Recording(
            id: "inv-1",
            function: "teller",
            trigger: "http",
            attempt: 2,
            depth: 0,
            principal: nil,
            fencingToken: nil,
            trace: .begin(),
            recorded: RecordedInvocationTests.recorded,
            event: Event(operation: operation, body: "rain"),
            environment: ["SHOP_KEY"],
            limits: [:],
            remaining: .seconds(20),
            seed: 7,
            outcome: isReply
                ? RecordedOutcome(label: "ok", error: nil)
                : RecordedOutcome(label: "failed", error: FunctionError(code: "told", message: saw))
        )
        let tape = Tape(since: .now)
        let asked = try JSONCoder.decode(CompletionRequest.self, from: Bytes(question))
        func call(_ method: String) throws -> Int {
            let arguments = try JSONCoder.encode(asked)
            return tape.began(
                RecordedCall(binding: "text", method: method, arguments: arguments, body: Bytes())
            )
        }
        let completion = Completion(text: "wet", finishReason: "stop", model: "m", offline: true, usage: nil)
        let whole = try call("complete")
        tape.value(try JSONCoder.encode(completion), of: whole)
        tape.ended(whole)
        let stream = try call("stream")
        tape.value(try JSONCoder.encode(CompletionHead(model: "m", offline: true)), of: stream)
        for piece in ["drip ", "drop"] { tape.piece(Bytes(piece), of: stream) }
        tape.ended(stream)
        tape.read(RecordedInvocationTests.recorded)
        if isReply {
            let reply = Reply.text(saw)
            tape.replied(reply.status, reply.headers)
            tape.replied(reply.body.array)
        }
        tape.write(to: &recording)
        return try JSONCoder.encode(recording)
    }

    private func teller(key: String = "key-of-the-shop") throws -> FunctionTest {
        try FunctionTest(FunctionEntry("teller", Teller.self), environment: ["SHOP_KEY": key])
    }

    @Test("a recording is run again in process, with its clock, its random numbers and its answers")
    func same() async throws {
        for operation in ["", "tell"] {
            let recorded = try RecordedInvocation(try file(operation))
            let replay = try await teller().replay(recorded)
            #expect(replay.differences == [])
            #expect(replay.error?.code == (operation == "tell" ? nil : "told"))
            #expect((replay.reply?.text ?? replay.error?.message)?.hasPrefix("wet drip drop") == true)
        }
    }

    @Test("what the handler does otherwise now is told: which call, which error, where in the reply")
    func differences() async throws {
        let asked = Self.question.replacing("rain", with: "snow")
        let other = try await teller().replay(RecordedInvocation(try file(question: asked)))
        let told =
            "text.complete is called with other arguments: `messages[0].content` is \"rain\", it was \"snow\""
        #expect(other.differences.contains(told), "\(other.differences)")
        #expect(other.error?.code == "replay_diverged")
        let changed = try await teller().replay(RecordedInvocation(try file(told: "dry")))
        #expect(
            changed.differences.count == 1 && changed.differences[0].contains("the error's message is wet")
        )
        // No value where the recording had one: said beside what came of it.
        let bare = try FunctionTest(FunctionEntry("teller", Teller.self))
        let without = try await bare.replay(RecordedInvocation(try file("tell")))
        #expect(without.differences.last?.contains("SHOP_KEY") == true, "\(without.differences)")
    }

    /// Doubles each number, and refuses what is none.
    private struct Doubler: BatchFunction {
        func handle(_ events: [Event], _ context: Context) async throws -> [Result<Reply, FunctionError>] {
            events.map { event in
                Int(event.body.text).map { .success(.text("\($0 * 2)")) }
                    ?? .failure(.badRequest("no_number", "none"))
            }
        }
    }

    @Test("a batch is run again as a whole, and each result is compared")
    func batch() async throws {
        let test = try FunctionTest(FunctionEntry("doubler", Doubler.self))
        let results = try await test.invoke(batch: [Event(body: "2"), Event(body: "x")])
        #expect(results.count == 2)
        for (second, isSame) in [("x", true), ("3", false)] {
            var recording = try Recording(try file())
            recording.function = "doubler"
            recording.event = RecordedEvent(batch: [Event(body: "2"), Event(body: Bytes(second))])
            recording.outcome = RecordedOutcome(label: "ok", error: nil)
            (recording.tape, recording.clock) = ([], [])
            let tape = Tape(since: .now)
            tape.replied(200, [])
            let recorded: [Result<Reply, FunctionError>] = [
                .success(.text("4")), .failure(.badRequest("no_number", "none")),
            ]
            tape.replied(RecordedBatch.body(of: recorded).array)
            tape.write(to: &recording)
            let replay = try await test.replay(RecordedInvocation(try JSONCoder.encode(recording)))
            #expect(replay.differences.isEmpty == isSame, "\(replay.differences)")
        }
    }

    @Test("a recorded provider answers fresh events, in its order, failures too")
    func played() async throws {
        let test = try FunctionTest(FunctionEntry("teller", Teller.self), grants: ["text"])
        try test.world.play(RecordedInvocation(try file()))
        let reply = try await test.invoke(Event(operation: "tell", body: "something else"))
        #expect(reply.text.hasPrefix("wet drip drop"))
        #expect(test.world.calls.count == 2)
        let error = try await #require(throws: FunctionError.self) { try await test.invoke() }
        #expect(error.code == "script_ended")
        let none = #expect(throws: FunctionError.self) {
            try test.world.play(RecordedInvocation(file()), "images")
        }
        #expect(none?.message.contains("it has text.complete, text.stream") == true)
    }

    @Test("a file that is no recording, or one of another function, is refused in words")
    func refused() async throws {
        #expect(throws: FunctionError.self) { try RecordedInvocation("{}") }
        let missing = #expect(throws: FunctionError.self) { try RecordedInvocation(file: "/nowhere.json") }
        #expect(missing?.message.contains("swiftlet export ID > /nowhere.json") == true)
        let other = try FunctionTest(FunctionEntry("asker", Teller.self))
        let error = try await #require(throws: FunctionError.self) {
            try await other.replay(RecordedInvocation(file()))
        }
        #expect(error.message.contains("of teller, and this is a test of asker"))
    }
}
