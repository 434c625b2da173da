import FunctionCore
import HostKit
import Settings
import TestSupport
import Testing

@Suite("Who may use the admin port", .timeLimit(.minutes(1)))
struct AdminAccessTests {
    private static let token = String(repeating: "k", count: 32)

    private func access(_ change: (inout AdminAccess) -> Void = { _ in }) -> AdminAccess {
        var access = AdminAccess()
        change(&access)
        return access
    }

    @Test(
        "on loopback it answers by loopback's names alone",
        arguments: [
            ("127.0.0.1:8081", true), ("localhost:8081", true), ("LOCALHOST", true), ("[::1]:8081", true),
            ("evil.example:8081", false), ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.5:8081", false), ("", false), ("localhost@evil.example", false), ("[::2]", false),
        ]
    )
    func names(host: String, isKnown: Bool) {
        let refusal = access().refusal("GET", [Header("host", host)], .program)
        #expect(refusal == (isKnown ? nil : .name))
    }

    @Test("a request without a name is refused")
    func nameless() {
        #expect(access().refusal("GET", [], .program) == .name)
    }

    @Test(
        "a page may ask only from the port's own origin",
        arguments: [
            ("http://127.0.0.1:8081", true), ("https://127.0.0.1:8081", true),
            ("http://localhost:8081", false), ("http://127.0.0.1:3000", false),
            ("https://evil.example", false), ("null", false), ("", false),
        ]
    )
    func origins(origin: String, isOwn: Bool) {
        for method in ["GET", "POST"] {
            let headers = [Header("host", "127.0.0.1:8081"), Header("origin", origin)]
            #expect(access().refusal(method, headers, .page) == (isOwn ? nil : .origin), "\(method)")
        }
    }

    @Test("what a browser says of the page that asks counts, but for a link that is followed")
    func sites() {
        func refusal(_ method: String, _ site: String, _ mode: String, _ dest: String) -> AdminAccess.Refusal?
        {
            let headers = [
                Header("host", "localhost:8081"), Header("sec-fetch-site", site),
                Header("sec-fetch-mode", mode),
                Header("sec-fetch-dest", dest),
            ]
            return access().refusal(method, headers, .page)
        }
        #expect(refusal("GET", "none", "navigate", "document") == nil)
        #expect(refusal("POST", "same-origin", "navigate", "document") == nil)
        #expect(refusal("GET", "cross-site", "navigate", "document") == nil)
        #expect(refusal("POST", "cross-site", "navigate", "document") == .origin)
        #expect(refusal("POST", "same-site", "cors", "empty") == .origin)
        #expect(refusal("GET", "cross-site", "no-cors", "image") == .origin)
        #expect(refusal("GET", "cross-site", "navigate", "iframe") == .origin)
    }

    @Test("a token is asked for once there is one, in the form that the door takes")
    func tokens() {
        let access = access { $0.token = AdminAccessTests.token }
        func refusal(_ door: AdminAccess.Door, _ fields: [Header]) -> AdminAccess.Refusal? {
            access.refusal("GET", [Header("host", "localhost")] + fields, door)
        }
        let bearer = Header("authorization", "Bearer \(AdminAccessTests.token)")
        let session = Header("cookie", "a=1; \(AdminAccess.cookie("localhost"))=\(access.session)")
        #expect(refusal(.open, []) == nil)
        #expect(refusal(.program, []) == .token && refusal(.page, []) == .token)
        #expect(refusal(.program, [bearer]) == nil && refusal(.page, [bearer]) == nil)
        let signed =
            "AWS4-HMAC-SHA256 Credential=\(AdminAccessTests.token)/20261121/us-east-1/lambda/aws4_request"
        #expect(refusal(.program, [Header("authorization", signed)]) == nil)
        #expect(refusal(.page, [session]) == nil)
        #expect(refusal(.program, [session]) == .token, "a page's cookie opens the API to its scripts")
        let raw = Header("cookie", "\(AdminAccess.cookie("localhost"))=\(AdminAccessTests.token)")
        #expect(refusal(.page, [raw]) == .token)
        for wrong in [
            "Bearer", "Bearer ", "Bearer \(AdminAccessTests.token)k", "Basic \(AdminAccessTests.token)",
            "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=any/20261121/us-east-1",
        ] {
            #expect(refusal(.program, [Header("authorization", wrong)]) == .token, "\(wrong)")
        }
    }

    @Test("the session of one port is none of another's")
    func ports() {
        let access = access { $0.token = AdminAccessTests.token }
        func refusal(_ host: String, _ cookie: String) -> AdminAccess.Refusal? {
            access.refusal("GET", [Header("host", host), Header("cookie", cookie)], .page)
        }
        let names = ["localhost:8081", "localhost:9081", "localhost", "[::1]:8081", "[::1]"].map {
            AdminAccess.cookie($0)
        }
        let plain = "swiftlet_console"
        #expect(names == ["\(plain)_8081", "\(plain)_9081", plain, "\(plain)_8081", plain])
        #expect(refusal("localhost:8081", "\(plain)_8081=\(access.session)") == nil)
        #expect(refusal("localhost:8081", "\(plain)_9081=\(access.session)") == .token)
        #expect(refusal("localhost:8081", "\(plain)_80810=\(access.session)") == .token)
    }

    @Test("what can be reached from elsewhere answers by addresses and listed names")
    func elsewhere() {
        let access = access {
            $0.bind = "0.0.0.0"
            $0.hosts = ["swiftlet.internal"]
        }
        for (host, isKnown) in [
            ("10.0.0.5:8081", true), ("[fd00::5]:8081", true), ("swiftlet.internal:8081", true),
            ("localhost", true), ("evil.example", false), ("10.0.0.0/8", false),
        ] {
            let refusal = access.refusal("GET", [Header("host", host)], .program)
            #expect(refusal == (isKnown ? nil : .name), "\(host)")
        }
        #expect(access.url(port: 8081) == "http://127.0.0.1:8081")
    }

    @Test(
        "a start is refused where nothing authenticates who can reach the port",
        arguments: [
            (["admin.bind": "0.0.0.0"], "nothing authenticates"),
            (["admin.hosts": "console.example"], "nothing authenticates"),
            (["admin.bind": "::"], "nothing authenticates"), (["admin.bind": "here"], "is no address"),
            (["admin.bind": "10.0.0.0/8"], "is no address"), (["admin.token": "short"], "too short"),
            (["admin.token": String(repeating: "k ", count: 20)], "holds spaces"),
        ]
    )
    func settings(flags: [String: String], words: String) {
        let problems = problems(flags)
        #expect(problems.count == 1 && problems.first?.contains(words) == true, "\(problems)")
    }

    @Test("with a token of enough length any address will do, and it is shown to nobody")
    func good() {
        #expect(problems(["admin.bind": "0.0.0.0", "admin.token": AdminAccessTests.token]) == [])
        let settings = Configuration.resolve(
            flags: ["admin.token": AdminAccessTests.token],
            environment: [:],
            file: nil,
            problems: Problems()
        )
        #expect(settings.secrets == [AdminAccessTests.token])
    }

    private func problems(_ flags: [String: String]) -> [String] {
        let problems = Problems()
        let settings = Configuration.resolve(flags: flags, environment: [:], file: nil, problems: problems)
        _ = HostSettings(settings, problems: problems)
        return problems.all.map(\.description)
    }
}
