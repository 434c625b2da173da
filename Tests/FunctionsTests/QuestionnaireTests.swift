import FunctionCore
import FunctionTesting
import Testing

@testable import Questionnaire

@Suite("questionnaire", .timeLimit(.minutes(1)))
struct QuestionnaireTests {
    private let world = FakeBindings(grants: ["users", "emit"])
    private let function: QuestionnaireFunction
    private static let good: JSON = [
        "hero": "Mira", "age": 9, "place": "Lisbon", "wish": "to find the lighthouse",
    ]

    init() throws {
        function = try QuestionnaireFunction()
    }

    private func submit(
        _ answers: JSON,
        version: Int? = nil,
        invocation: String = "inv1"
    ) async throws -> JSON {
        var object: JSONObject = ["user": 7, "definition": "story", "answers": answers]
        if let version { object["version"] = .integer(Int64(version)) }
        let context = world.context("questionnaire", invocation: invocation)
        return try JSON.parse(try await function.handle(plain("submit", .object(object)), context).body)
    }

    @Test("a good submission is stored, told in the same transaction, and answered with 201 and its place")
    func submission() async throws {
        let request = HTTPRequest(
            method: "POST",
            target: "/v1/users/7/questionnaires/story/answers",
            parameters: ["user": "7", "definition": "story"]
        )
        let body: JSON = ["answers": Self.good]
        let event = Event(kind: .http, operation: "submit", request: request, body: body.bytes())
        let reply = try await function.handle(event, world.context("questionnaire"))
        let record = try JSON.parse(reply.body)
        #expect(reply.status == 201)
        #expect(reply.headers.first("location") == "/v1/users/7/questionnaires/story/answers/story-inv1")
        #expect(record["id"] == "story-inv1")
        #expect(record["version"] == 2)
        #expect(record["answers"] == Self.good)
        #expect(record["submitted"] == .string(world.now.rfc3339))
        #expect(world.records(7, "answers").map(\.value) == [record])
        #expect(world.events.map(\.type) == ["questionnaire.submitted"])
        #expect(world.events.first?.data == record)
        #expect(world.calls.map(\.name) == ["users.write"])
    }

