import FunctionCore
import FunctionTesting
import Testing

@testable import Script

@Suite("script", .timeLimit(.minutes(1)))
struct ScriptTests {
    private let world = FakeBindings(grants: ["users", "text", "emit"])
    private let function: ScriptFunction
    private static let answers: JSON = [
        "hero": "Mira", "age": 9, "place": "Lisbon", "wish": "a kite", "email": "m@example.org",
    ]

    init() throws {
        function = try ScriptFunction()
        world.store(
            7,
            "answers",
            "story-a",
            ["id": "story-a", "definition": "story", "answers": Self.answers, "private": ["email"]]
        )
        world.onText { request, _ in ScriptModel.completion(try ScriptModel.script(request).text) }
    }

    private func generate(_ members: JSONObject = [:], invocation: String = "inv1") async throws -> JSON {
        var object: JSONObject = ["user": 7, "answers": "story-a"]
        for (name, value) in members { object[name] = value }
        let context = world.context("script", invocation: invocation)
        return try JSON.parse(try await function.handle(plain("generate", .object(object)), context).body)
    }

    private func submitted(_ data: JSON, invocation: String = "inv1") async throws -> Reply {
        let event = try redis("questionnaire.submitted", data, operation: "submitted")
        return try await function.handle(event, world.context("script", invocation: invocation))
    }

