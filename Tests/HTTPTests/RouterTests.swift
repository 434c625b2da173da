import FunctionCore
import Invocations
import Testing

@testable import HTTPTrigger

@Suite("Router", .timeLimit(.minutes(1)))
struct RouterTests {
    private func tree() throws -> RouteTree<String> {
        var tree = RouteTree<String>()
        let routes = [
            ("GET", "/"), ("GET", "/v1/users/{user}"), ("GET", "/v1/users/me"), ("POST", "/v1/users/me"),
            ("DELETE", "/v1/users/{user}"), ("GET", "/v1/users/{user}/scripts/{id}"),
            ("GET", "/v1/users/me/{rest*}"),
            ("GET", "/v1/blobs/{key*}"), ("HEAD", "/v1/own-head"), ("GET", "/v1/own-head"),
        ]
        for (method, path) in routes { tree.insert(method, try RoutePattern(path), "\(method) \(path)") }
        return tree
    }

    private func describe(_ match: RouteTree<String>.Match) -> String {
        switch match {
        case .found(let route, let parameters):
            ([route] + parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(
                separator: " "
            )
        case .otherMethods(let methods): "405 " + methods.sorted().joined(separator: ",")
        case .unknown: "404"
        }
    }

    @Test(
        "a request finds its route",
        arguments: [
            ("GET", "/", "GET /"),
            ("GET", "/?a=b", "GET /"),
            ("GET", "/v1/users/me", "GET /v1/users/me"),
            ("GET", "/v1/users/7", "GET /v1/users/{user} user=7"),
            ("GET", "/v1/users/7?x=/scripts/3", "GET /v1/users/{user} user=7"),
            ("DELETE", "/v1/users/me", "DELETE /v1/users/{user} user=me"),
            ("GET", "/v1/users/me/scripts/3", "GET /v1/users/me/{rest*} rest=scripts/3"),
            ("GET", "/v1/users/me/other", "GET /v1/users/me/{rest*} rest=other"),
            (
                "GET", "/v1/users/a%20b%2Fc/scripts/%C3%A9",
                "GET /v1/users/{user}/scripts/{id} id=é user=a b/c"
            ),
            ("GET", "/v1/blobs/outputs/7/x.mp4", "GET /v1/blobs/{key*} key=outputs/7/x.mp4"),
            ("GET", "http://host:8080/v1/users/7?q", "404"),
            ("HEAD", "/v1/users/7", "GET /v1/users/{user} user=7"),
            ("HEAD", "/v1/own-head", "HEAD /v1/own-head"),
            ("PUT", "/v1/users/me", "405 DELETE,GET,POST"),
            ("PUT", "/v1/users/7", "405 DELETE,GET"),
            ("POST", "/v1/blobs/a/b", "405 GET"),
            ("GET", "/v1/users", "404"), ("GET", "/v1/users/", "404"), ("GET", "/v1/users/7/", "404"),
            ("GET", "//v1/users/7", "404"), ("GET", "/v1/blobs/", "404"), ("GET", "*", "404"),
            ("GET", "", "404"),
            ("GET", "http://host", "404"),
        ]
    )
    func finds(method: String, target: String, expected: String) throws {
        #expect(describe(try tree().match(method, target)) == expected)
    }

    @Test(
        "a malformed pattern is refused with the reason",
        arguments: [
            ("v1", "begin with `/`"), ("/v1//x", "must be letters"), ("/v1/a b", "must be letters"),
            ("/v1/{user", "closing brace"), ("/v1/{}", "parameter's name"), ("/{a}/{a}", "twice"),
            ("/{all*}/x", "last segment"), ("/v1/%41", "must be letters"), ("/{1a}", "parameter's name"),
        ]
    )
    func refuses(pattern: String, reason: String) {
        let fault = #expect(throws: RouteFault.self) { try RoutePattern(pattern) }
        #expect(fault?.message.contains(reason) == true)
    }

    private func manifest(_ name: String, _ routes: [(String, String)]) -> Manifest {
        var manifest = Manifest(name: name)
        manifest.routes = routes.map { Manifest.Route(method: $0.0, path: $0.1, operation: "") }
        return manifest
    }

    @Test("two functions that claim one route are in conflict, whatever their parameters are called")
    func conflicts() {
        let one = manifest("one", [("GET", "/v1/users/{user}"), ("POST", "/v1/users/{user}")])
        let two = manifest("two", [("GET", "/v1/users/{id}"), ("GET", "/v1/users/me")])
        let found = Router.conflicts([one, two]).map { "\($0.function) \($1.function) \($1.route.path)" }
        #expect(found == ["one two /v1/users/{id}"])
    }

    @Test("a function cannot claim a route of the host")
    func hostRoutes() throws {
        let jobs = EndpointRoute("GET", "/v1/jobs/{id}") { _ in EndpointResponse() }
        let error = #expect(throws: ServerError.self) {
            try Router(functions: [manifest("thief", [("GET", "/v1/jobs/{job}")])], endpoints: [jobs])
        }
        #expect(error?.message == "thief: GET /v1/jobs/{job} belongs to swiftlet already")
    }

    @Test("reserved paths and unknown methods are problems")
    func problems() {
        let routes = [
            ("GET", "/_swiftlet/x"), ("FETCH", "/x"), ("GET", "x"), ("GET", "/_swiftlet"), ("GET", "/fine"),
        ]
        let problems = Router.problems([manifest("odd", routes)]).map { $0.claim.route.path }
        #expect(problems == ["/_swiftlet/x", "/x", "x", "/_swiftlet"])
    }
}
