import FunctionCore
import HTTPTrigger
import Testing

@Suite("Names of static files", .timeLimit(.minutes(1)))
struct StaticNameTests {
    @Test(
        "a path below the mount is a name",
        arguments: [
            ("/assets/app.js", StaticName.entry("app.js")), ("/assets/a/b.css?v=1", .entry("a/b.css")),
            ("/assets/", .folder("")), ("/assets/docs/", .folder("docs")), ("/assets", .mount),
            ("/assets?x", .mount),
            ("/assets/a%20b.txt", .entry("a b.txt")), ("/assets/%C3%A4.txt", .entry("ä.txt")),
            ("/assets/.well-known/security.txt", .entry(".well-known/security.txt")),
            ("/assets/a..b", .entry("a..b")),
        ]
    )
    func names(target: String, name: StaticName) {
        #expect(StaticName(target, below: "/assets") == name)
    }

    @Test(
        "what could lead out of the folder, or to what is not meant, is refused",
        arguments: [
            "/assets/../secret", "/assets/..", "/assets/.", "/assets/%2e%2e/secret", "/assets/%2E./secret",
            "/assets/..%2fsecret", "/assets/a%2f..%2fb", "/assets/a%00.txt", "/assets/a%0a", "/assets/.env",
            "/assets/.git/config",
            "/assets/a/.htpasswd", "/assets/a/.well-known/x", "/assets//etc/passwd", "/assets/a//b",
            "/assets//",
            "/assets/%", "/assets/%2", "/assets/%zz", "/assets/%+1", "/assets/%ff", "/assets/%c0%ae%c0%ae/x",
            "/assets/a%5c..%5cb",
            "/assets/..;/x", "/assetsx", "/other", "*", "",
        ]
    )
    func refused(target: String) {
        let name = StaticName(target, below: "/assets")
        // A name that merely begins with dots is a dot file.
        #expect(name == .refused, "\(name)")
    }

    @Test("a doubly encoded dot is no dot")
    func twice() {
        #expect(StaticName("/assets/%252e%252e/x", below: "/assets") == .entry("%2e%2e/x"))
    }

    @Test("the root can be a mount")
    func root() {
        #expect(StaticName("/", below: "/") == .folder(""))
        #expect(StaticName("/app.js", below: "/") == .entry("app.js"))
        #expect(StaticName("//host/x", below: "/") == .refused)
    }

    @Test(
        "a hash in a name is told from words and dates",
        arguments: [
            ("app.3f9ac2d1.js", true), ("app-3f9ac2d1e0b7.css", true),
            ("a/b/chunk-0123456789abcdef0123.js", true),
            ("3f9ac2d1.js", false), ("app.js", false), ("report-20261121.html", false),
            ("guide-iPhone15.png", false),
            ("app-deadbeef.js", false), ("app-3f9ac2.js", false), ("app.3F9AC2D1.js", false),
            ("app-3f9ac2d1", false),
            ("jquery-3.7.1.min.js", false), ("3f9ac2d1e0b7.chunk.js", false),
            ("vendor.3f9ac2d1.min.js", false),
        ]
    )
    func hashes(name: String, has: Bool) {
        #expect(StaticName.carriesHash(name) == has)
    }
}
