import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("Personas, mottos and chats", .serialized, .devHost(), .timeLimit(.minutes(1)))
    struct MediaTests {
        @Test("twenty creates of one name at once make one picture, and all get that one by a URL of 60 s")
        func persona() async throws {
            let host = try sharedHost()
            let body: JSON = ["name": "Captain Ada", "prompt": "a calm lighthouse keeper", "tone": "bold"]
            let answers = try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await host.post("/v1/personas", body) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 201 } == 1, "\(answers.map(\.status))")
            #expect(answers.count { $0.status == 200 } == 19)
            let pictures = Set(answers.compactMap { $0.json["image"]?["sha256"]?.stringValue })
            #expect(pictures.count == 1)
            #expect(answers.allSatisfy { $0.json["versions"]?.arrayValue?.count == 1 })
            let mottos = host.log("invocation", of: "motto").count
            #expect(mottos == 1, "the motto's model was asked \(mottos) times")
            let got = try await host.get("/v1/personas/Captain%20Ada")
            let image = try #require(got.json["image"], "\(got.text)")
            #expect(image["sha256"]?.stringValue == pictures.first)
            #expect(
                got.json["motto"]?.stringValue?.isEmpty == false && got.json["offline"] == true,
                "\(got.text)"
            )
            let url = try #require(image["url"]?.stringValue)
            let picture = try await host.get(url)
            #expect(picture.status == 200 && picture.headers.first("content-type") == "image/png")
            #expect(picture.body.array.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            try await host.clock(["advance": 61])
            #expect(try await host.get(url).status == 403)
            #expect(try await host.get("/v1/personas/Nobody").status == 404)
        }

        @Test(
            "the tone changes a motto's words, and a tone that nobody knows is refused with those that are known"
        )
        func motto() async throws {
            let host = try sharedHost()
            var texts: Set<[String]> = []
            for tone in ["calm", "witty", "bold"] {
                let body: JSON = [
                    "prompt": "a lighthouse", "tone": .string(tone), "count": 2, "max_characters": 60,
                ]
                let answer = try await host.post("/v1/mottos", body)
                #expect(answer.status == 200, "\(answer.text)")
                let mottos = (answer.json["mottos"]?.arrayValue ?? []).compactMap { $0["text"]?.stringValue }
                #expect(mottos.count == 2 && mottos.allSatisfy { $0.count <= 60 }, "\(mottos)")
                #expect(answer.json["offline"] == true && answer.json["tone"]?.stringValue == tone)
                texts.insert(mottos)
            }
            #expect(texts.count == 3, "\(texts)")
            let refused = try await host.post("/v1/mottos", ["prompt": "a lighthouse", "tone": "grumpy"])
            #expect(refused.status == 422 && refused.code == "unknown_tone")
            for tone in ["calm", "witty", "bold"] { #expect(refused.text.contains(tone), "\(refused.text)") }
        }

        private func chat(_ text: String, _ more: JSONObject = [:]) async throws -> HTTP.Answer {
            var body: JSONObject = [
                "model": "default", "messages": [["role": "user", "content": .string(text)]],
            ]
            for (name, value) in more { body[name] = value }
            return try await sharedHost().post("/v1/chat/completions", .object(body))
        }

        private func content(_ answer: HTTP.Answer) -> String {
            answer.json["choices"]?[0]?["message"]?["content"]?.stringValue ?? ""
        }

        @Test("a chat says the same whole and word by word")
        func streamed() async throws {
            let whole = try await chat("How does a lighthouse lens work?")
            #expect(
                whole.status == 200 && whole.json["object"]?.stringValue == "chat.completion",
                "\(whole.text)"
            )
            #expect(!content(whole).isEmpty && whole.json["usage"]?["total_tokens"]?.intValue ?? 0 > 0)
            let stream = try await chat("How does a lighthouse lens work?", ["stream": true, "user": "u-1"])
            #expect(stream.headers.first("content-type")?.hasPrefix("text/event-stream") == true)
            #expect(stream.events.last == "[DONE]")
            let chunks = try stream.events.dropLast().map { try JSON.parse(Bytes($0)) }
            #expect(chunks.allSatisfy { $0["object"]?.stringValue == "chat.completion.chunk" })
            let pieces = chunks.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }
            #expect(pieces.count > 5)
            #expect(pieces.joined() == content(whole))
            #expect(chunks.compactMap { $0["choices"]?[0]?["finish_reason"]?.stringValue } == ["stop"])
        }

        @Test("instructions that are changed in Redis show in the very next reply")
        func instructions() async throws {
            let host = try sharedHost()
            let before = try await chat("Tell me about the sea.")
            let key = "state:chat:instructions:default"
            let text = "Answer briefly. Start every reply with \"Ahoy\"."
            _ = try await host.redis("HSET", key, "text", text, "version", "7")
            let after = try await chat("Tell me about the sea.")
            #expect(!content(before).hasPrefix("Ahoy") && content(after).hasPrefix("Ahoy"), "\(after.text)")
            #expect(after.json["system_fingerprint"]?.stringValue == "instructions-7")
            _ = try await host.redis("DEL", key)
            #expect(!content(try await chat("Tell me about the sea.")).hasPrefix("Ahoy"))
        }

        @Test("a conversation is remembered by its name, and without a name nothing is")
        func conversation() async throws {
            let named: JSONObject = ["conversation": "e2e-1"]
            let first = try await chat("My name is Mira.", named)
            #expect(first.headers.first("x-conversation") == "saved", "\(first.headers)")
            #expect(content(try await chat("What is my name?", named)).contains("Mira"))
            #expect(!content(try await chat("What is my name?")).contains("Mira"))
            #expect(!content(try await chat("What is my name?", ["conversation": "e2e-2"])).contains("Mira"))
            let length = try await sharedHost().redis("LLEN", "state:chat:conversation:e2e-1")
            #expect(length == .integer(4), "\(length)")
        }

        @Test("a chat request with faults is answered in OpenAI's shape")
        func badChat() async throws {
            let answer = try await sharedHost().post("/v1/chat/completions", ["model": "default"])
            #expect(answer.status == 400 || answer.status == 422, "\(answer.text)")
            #expect(answer.json["error"]?["type"]?.stringValue == "invalid_request_error", "\(answer.text)")
            #expect(answer.json["error"]?["param"]?.stringValue == "messages", "\(answer.text)")
        }
    }
}
