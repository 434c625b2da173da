import FunctionCore
import Processes
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct OfflineProviderTests {
    private func chat(_ messages: [ChatMessage], schema: String? = nil) throws -> String {
        let request = CompletionRequest(
            messages: messages,
            schema: schema == nil ? nil : ["type": "object", "properties": [:]],
            schemaName: schema
        )
        let body = ChatDialect.body(request, model: "offline-1", stream: false).bytes()
        let answer = OfflineProvider().answer(
            method: "POST",
            path: "/v1/chat/completions",
            headers: [],
            body: body
        )
        #expect(answer.headers.first("x-swiftlet-offline") == "1")
        return try ChatDialect.completion(answer.bytes, offline: true, secret: nil).text
    }

    private func user(_ text: String) -> ChatMessage { ChatMessage(role: "user", content: text) }

    private static let facts: [String] = [
        "Marlene", "Lisbon", "to open a small bakery", "the cold sea", "her dog Bello", "lemon cake",
    ]

    private func brief(words: [Int]) -> String {
        let beats: [JSON] = words.enumerated().map { index, words in
            [
                "name": .string("beat-\(index)"), "purpose": "move on", "seconds": 10,
                "words": .integer(Int64(words)),
            ]
        }
        let facts: JSON = [
            "name": .string(Self.facts[0]), "home_town": .string(Self.facts[1]),
            "wish": .string(Self.facts[2]),
            "fear": .string(Self.facts[3]), "best_friend": .string(Self.facts[4]),
            "favourite_food": .string(Self.facts[5]),
        ]
        let brief: JSON = [
            "title_hint": "", "language": "en", "structure": "three-act", "beats": .array(beats),
            "facts": facts,
            "characters": [["name": "Bruno"]],
        ]
        return "Write the script for this brief:\n\(brief.text)\nAnswer in JSON."
    }

    @Test(
        "a script has a scene a beat, the words that were asked for, and every fact",
        arguments: [1, 3, 5, 12]
    )
    func script(beats: Int) throws {
        let words = (0..<beats).map { 25 + $0 * 7 % 60 }
        let messages = [ChatMessage(role: "system", content: "You write."), user(brief(words: words))]
        let script = try JSON.parse(Bytes(try chat(messages, schema: "script")))
        let scenes = try #require(script["scenes"]?.arrayValue)
        #expect(scenes.count == beats)
        #expect(script["title"]?.stringValue?.isEmpty == false)
        var all = ""
        for (index, scene) in scenes.enumerated() {
            let narration = try #require(scene["narration"]?.stringValue)
            #expect(narration.split(separator: " ").count == words[index])
            #expect(scene["beat"]?.stringValue == "beat-\(index)")
            #expect(scene["title"]?.stringValue?.isEmpty == false)
            #expect(scene["visual_prompt"]?.stringValue?.contains("Lisbon") == true)
            #expect(!narration.contains("{"))
            all += narration + " "
        }
        if beats > 1 { for fact in Self.facts + ["Bruno"] { #expect(all.contains(fact), "\(fact)") } }
        let sentences = all.split(separator: ".").map { $0.drop { $0 == " " } }
        #expect(Set(sentences).count * 10 >= sentences.count * 9)
        #expect(try chat(messages, schema: "script") == script.text)
    }

    @Test("a script fits any number of words, however few")
    func tightScript() throws {
        for words in 1...40 {
            let script = try JSON.parse(
                Bytes(try chat([user(brief(words: [words, words]))], schema: "script"))
            )
            for scene in script["scenes"]?.arrayValue ?? [] {
                #expect(scene["narration"]?.stringValue?.split(separator: " ").count == words)
            }
        }
    }

    @Test("broken JSON is repaired when a repair is asked for")
    func repair() throws {
        let first = user(brief(words: [20]) + "[[offline:bad-json-once]]")
        let broken = try chat([first], schema: "script")
        #expect((try? JSON.parse(Bytes(broken))) == nil)
        let again = [
            first, ChatMessage(role: "assistant", content: broken), user("Please repair: scenes is missing"),
        ]
        #expect((try JSON.parse(Bytes(try chat(again, schema: "script"))))["scenes"]?.arrayValue?.count == 1)
    }

    @Test("mottos are distinct, short enough, new, and different in every tone")
    func mottos() throws {
        let tones = [
            "bold", "calm", "playful", "poetic", "professional", "witty", "heroic", "minimalist", "romantic",
            "rebellious", "wise", "warm", "sarcastic",
        ]
        var all: [String] = []
        for tone in tones {
            for limit in [30, 60, 120] {
                let brief: JSON = [
                    "prompt": "a baker who loves the sea and early mornings", "tone": .string(tone),
                    "count": 10,
                    "max_characters": .integer(Int64(limit)), "avoid": ["Just baker."],
                ]
                let text = try chat([user("Mottos please: \(brief.text)")], schema: "mottos")
                let mottos =
                    (try JSON.parse(Bytes(text)))["mottos"]?.arrayValue?.compactMap(\.stringValue) ?? []
                #expect(mottos.count == 10, "\(tone) \(limit)")
                #expect(Set(mottos.map { $0.lowercased() }).count == mottos.count)
                #expect(mottos.allSatisfy { $0.count <= limit && !$0.contains("{") && $0 != "Just baker." })
                if limit == 120 { all += mottos }
            }
        }
        #expect(Set(all).count == all.count)
    }

    @Test("a conversation follows its instructions and remembers what was said")
    func conversation() throws {
        let system = { (text: String) in ChatMessage(role: "system", content: text) }
        let sea = user("Why is the sea salty?")
        #expect(try chat([system("You are a harbour pilot. Be kind."), sea]).hasPrefix("As a harbour pilot"))
        #expect(try chat([system("Always begin with \"Ahoy!\""), sea]).hasPrefix("Ahoy! "))
        #expect(try chat([system("End every reply with 'x' or “Over.”"), sea]).hasSuffix("Over."))
        #expect(try chat([system("Reply in CAPITALS"), sea]).contains("SALTY"))
        #expect(try chat([system("Quote the sea"), sea]).contains("Quote the sea"))
        let history = [
            user("My name is Ada and I keep bees"), ChatMessage(role: "assistant", content: "Nice."),
        ]
        #expect(try chat(history + [user("What did I say?")]).contains("I keep bees"))
        #expect(try chat(history + [user("What is my name?")]).contains("Ada"))
        #expect(try chat([user("What did I say?")]).contains("first thing"))
    }

    @Test("an unknown document is filled by its schema")
    func schema() throws {
        let request = CompletionRequest(
            messages: [user("lighthouse keeper")],
            schema: [
                "type": "object",
                "properties": [
                    "kind": ["enum": ["a", "b"]], "count": ["type": "integer"],
                    "tags": ["type": "array", "minItems": 2],
                    "note": ["type": ["string", "null"]],
                ],
            ],
            schemaName: "other"
        )
        let body = ChatDialect.body(request, model: "m", stream: false).bytes()
        let answer = OfflineProvider().answer(
            method: "POST",
            path: "/v1/chat/completions",
            headers: [],
            body: body
        )
        let json = try JSON.parse(
            Bytes(try ChatDialect.completion(answer.bytes, offline: true, secret: nil).text)
        )
        #expect(["a", "b"].contains(json["kind"]?.stringValue))
        #expect(json["count"]?.intValue != nil)
        #expect(json["tags"]?.arrayValue?.count == 2)
        #expect(json["note"]?.stringValue?.isEmpty == false)
    }

    @Test("a picture is a PNG that ffmpeg decodes to the very pixels")
    func picture() async throws {
        let media = FileMedia()
        var seed = OfflineSeed("pixels")
        let pixels = (0..<61 * 37 * 3).map { index in
            index < 3000 ? UInt8(truncatingIfNeeded: seed.next()) : 77
        }
        media.put("a.png", PNGEncoder.encode(width: 61, height: 37, pixels: pixels))
        media.put("b.png", OfflinePicture(seed: 5).png(width: 640, height: 360))
        func decoded(_ file: String) async throws -> Bytes {
            let arguments = [
                "-v", "error", "-xerror", "-i", media.path(file), "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
            ]
            let output = try await ChildProcess.run(ChildSpec("ffmpeg", arguments), timeout: .seconds(30))
            #expect(output.errors.isEmpty)
            return output.output
        }
        #expect(try await decoded("a.png").array == pixels)
        #expect(try await decoded("b.png").count == 640 * 360 * 3)
    }

    @Test("texts with words in common lie nearer to each other than others")
    func embeddings() {
        func near(_ left: String, _ right: String) -> Float {
            zip(OfflineEmbeddings.vector(left), OfflineEmbeddings.vector(right)).reduce(0) {
                $0 + $1.0 * $1.1
            }
        }
        #expect(near("the red boat at sea", "a red boat") > near("the red boat at sea", "tax law of 1911"))
        #expect(abs(near("one", "one") - 1) < 0.001)
    }

    @Test("unknown routes and broken requests are answered in the vendor's form")
    func errors() throws {
        let provider = OfflineProvider()
        for (method, path, body, status) in [
            ("GET", "/v1/nothing", "", 404), ("GET", "/v1/chat/completions", "", 405),
            ("POST", "/v1/chat/completions", "{", 400), ("POST", "/v1/chat/completions", "{}", 400),
            ("POST", "/v1/images/generations", #"{"prompt":"x","response_format":"url"}"#, 400),
            ("GET", "/offline/images/zz-1x1.png", "", 404),
        ] {
            let answer = provider.answer(method: method, path: path, headers: [], body: Bytes(body))
            #expect(answer.status == status, "\(method) \(path)")
            let error = try JSON.parse(answer.bytes)["error"]
            #expect(error?.objectValue?.keys == ["message", "type", "param", "code"])
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct OfflineFactTests {
    @Test("the answers of a questionnaire become facts that can be said")
    func facts() throws {
        let answers = """
            {"hero": "Mia", "age": 7, "place": "the old mill", "companion": "robot", "companion_name": "Bolt",
             "wish": "to fly to the moon.", "genre": "mystery", "traits": ["brave", "kind"],
             "mood": {"beginning": "calm", "end": "joyful"}, "friends": [{"name": "Tom", "role": "helper"}],
             "happy_end": true, "excitement": 4, "birthday": "2019-05-02", "rival": "nobody", "sequel": false}
            """
        let facts = OfflineFact.all(in: try JSON.parse(Bytes(answers)))
        let expected: [(OfflineFact.Kind, String)] = [
            (.name, "Mia"), (.age, "7"), (.place, "the old mill"), (.companion, "Bolt the robot"),
            (.wish, "to fly to the moon"), (.other, "mystery"), (.trait, "brave and kind"), (.trait, "calm"),
            (.trait, "joyful"), (.companion, "Tom the helper"), (.other, "a happy end"),
            (.other, "the number 4"),
            (.date, "2019-05-02"),
        ]
        #expect(facts == expected.map { OfflineFact(kind: $0.0, value: $0.1) })
    }
}
