import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LambdaRoutesTests {
    private static let document: Bytes = #"""
        {"functions": [
          {"name": "other", "routes": [{"method": "GET", "path": "/other", "operation": "x"}]},
          {"name": "tales", "routes": [
            {"method": "GET", "path": "/", "operation": "root"},
            {"method": "GET", "path": "/a/{x}", "operation": "one"},
            {"method": "GET", "path": "/a/b", "operation": "literal"},
            {"method": "POST", "path": "/a/b", "operation": "post"},
            {"method": "GET", "path": "/a/{x}/c", "operation": "deep"},
            {"method": "GET", "path": "/a/{all*}", "operation": "rest"}
          ], "redis": [{"source": "events:a", "operation": "heard"}]}
        ]}
        """#

    private func routes() throws -> LambdaRoutes {
        try #require(LambdaRoutes(LambdaRoutesTests.document, of: "tales"))
    }

    @Test(
        "a literal segment beats a parameter, and both beat the rest",
        arguments: [
            ("/", "root", [:]), ("/a/b", "literal", [:]), ("/a/z", "one", ["x": "z"]),
            ("/a/b/c", "deep", ["x": "b"]), ("/a/b/d", "rest", ["all": "b/d"]),
            ("/a/%2F%20", "one", ["x": "/ "]), ("/a/b/", "rest", ["all": "b/"]),
        ] as [(String, String, [String: String])]
    )
    func finds(_ path: String, _ operation: String, _ parameters: [String: String]) throws {
        #expect(try routes().match("GET", path) == .found(operation: operation, parameters: parameters))
    }

    @Test("what is not there is unknown, what is there in another way says in which")
    func misses() throws {
        let routes = try routes()
        for path in ["/other", "/a", "/a/", "//", "/a//c", "", "a/b"] {
            #expect(routes.match("GET", path) == .unknown, "\(path)")
        }
        #expect(routes.match("DELETE", "/a/b") == .otherMethods(["GET", "POST"]))
        #expect(routes.match("POST", "/a/b") == .found(operation: "post", parameters: [:]))
    }

    @Test("a queue has the operation of its name's trigger, or of the only one")
    func knowsQueues() throws {
        #expect(try routes().operation(of: "events:a") == "heard")
        #expect(try routes().operation(of: "anything") == "heard")
        #expect(LambdaRoutes(LambdaRoutesTests.document, of: "other")?.operation(of: "events:a") == "")
        let two: Bytes = #"""
            {"functions":[{"name":"f","redis":[{"source":"a","operation":"x"},{"source":"b","operation":"y"}]}]}
            """#
        #expect(LambdaRoutes(two, of: "f")?.operation(of: "b") == "y")
        #expect(LambdaRoutes(two, of: "f")?.operation(of: "c") == "")
    }

    @Test("a document that is none, or lacks the function, has no routes")
    func refuses() {
        for document: Bytes in ["", "{}", "[]", #"{"functions":[{"name":"f","routes":[{"path":"/"}]}]}"#] {
            #expect(LambdaRoutes(document, of: "f") == nil)
        }
    }
}