    @Test("a script follows the plan, is stored, and is told in the same transaction")
    func generation() async throws {
        let script = try await generate(["seconds": 40.5, "structure": "freytag", "title": "The Kite"])
        #expect(
            script["id"] == "script-inv1" && script["title"] == "The Kite" && script["answers"] == "story-a"
        )
        #expect(script["seconds"] == 40.5 && script["structure"] == "freytag" && script["offline"] == true)
        let scenes = script["scenes"]?.arrayValue ?? []
        #expect(scenes.map { $0["beat"] } == PlotStructure.freytag.beats.map { .string($0.name) })
        var start = 0.0
        for scene in scenes {
            #expect(abs((scene["start"]?.doubleValue ?? -1) - start) < 1e-9)
            start += scene["seconds"]?.doubleValue ?? 0
        }
        #expect(abs(start - 40.5) < 1e-9)
        #expect(world.records(7, "scripts").map(\.value) == [script])
        #expect(world.events.map(\.type) == ["script.generated"])
        #expect(world.events[0].data == ["user": 7, "script": "script-inv1", "seconds": 40.5])
        #expect(world.calls("users.write").count == 1)
    }

    @Test("the brief is the last line of the question, and private answers never reach the model")
    func brief() async throws {
        _ = try await generate()
        let arguments = try #require(world.calls("text.complete").first?.arguments)
        let request = try JSONCoder.decode(CompletionRequest.self, from: arguments)
        let brief = try ScriptModel.brief(request)
        #expect(brief["facts"] == ["hero": "Mira", "age": 9, "place": "Lisbon", "wish": "a kite"])
        #expect(brief["characters"] == [["name": "Mira", "role": "hero", "age": 9]])
        #expect(brief["beats"]?[0]?["seconds"] == 7.5)
        #expect(request.schemaName == "script" && request.schema == ScriptPrompt.schema)
        #expect(!arguments.text.contains("m@example.org"))
    }

    @Test("each scene names the facts it speaks of, and another answer gives another map")
    func provenance() async throws {
        let first = try await generate()
        #expect(first["scenes"]?[0]?["facts"] == ["hero", "age", "place", "wish"])
        #expect(first["facts"]?["unused"] == [])
        let second = try await generate(["answers": ["hero": "Noor"]], invocation: "inv2")
        #expect(second["scenes"]?[0]?["facts"] == ["hero"])
        #expect(first["scenes"]?[0]?["narration"] != second["scenes"]?[0]?["narration"])
    }

    @Test("a broken script is repaired: the model hears every fault, once more with the brief")
    func repair() async throws {
        world.onText { request, call in
            let script = try ScriptModel.script(request)
            guard call == 1 else { return ScriptModel.completion(script.text) }
            let broken = script.changing("scenes") { scenes in
                scenes.changing(at: 0) { $0.changing("narration") { _ in "Too short." } }
                    .changing(at: 1) { $0.changing("beat") { _ in "epilogue" } }
                    .changing(at: 2) { $0.changing("visual_prompt") { _ in "A [place] at night" } }
            }
            return ScriptModel.completion("```json\n\(broken.text)\n```")
        }
        let script = try await generate()
        #expect(script["calls"] == 2)
        let last = try #require(world.calls("text.complete").last?.arguments["messages"]?.arrayValue)
        #expect(last.map { $0["role"] } == ["system", "user", "assistant", "user"])
        let repair = last[3]["content"]?.stringValue ?? ""
        #expect(repair.contains("repair"))
        #expect(repair.contains("scenes[0].narration: has 2 words, must have 13 to 25"))
        #expect(repair.contains("scenes[1].beat: must be \"confrontation\", not \"epilogue\""))
        #expect(repair.contains("scenes[2].visual_prompt: holds the placeholder \"[place]\""))
        #expect(repair.contains("scenes: have"))
    }

    @Test(
        "a model that never gives a valid script is asked three times, and the error says what was wrong",
        arguments: [
            ("no JSON at all", "the answer is not one JSON object"),
            ("{\"title\": \"x\"", "not one JSON object"),
            ("{}", "title: must be a text"), ("{\"title\":\"x\",\"scenes\":[]}", "there are 0, but 3 beats"),
        ]
    )
    func hopeless(answer: String, message: String) async {
        world.onText { _, _ in ScriptModel.completion(answer) }
        let error = await failure { try await generate() }
        #expect(error?.status == 502 && error?.code == "invalid_output" && error?.retry == .never)
        #expect(error?.message.contains(message) == true)
        #expect(world.calls("text.complete").count == 3)
        #expect(world.records(7, "scripts").isEmpty && world.events.isEmpty)
    }

    @Test("an answer that was cut off is an error at once, however whole it looks")
    func truncated() async {
        world.onText { request, _ in
            ScriptModel.completion(try ScriptModel.script(request).text, finish: "length")
        }
        let error = await failure { try await generate() }
        #expect(error?.code == "output_truncated" && world.calls("text.complete").count == 1)
    }

    @Test("the words in all are held to a tenth, though each scene alone is within its bounds")
    func budget() async {
        world.onText { request, _ in
            let script = try ScriptModel.script(request).changing("scenes") { scenes in
                .array(
                    (scenes.arrayValue ?? []).map {
                        $0.changing("narration") {
                            .string(($0.stringValue ?? "") + " and a little more than that")
                        }
                    }
                )
            }
            return ScriptModel.completion(script.text)
        }
        let error = await failure { try await generate(["seconds": 60]) }
        #expect(error?.message.contains("scenes: have 169 words in all, must have 135 to 167") == true)
    }

    @Test("submitted answers become a script; an entry delivered again makes nothing new and asks nobody")
    func redelivery() async throws {
        let data: JSON = [
            "user": 7, "definition": "story", "version": 2, "id": "story-b", "answers": Self.answers,
            "private": ["email"],
        ]
        let first = try await submitted(data)
        let second = try await submitted(data, invocation: "inv2")
        #expect(first.status == 201 && first.body == second.body)
        let records = world.records(7, "scripts")
        #expect(records.map(\.id) == ["script-story-b"])
        #expect(records[0].value["answers"] == "story-b")
        #expect(world.events.count == 1 && world.calls("text.complete").count == 1)
        #expect(world.calls("text.complete").first?.arguments.text.contains("m@example.org") == false)
    }

    @Test("answers to another questionnaire are let pass, and a broken entry is refused for good")
    func otherEntries() async throws {
        let other = try await submitted(["user": 7, "definition": "persona", "id": "persona-a"])
        #expect(other.status == 204 && world.calls.isEmpty)
        let nobody = await failure { try await submitted(["definition": "story", "id": "story-b"]) }
        #expect(nobody?.faults.first?.path == "user" && nobody?.retry == .never)
        let escape = await failure {
            try await submitted(["user": 7, "definition": "story", "id": "../../x", "answers": Self.answers])
        }
        #expect(escape?.faults.first?.path == "data.id")
    }

    @Test(
        "without a word about answers the user's newest story is told; without any, a title or text is needed"
    )
    func newest() async throws {
        let event = plain("generate", ["user": 7])
        let script = try JSON.parse(try await function.handle(event, world.context("script")).body)
        #expect(script["answers"] == "story-a")
        let nobody = plain("generate", ["user": 8])
        let error = await failure { try await function.handle(nobody, world.context("script")) }
        #expect(error?.faults.first?.path == "answers")
        let titled = plain("generate", ["user": 8, "title": "The Sea"])
        #expect(try await function.handle(titled, world.context("script")).status == 201)
        #expect(await failure { try await generate(["answers": "story-zz"], invocation: "x") }?.status == 404)
    }

    @Test("all faults of a request are told at once")
    func faults() async {
        let error = await failure {
            try await generate([
                "user": 0, "seconds": 14.9, "structure": "spiral", "language": "english!", "scenes": 0,
                "mode": "x",
                "answers": 3, "title": "",
            ])
        }
        #expect(
            error?.faults.map(\.path) == [
                "user", "answers", "seconds", "scenes", "structure", "language", "title", "mode",
            ]
        )
        #expect(world.calls.isEmpty)
    }

    @Test("a text of one's own is used word for word, without a model")
    func verbatim() async throws {
        let text =
            "  Once there was a kite.\n\nIt flew — away! “Come back,” said Mira.  Nobody heard. The end.\n"
        let script = try await generate(["mode": "verbatim", "text": .string(text), "scenes": 3])
        let scenes = script["scenes"]?.arrayValue ?? []
        #expect(scenes.compactMap { $0["narration"]?.stringValue }.joined() == text)
        #expect(scenes.count == 3)
        #expect(script["mode"] == "verbatim" && script["calls"] == 0 && world.calls("text.complete").isEmpty)
        #expect(script["seconds"]?.doubleValue == 9.0)
        let long = String(repeating: "word ", count: 200) + "."
        let error = await failure {
            try await generate(["mode": "verbatim", "text": .string(long), "seconds": 30], invocation: "x")
        }
        #expect(error?.message.contains("200 words, which take 80 seconds") == true)
    }

    @Test("a dry run shows plan and cost, and does nothing")
    func dryRun() async throws {
        let plan = try await generate(["dry_run": true, "seconds": 60])
        #expect(plan["words"] == 151 && plan["calls"] == ["least": 1, "most": 3])
        #expect(plan["scenes"]?.arrayValue?.count == 3)
        #expect(world.calls.isEmpty)
    }

    @Test("scripts are listed newest first, and one is found by its id")
    func reading() async throws {
        for invocation in ["a", "b"] { _ = try await generate(invocation: invocation) }
        let list = try JSON.parse(
            try await function.handle(plain("list", ["user": 7]), world.context("script")).body
        )
        #expect(list["scripts"]?.arrayValue?.map { $0["id"] } == ["script-b", "script-a"])
        let one = plain("get", ["user": 7, "id": "script-a"])
        #expect(
            try JSON.parse(try await function.handle(one, world.context("script")).body)["id"] == "script-a"
        )
        let other = plain("get", ["user": 8, "id": "script-a"])
        #expect(await failure { try await function.handle(other, world.context("script")) }?.status == 404)
    }

    @Test(
        "every structure and length ends in a script of exactly that length",
        arguments: PlotStructure.all.map(\.name)
    )
    func sweep(structure: String) async throws {
        for seconds in [15, 16, 30, 61, 120, 299, 300] {
            let script = try await generate(
                ["structure": .string(structure), "seconds": .integer(Int64(seconds))],
                invocation: "\(structure)-\(seconds)"
            )
            let lengths = script["scenes"]?.arrayValue?.compactMap { $0["seconds"]?.doubleValue } ?? []
            #expect(lengths.map { Int(($0 * 10).rounded()) }.reduce(0, +) == seconds * 10)
            #expect(script["calls"] == 1)
        }
    }
}
