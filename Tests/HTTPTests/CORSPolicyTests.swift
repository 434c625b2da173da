import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("CORS policy", .timeLimit(.minutes(1)))
struct CORSPolicyTests {
    private static let routes = [
        Manifest.Route(method: "POST", path: "/v1/things", operation: ""),
        Manifest.Route(method: "GET", path: "/v1/things", operation: ""),
    ]

    private func policy(_ origins: [String], _ change: (inout Manifest.CORS) -> Void = { _ in }) -> CORSPolicy
    {
        var cors = Manifest.CORS(origins: origins)
        change(&cors)
        return CORSPolicy(cors, routes: CORSPolicyTests.routes)
    }

    @Test("a page of a named origin may read, and caches are told that the answer depends on it")
    func named() {
        let policy = policy(["https://app.example.com", "http://localhost:5173"]) { $0.credentials = true }
        let fields = policy.fields(for: "http://localhost:5173")
        #expect(fields.first("access-control-allow-origin") == "http://localhost:5173")
        #expect(fields.first("access-control-allow-credentials") == "true")
        #expect(fields.first("access-control-expose-headers")?.contains("x-swiftlet-invocation") == true)
        #expect(fields.first("vary") == "Origin")
    }

    @Test(
        "others may not, and neither may a request without an origin",
        arguments: [
            "https://evil.com", "https://app.example.com.evil.com", "http://app.example.com",
            "https://app.example.com:8443", "null", "", nil,
        ]
    )
    func others(origin: String?) {
        #expect(policy(["https://app.example.com"]).fields(for: origin) == [Header("vary", "Origin")])
    }

    @Test("a star stands for the names below a host, and not for the host")
    func below() {
        let policy = policy(["https://*.example.com"])
        for origin in ["https://a.example.com", "https://a.b.example.com"] {
            #expect(policy.fields(for: origin).first("access-control-allow-origin") == origin)
        }
        for origin in [
            "https://example.com", "https://evilexample.com", "http://a.example.com", "https://.example.com",
        ] {
            #expect(policy.fields(for: origin).first("access-control-allow-origin") == nil, "\(origin)")
        }
    }

    @Test("where all may, one answer serves all")
    func any() {
        let policy = policy(["*"]) { $0.exposed = [] }
        #expect(policy.fields(for: nil) == [Header("access-control-allow-origin", "*")])
        #expect(policy.fields(for: "https://a.example") == [Header("access-control-allow-origin", "*")])
    }

    @Test("a preflight is told methods, fields and how long it holds")
    func preflight() {
        let policy = policy(["https://app.example.com"]) { $0.maxAge = .seconds(60) }
        let fields = policy.preflight(for: "https://app.example.com")
        #expect(fields.first("access-control-allow-methods") == "GET, POST")
        #expect(
            fields.first("access-control-allow-headers")
                == "content-type, idempotency-key, prefer, x-request-id"
        )
        #expect(fields.first("access-control-max-age") == "60")
        #expect(fields.first("access-control-allow-origin") == "https://app.example.com")
        #expect(fields.first("access-control-allow-credentials") == nil)
        let refused = policy.preflight(for: "https://evil.com")
        #expect(refused.map(\.name) == ["vary"])
    }

    @Test("what a function says of it itself is the gateway's to say")
    func owns() {
        #expect(CORSPolicy.owns("Access-Control-Allow-Origin"))
        #expect(!CORSPolicy.owns("access-control-"))
        #expect(!CORSPolicy.owns("accept"))
    }
}
