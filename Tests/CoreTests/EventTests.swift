import FunctionCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventTests {
    struct Input: Codable, Equatable {
        var user: Int?
        var name: String?
        var tags: [String]?
    }

    private func event(_ body: Bytes, target: String, _ parameters: [String: String] = [:]) -> Event {
        let request = HTTPRequest(method: "POST", target: target, parameters: parameters)
        return Event(kind: .http, request: request, body: body)
    }

    @Test("a path's values stand over the body's, and a query's fill in what both leave out")
    func mergesPathQueryAndBody() throws {
        let body: Bytes = #"{"user":1,"name":null,"tags":["a"],"x":[1,{"y":2}]}"#
        let merged = event(body, target: "/u/7?name=Ada&user=9&count=2&count=3&tone=warm", ["user": "7"])
        let expected: JSON = [
            "user": 7, "name": nil, "tags": ["a"], "x": [1, ["y": 2]], "count": 3, "tone": "warm",
        ]
        #expect(try merged.object() == expected)
        #expect(try merged.object().objectValue?.keys.prefix(4) == ["user", "name", "tags", "x"])
        #expect(try merged.decode(Input.self) == Input(user: 7, name: nil, tags: ["a"]))
        let bare = event(Bytes(), target: "/u?name=A%20b&user=012", [:])
        #expect(try bare.object() == ["name": "A b", "user": "012"])
    }

    @Test("the body's own names are known in every spelling, and in an object of any size")
    func knowsNamesOfTheBody() throws {
        for size in [0, 10, 100] {
            let others = (0..<size).map { "\"o\($0)\":{}," }.joined()
            let body = Bytes("{\(others)\"us\\u0065r\":1,\"name\":\"body\"}")
            let merged = event(body, target: "/?user=5&name=query&o3=x&new=n", ["name": "path"])
            #expect(try merged.decode(Input.self) == Input(user: 1, name: "path"))
            let object = try merged.object()
            #expect(object["o3"] == (size > 3 ? [:] : "x"))
            #expect(object["new"] == "n")
            #expect(object.objectValue?.count == size + (size > 3 ? 3 : 4))
        }
    }

    @Test("a body that is no JSON is answered with 400, another value or a mismatch with 422")
    func refusesOtherBodies() {
        func refusal(_ body: Bytes) -> FunctionError? {
            let event = event(body, target: "/", ["name": "x"])
            return #expect(throws: FunctionError.self) { try event.decode(Input.self) }
        }
        let broken = refusal("{\"user\":}")
        #expect(broken?.status == 400 && broken?.code == "bad_json")
        #expect(broken?.message == "the body is not JSON: expected a value, at line 1 column 9")
        #expect(refusal("[1]")?.code == "not_an_object")
        let mismatch = refusal("{\"user\":\"x\"}")
        #expect(mismatch?.status == 422 && mismatch?.code == "invalid_input")
        #expect(mismatch?.message == "user: expected a number, found a string")
    }
}
