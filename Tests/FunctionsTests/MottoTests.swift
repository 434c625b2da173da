import FunctionCore
import Synchronization
import FunctionTesting
import Testing

@testable import Motto

@Suite(.timeLimit(.minutes(1)))
struct MottoTests {
    let world = FakeBindings()

    private func ask(_ body: JSON) async throws -> JSON {
        let event = Event(kind: .http, operation: "create", body: body.bytes())
        let reply = try await MottoFunction().handle(event, world.context("motto"))
        #expect(reply.status == 200)
        return try JSON.parse(reply.body)
    }

    /// A model that answers each round with the next of these lists.
    private func script(_ rounds: [[String]]) {
        world.onText { _, round in
            let lines = rounds[min(round, rounds.count) - 1].map { JSON.string($0) }
            let answer: JSON = ["mottos": .array(lines)]
            return Completion(text: answer.text, finishReason: "stop", model: "m", offline: true, usage: nil)
        }
    }

    @Test("mottos come with their length, the tone, the model, and whether the offline provider wrote them")
    func result() async throws {
        script([["Café at dawn.", "Beans before words.", "Steam, then sense."]])
        let answer = try await ask(["prompt": "coffee", "tone": "Calm"])
        let first: JSON = ["text": "Café at dawn.", "characters": 13]
        #expect(answer["mottos"]?[0] == first)
        #expect(answer["mottos"]?.arrayValue?.count == 3)
        #expect(answer["tone"] == "calm")
        #expect(answer["offline"] == true)
        #expect(answer["model"] == "m")
    }

    @Test("the model hears the tone's style, the schema's name, and the brief as its last message")
    func question() async throws {
        script([["One.", "Another thing.", "Third way out."]])
        _ = try await ask(["prompt": "tea", "tone": "bold", "max_characters": 40])
        let call = try #require(world.calls("text.complete").first)
        let request = try JSONCoder.decode(CompletionRequest.self, from: call.arguments)
        #expect(request.schemaName == "mottos")
        let last = try #require(request.messages.last)
        #expect(last.role == "user")
        let brief: JSON = ["prompt": "tea", "tone": "bold", "count": 3, "max_characters": 40, "avoid": []]
        #expect(try JSON.parse(Bytes(last.content)) == brief)
        #expect(request.messages[0].content.contains("Short imperatives"))
        #expect(request.messages[0].content.contains("at most 40 characters"))
    }

    @Test("every tone tells the model something else, so that texts differ between all pairs of tones")
    func tonesDiffer() async throws {
        // A model that can only go by what it is told: its text is a function of the whole question.
        world.onText { request in
            var hash = UInt64(7)
            for byte in request.messages[0].content.utf8 { hash = hash &* 31 &+ UInt64(byte) }
            let words = (0..<6).map { shift in String((hash >> UInt64(shift * 10)) & 0xFFFF, radix: 36) }
            return #"{"mottos": ["\#(words.joined(separator: " "))"]}"#
        }
        var texts: [String] = []
        for tone in Tone.catalogue {
            let answer = try await ask(["prompt": "rain", "tone": .string(tone.name), "count": 1])
            texts.append(try #require(answer["mottos"]?[0]?["text"]?.stringValue))
        }
        #expect(texts.count >= 12)
        for (place, text) in texts.enumerated() {
            for other in texts[..<place] { #expect(!MottoSelection.isAlike(text, other)) }
        }
    }

    @Test("the catalogue holds the twelve tones of the contract, each with rules, words and an example")
    func catalogue() {
        let wanted = [
            "bold", "calm", "playful", "poetic", "professional", "witty", "heroic", "minimalist", "romantic",
            "rebellious", "wise", "warm",
        ]
        for name in wanted { #expect(Tone.named(name.uppercased()) != nil, "\(name)") }
        #expect(Set(Tone.catalogue.map(\.style)).count == Tone.catalogue.count)
        #expect(Set(Tone.catalogue.map(\.example)).count == Tone.catalogue.count)
        #expect(Tone.catalogue.allSatisfy { !$0.words.isEmpty && $0.example.count <= 80 })
    }

    @Test("an unknown tone is refused with 422 and the names of all known ones")
    func unknownTone() async throws {
        let error = try await #require(throws: FunctionError.self) {
            _ = try await ask(["prompt": "x", "tone": "grumpy"])
        }
        #expect(error.status == 422)
        #expect(error.code == "unknown_tone")
        for tone in Tone.catalogue { #expect(error.message.contains(tone.name)) }
        #expect(world.calls.isEmpty)
    }

    @Test("all faults of an input are told at once")
    func faults() async throws {
        let error = try await #require(throws: FunctionError.self) {
            _ = try await ask(["prompt": "  ", "tone": 4, "count": 11, "max_characters": "wide"])
        }
        #expect(error.status == 422)
        #expect(error.faults.map(\.path) == ["prompt", "tone", "count", "max_characters"])
    }

    @Test(
        "what is too long or too like another is asked for again with the reason, and named as to be avoided"
    )
    func asksAgain() async throws {
        let long = String(repeating: "far too long ", count: 4)
        script([
            ["Rise with the tide.", "RISE with the tides!", long],
            ["Salt, rope, sun.", "Every wave knows us."],
        ])
        let answer = try await ask(["prompt": "sailing", "tone": "poetic", "max_characters": 30])
        let texts = answer["mottos"]?.arrayValue?.compactMap { $0["text"]?.stringValue }
        #expect(texts == ["Rise with the tide.", "Salt, rope, sun.", "Every wave knows us."])
        let calls = world.calls("text.complete")
        #expect(calls.count == 2)
        let request = try JSONCoder.decode(CompletionRequest.self, from: calls[1].arguments)
        let brief = try JSON.parse(Bytes(request.messages.last?.content ?? ""))
        #expect(brief["count"] == 4)
        #expect(brief["avoid"]?[0] == "Rise with the tide.")
        let problems = brief["problems"]?.arrayValue?.compactMap(\.stringValue).joined(separator: " ") ?? ""
        #expect(problems.contains("the most is 30"))
        #expect(problems.contains("too like another"))
    }

    @Test("a model that never keeps the rules is asked three times, then the answer is 502 with the reasons")
    func givesUp() async throws {
        script([["same line", "Same line.", "same, line"]])
        let error = try await #require(throws: FunctionError.self) {
            _ = try await ask(["prompt": "x", "tone": "wise"])
        }
        #expect(error.status == 502)
        #expect(error.code == "invalid_output")
        #expect(error.message.contains("1 of 3"))
        #expect(world.calls("text.complete").count == 3)
    }

    @Test("a failure of the provider reaches the caller as it is")
    func providerFails() async throws {
        world.fail(
            "text.complete",
            with: FunctionError(status: 429, code: "provider_rate_limited", message: "m")
        )
        let error = try await #require(throws: FunctionError.self) {
            _ = try await ask(["prompt": "x", "tone": "wise"])
        }
        #expect(error.code == "provider_rate_limited")
    }