    @Test("five faults are reported at once, with path and rule, and nothing is stored")
    func fiveFaults() async throws {
        let answers: JSON = [
            "hero": "Mira", "age": 300, "genre": "western", "traits": ["brave", "brave"], "email": "mira@",
            "shoe": 38,
            "place": "Lisbon", "wish": "peace",
        ]
        let error = await failure { try await submit(answers) }
        #expect(error?.status == 422)
        #expect(error?.code == "invalid_input")
        #expect(
            error?.faults.map { "\($0.path) \($0.rule)" } == [
                "answers.age range", "answers.genre choices", "answers.traits unique", "answers.email email",
                "answers.shoe unknown",
            ]
        )
        #expect(error?.faults.first?.message == "age must be from 1 to 120, not 300")
        #expect(
            error?.faults[3].message == "give an e-mail address such as name@example.org, or leave it out"
        )
        #expect(error?.retry == .never)
        #expect(world.records(7, "answers").isEmpty && world.events.isEmpty)
    }

    @Test("the faults of the user and of missing answers come together")
    func userAndRequired() async {
        let object: JSON = ["user": 0, "definition": "story", "answers": ["age": nil, "place": "  "]]
        let error = await failure {
            try await function.handle(plain("submit", object), world.context("questionnaire"))
        }
        #expect(
            error?.faults.map { "\($0.path) \($0.rule)" } == [
                "user range", "answers.hero required", "answers.age required", "answers.place required",
                "answers.wish required",
            ]
        )
    }

    @Test(
        "a user that is no whole number from 1 is refused",
        arguments: [JSON.string("abc"), 0, -1, 1.5, nil, "7 "]
    )
    func badUser(user: JSON) async {
        for operation in ["submit", "list", "get"] {
            let object: JSON = ["user": user, "definition": "story", "answers": Self.good]
            let error = await failure {
                try await function.handle(plain(operation, object), world.context("questionnaire"))
            }
            #expect(error?.status == 422 && error?.faults.first?.path == "user")
        }
    }

    @Test("answers to hidden questions are dropped and named, and cost nothing")
    func hidden() async throws {
        var answers = try #require(Self.good.objectValue)
        answers["companion"] = "nobody"
        answers["companion_name"] = "Rex"
        answers["genre"] = "comedy"
        answers["clue"] = "a feather"
        answers["friends"] = [
            ["name": "Ana", "role": "helper", "secret": "none"], ["name": "Bo", "role": "rival"],
        ]
        let record = try await submit(.object(answers))
        #expect(record["dropped"] == ["answers.companion_name", "answers.clue", "answers.friends[0].secret"])
        #expect(record["answers"]?["companion_name"] == nil)
        #expect(record["answers"]?["friends"]?[0] == ["name": "Ana", "role": "helper"])
    }

    @Test("a private answer is stored, and not told to anybody")
    func privacy() async throws {
        var answers = try #require(Self.good.objectValue)
        answers["email"] = "mira@example.org"
        let record = try await submit(.object(answers))
        #expect(record["answers"]?["email"] == "mira@example.org" && record["private"] == ["email"])
        #expect(world.events.first?.data["answers"] == Self.good)
    }

    @Test("a required question is required only while it is visible")
    func conditional() async throws {
        var answers = try #require(Self.good.objectValue)
        answers["companion"] = "robot"
        let error = await failure { try await submit(.object(answers)) }
        #expect(error?.faults.map(\.path) == ["answers.companion_name"])
        answers["companion"] = ["other": "a cloud"]
        let record = try await submit(.object(answers))
        #expect(record["answers"]?["companion"] == ["other": "a cloud"])
    }

    @Test("answers to version 1 stay valid after version 2 was published")
    func versions() async throws {
        let answers: JSON = [
            "hero": "R2", "age": 9, "place": "Lisbon", "wish": "to find the lighthouse",
            "companion": "a red dog",
        ]
        let record = try await submit(answers, version: 1)
        #expect(record["version"] == 1)
        let error = await failure { try await submit(answers) }
        #expect(error?.faults.map(\.rule) == ["pattern", "choices"])
    }

    @Test("a repeated attempt of one invocation leaves one row, one event and the first time")
    func repeated() async throws {
        let first = try await submit(Self.good)
        world.advance(.seconds(5))
        let second = try await submit(Self.good)
        #expect(first == second)
        #expect(world.records(7, "answers").count == 1 && world.events.count == 1)
    }

    @Test("an unknown questionnaire or version is 404 and names the known ones")
    func unknown() async {
        for operation in ["submit", "list", "definition"] {
            let error = await failure {
                try await function.handle(
                    plain(operation, ["user": 7, "definition": "diet", "answers": [:]]),
                    world.context("questionnaire")
                )
            }
            #expect(error?.status == 404)
            #expect(error?.message == "there is no questionnaire \"diet\"; the known ones are persona, story")
        }
        let error = await failure { try await submit(Self.good, version: 9) }
        #expect(error?.message == "questionnaire story has no version 9; it has 1, 2")
    }

    @Test("the list shows one questionnaire's answers, the newest first")
    func list() async throws {
        for invocation in ["a", "b", "c"] { _ = try await submit(Self.good, invocation: invocation) }
        world.store(7, "answers", "persona-d", ["id": "persona-d", "definition": "persona"])
        let event = plain("list", ["user": 7, "definition": "story", "limit": 2])
        let reply = try JSON.parse(try await function.handle(event, world.context("questionnaire")).body)
        #expect(reply["count"] == 2)
        #expect(reply["answers"]?.arrayValue?.map { $0["id"] } == ["story-c", "story-b"])
        let one = plain("get", ["user": 7, "definition": "story", "id": "story-a"])
        let found = try JSON.parse(try await function.handle(one, world.context("questionnaire")).body)
        #expect(found["answers"] == Self.good)
        let missing = plain("get", ["user": 8, "definition": "story", "id": "story-a"])
        #expect(
            await failure { try await function.handle(missing, world.context("questionnaire")) }?.status
                == 404
        )
    }

    @Test("a definition is given out by version, and the index names all")
    func definitions() async throws {
        let context = world.context("questionnaire")
        let first = plain("definition", ["definition": "story", "version": 1])
        let latest = plain("definition", ["definition": "story"])
        let index = plain("definitions", [:])
        #expect(try JSON.parse(try await function.handle(first, context).body)["version"] == 1)
        #expect(try JSON.parse(try await function.handle(latest, context).body)["version"] == 2)
        let names = try JSON.parse(try await function.handle(index, context).body)["questionnaires"]?
            .arrayValue
        #expect(names?.map { $0["name"] } == ["persona", "story"])
        #expect(world.calls.isEmpty)
    }

    @Test("a failing store is told to the caller")
    func storage() async {
        world.fail(
            "users.write",
            with: FunctionError(status: 503, code: "storage_failed", message: "disk full")
        )
        #expect(await failure { try await submit(Self.good) }?.code == "storage_failed")
    }
}
