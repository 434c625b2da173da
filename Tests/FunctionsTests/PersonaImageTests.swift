import FunctionCore
import Synchronization
import FunctionTesting
import Testing

@testable import PersonaImage

@Suite(.timeLimit(.minutes(1)))
struct PersonaImageTests {
    let world = FakeBindings()

    private func post(_ body: JSON) async throws -> (status: Int, answer: JSON, headers: [Header]) {
        let event = Event(
            kind: .http,
            operation: "create",
            request: HTTPRequest(method: "POST", target: "/v1/personas"),
            body: body.bytes()
        )
        let reply = try await PersonaImageFunction().handle(event, world.context("persona-image"))
        return (reply.status, try JSON.parse(reply.body), reply.headers)
    }

    private func get(_ name: String) async throws -> JSON {
        let request = HTTPRequest(method: "GET", target: "/v1/personas/x", parameters: ["name": name])
        let event = Event(kind: .http, operation: "get", request: request)
        return try JSON.parse(
            try await PersonaImageFunction().handle(event, world.context("persona-image")).body
        )
    }

    private func mottoSays(_ text: String) {
        let answer: JSON = ["mottos": [["text": .string(text), "characters": 5]], "offline": true]
        world.on("invoke.invoke", InvokeRequest.self) { _ in answer }
    }

    @Test("a new persona is made with 201, and its picture lies in the blob store")
    func makes() async throws {
        let (status, answer, headers) = try await post(["name": "  Ada   Lovelace ", "prompt": "a portrait"])
        #expect(status == 201)
        #expect(headers.first("location") == "/v1/personas/ada%20lovelace")
        #expect(answer["name"] == "ada lovelace")
        #expect(answer["prompt"] == "a portrait")
        #expect(answer["offline"] == true)
        #expect(answer["motto"] == nil)
        let image = try #require(answer["image"])
        #expect(image["contentType"] == "image/png")
        #expect(image["width"] == 1)
        #expect(image["size"] == .integer(Int64(FakeBindings.pixel.count)))
        #expect(image["sha256"]?.stringValue?.count == 64)
        #expect(image["expires"]?.stringValue == (world.now + .seconds(60)).rfc3339)
        let key = try #require(world.blobKeys.first)
        #expect(key.hasPrefix("outputs/personas/ada-lovelace/"))
        #expect(key.hasSuffix(".png"))
        #expect(world.blob(key) == FakeBindings.pixel)
    }

    @Test("a name that is known, in whatever case and spacing, gives the persona that is there with 200")
    func returnsExisting() async throws {
        _ = try await post(["name": "Ada", "prompt": "first"])
        let (status, answer, _) = try await post(["name": " ADA ", "prompt": "second"])
        #expect(status == 200)
        #expect(answer["prompt"] == "first")
        #expect(world.calls("images.generate").count == 1)
    }