    @Test(
        "a line is freed of what models put around a motto",
        arguments: [
            ("\"Stay wild.\"", "Stay wild."), ("“Stay wild.”", "Stay wild."), ("1. Stay wild.", "Stay wild."),
            ("2) \"Stay wild.\"", "Stay wild."), ("(3) Stay wild.", "Stay wild."),
            ("- Stay wild.", "Stay wild."),
            ("• Stay wild.", "Stay wild."), ("Motto: Stay wild.", "Stay wild."),
            ("Slogan 2: «Stay wild.»", "Stay wild."), ("**Stay wild.**", "Stay wild."),
            ("**Motto:** Stay wild.", "Stay wild."), ("1. **\"Stay wild.\"**", "Stay wild."),
            ("Stay   wild. ", "Stay wild."), ("🔥 Stay wild. 🔥", "Stay wild."),
            ("Here are your mottos:\nStay wild.", "Stay wild."), ("Stay wild.\nStay free.", "Stay wild."),
            ("`Stay wild.`", "Stay wild."), ("Tagline — Stay wild.", "Tagline — Stay wild."),
            ("'Tis the season.", "'Tis the season."), ("\"Yes\" and \"no\"", "\"Yes\" and \"no\""),
            ("24 hours of sun.", "24 hours of sun."), ("Time: our only rule.", "Time: our only rule."),
            ("Don't stop.", "Don't stop."), ("> Stay wild.", "Stay wild."),
        ]
    )
    func cleaned(dirty: String, clean: String) {
        #expect(MottoText.cleaned(dirty) == clean)
    }

    @Test(
        "a line without a motto gives none",
        arguments: ["", "  ", "\"\"", "🔥", "Here are three mottos:", "```json"]
    )
    func nothingThere(line: String) {
        #expect(MottoText.cleaned(line) == nil)
    }

    @Test(
        "an answer is read with or without the schema's shape",
        arguments: [
            #"{"mottos": ["A b", "C d"]}"#, #"{"mottos": [{"text": "A b"}, {"text": "C d"}]}"#,
            #"["A b", "C d"]"#,
            "```json\n{\"mottos\": [\"A b\", \"C d\"]}\n```", "Sure!\n{\"mottos\":[\"A b\",\"C d\"]}",
            "A b\nC d",
        ]
    )
    func candidates(answer: String) {
        #expect(MottoPrompt.candidates(in: answer) == ["A b", "C d"])
    }

    @Test("the distance of two texts is the least number of edits")
    func distance() {
        #expect(MottoSelection.distance(Array("kitten"), Array("sitting")) == 3)
        #expect(MottoSelection.distance([], Array("abc")) == 3)
        #expect(MottoSelection.distance(Array("abc"), []) == 3)
    }
}