    @Test("twenty requests for one new name at once make one picture")
    func concurrentCreates() async throws {
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask { try await post(["name": "Crowd", "prompt": "number \(number)"]).status }
            }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(world.calls("images.generate").count == 1)
        #expect(statuses.filter { $0 == 201 }.count == 1)
        #expect(statuses.filter { $0 == 200 }.count == 19)
        #expect(world.blobKeys.count == 1)
    }

    @Test("each retrieval gives a fresh link of sixty seconds")
    func freshLink() async throws {
        _ = try await post(["name": "Ada", "prompt": "p"])
        let first = try await get("Ada")
        world.advance(.seconds(45))
        let second = try await get("ada")
        #expect(first["image"]?["url"] != second["image"]?["url"])
        #expect(second["image"]?["expires"]?.stringValue == (world.now + .seconds(60)).rfc3339)
    }

    @Test("an unknown name is answered with 404, and a name of digits is a name")
    func unknown() async throws {
        let error = try await #require(throws: FunctionError.self) { _ = try await get("nobody") }
        #expect(error.status == 404)
        _ = try await post(["name": "007", "prompt": "p"])
        _ = try await post(["name": "7", "prompt": "q"])
        #expect(try await get("007")["prompt"] == "p")
        #expect(try await get("7")["prompt"] == "q")
    }

    @Test("with if_exists: update a further picture is added to the versions and becomes the newest")
    func updates() async throws {
        _ = try await post(["name": "Ada", "prompt": "first"])
        world.onImages { _ in
            let info = ImageInfo(
                contentType: "image/webp",
                width: 8,
                height: 9,
                model: "m",
                offline: false,
                revisedPrompt: nil
            )
            return (info, Bytes("other bytes"))
        }
        let (status, answer, _) = try await post(["name": "Ada", "prompt": "second", "if_exists": "update"])
        #expect(status == 200)
        #expect(answer["prompt"] == "second")
        #expect(answer["image"]?["width"] == 8)
        #expect(answer["offline"] == false)
        let versions = answer["versions"]?.arrayValue ?? []
        #expect(versions.compactMap { $0["version"]?.intValue } == [1, 2])
        #expect(versions.compactMap { $0["prompt"]?.stringValue } == ["first", "second"])
        #expect(world.blobKeys.contains { $0.hasSuffix(".webp") })
    }

    @Test("two updates at once both leave their picture")
    func concurrentUpdates() async throws {
        _ = try await post(["name": "Ada", "prompt": "first"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask {
                    _ = try await post(["name": "Ada", "prompt": "p\(number)", "if_exists": "update"])
                }
            }
            try await group.waitForAll()
        }
        let versions = try await get("Ada")["versions"]?.arrayValue ?? []
        #expect(versions.compactMap { $0["version"]?.intValue } == [1, 2, 3, 4])
    }

    @Test("with if_exists: error a known name is refused with 409")
    func refusesExisting() async throws {
        _ = try await post(["name": "Ada", "prompt": "p"])
        let error = try await #require(throws: FunctionError.self) {
            _ = try await post(["name": "Ada", "prompt": "p", "if_exists": "error"])
        }
        #expect(error.status == 409)
        #expect(error.code == "persona_exists")
    }

    @Test("with a tone the persona gets a motto from the motto function and keeps it")
    func motto() async throws {
        mottoSays("Count on me.")
        let (_, answer, _) = try await post(["name": "Ada", "prompt": "a mathematician", "tone": "wise"])
        #expect(answer["motto"] == "Count on me.")
        #expect(try await get("Ada")["motto"] == "Count on me.")
        let input = world.calls("invoke.invoke").first?.arguments["input"]
        #expect(input == ["prompt": "a mathematician", "tone": "wise", "count": 1])
    }

    @Test("an unknown tone fails the request before a picture is paid for")
    func badTone() async throws {
        world.fail(
            "invoke.invoke",
            with: FunctionError(status: 422, code: "unknown_tone", message: "known are …")
        )
        let error = try await #require(throws: FunctionError.self) {
            _ = try await post(["name": "Ada", "prompt": "p", "tone": "grumpy"])
        }
        #expect(error.code == "unknown_tone")
        #expect(world.calls("images.generate").isEmpty)
        #expect(world.document("personas", "ada") == nil)
    }

    @Test("a motto function that fails of itself costs the motto, not the persona")
    func mottoFails() async throws {
        world.fail("invoke.invoke", with: FunctionError(status: 502, code: "invalid_output", message: "m"))
        let (status, answer, _) = try await post(["name": "Ada", "prompt": "p", "tone": "wise"])
        #expect(status == 201)
        #expect(answer["motto"] == nil)
        #expect(answer["motto_error"] == "invalid_output")
    }

    @Test("a policy refusal reaches the caller, stores nothing, and leaves the name to the next")
    func policy() async throws {
        world.fail("images.generate", with: FunctionError(status: 422, code: "content_policy", message: "m"))
        let error = try await #require(throws: FunctionError.self) {
            _ = try await post(["name": "Ada", "prompt": "p"])
        }
        #expect(error.code == "content_policy")
        #expect(world.blobKeys.isEmpty)
        world.releaseClaims()
        world.restore("images.generate")
        #expect(try await post(["name": "Ada", "prompt": "p"]).status == 201)
    }

    @Test("all faults of an input are told at once")
    func faults() async throws {
        let error = try await #require(throws: FunctionError.self) {
            _ = try await post([
                "name": .string(String(repeating: "n", count: 81)), "size": "3x3", "if_exists": "maybe",
                "tone": 1,
            ])
        }
        #expect(error.status == 422)
        #expect(error.faults.map(\.path) == ["name", "prompt", "tone", "size", "if_exists"])
    }

    @Test("keys are safe in paths, and no two names share one")
    func keys() throws {
        let names = [
            "ada", "a b", "a-b", "a_b", "../etc", "é", "e\u{301}x", "名前", "a/b", "a.b",
            String(repeating: "z", count: 80),
        ]
        let keys = try names.map { try #require(PersonaName($0)).key }
        #expect(Set(keys).count == names.count)
        #expect(keys[0] == "ada")
        #expect(keys[1] == "a-b")
        for key in keys {
            #expect(
                key.utf8.allSatisfy {
                    (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
                }
            )
            #expect((1...60).contains(key.utf8.count))
        }
    }

    @Test("a name is trimmed, its inner space collapsed, its letters lowered by Unicode's mapping")
    func names() {
        #expect(PersonaName("\t ÀDA \n LOVE ")?.text == "àda love")
        #expect(PersonaName("ΣΑΣ")?.text == "σασ")
        #expect(PersonaName("   ") == nil)
        #expect(PersonaName("a\u{0}b") == nil)
        #expect(PersonaName(String(repeating: "n", count: 80)) != nil)
        #expect(PersonaName(String(repeating: "n", count: 81)) == nil)
    }

    @Test("a plain event with operation and members is as good as a request")
    func plain() async throws {
        let body: JSON = ["operation": "create", "name": "Ada", "prompt": "p"]
        let made = try await PersonaImageFunction().handle(
            Event(body: body.bytes()),
            world.context("persona-image")
        )
        #expect(made.status == 201)
        let ask: JSON = ["operation": "get", "name": "ADA"]
        let found = try await PersonaImageFunction().handle(
            Event(body: ask.bytes()),
            world.context("persona-image")
        )
        #expect(found.status == 200)
    }
}
