import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import Processes
import TestSupport
import Testing

/// A folder of pages with a server before it.
private struct Site {
    let workspace = Workspace()
    static let script = String(repeating: "let a = 1;\n", count: 500)

    init() {
        for folder in ["web", "web/docs", "web/.git"] { mkdir("\(workspace.path)/\(folder)", 0o755) }
        write("web/index.html", "<h1>home</h1>")
        write("web/docs/index.html", "<h1>docs</h1>")
        write("web/app.3f9ac2d1.js", Site.script)
        write("web/digits.txt", "0123456789")
        write("web/empty.css", "")
        write("web/.git/config", "secret")
        write("secret.txt", "secret")
    }

    func write(_ name: String, _ text: String) {
        store(Array(text.utf8), at: "\(workspace.path)/\(name)")
    }

    func link(_ target: String, _ name: String) {
        symlink(target, "\(workspace.path)/web/\(name)")
    }

    func run(
        at path: String = "/pages",
        _ change: (inout Manifest.StaticFolder) -> Void = { _ in },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        var manifest = Manifest(name: "pages")
        var folder = Manifest.StaticFolder(path: path, folder: "\(workspace.path)/web")
        change(&folder)
        manifest.folders = [folder]
        manifest.routes = [Manifest.Route(method: "GET", path: "/pages/own", operation: "")]
        try await TestServer.run(manifests: [manifest], body)
    }
}

@Suite("Static folders", .timeLimit(.minutes(1)))
struct StaticFolderTests {
    @Test("a file comes with its type, its validators and how long it may be kept")
    func plain() async throws {
        let site = Site()
        try await site.run { server in
            let page = try await server.ask(TestServer.get("/pages/"))
            #expect(page.status == 200)
            #expect(page.body == "<h1>home</h1>")
            #expect(page["content-type"] == "text/html; charset=utf-8")
            #expect(page["cache-control"] == "no-cache")
            #expect(page["x-content-type-options"] == "nosniff")
            #expect(page["content-length"] == "13")
            #expect(page["last-modified"]?.hasSuffix("GMT") == true)
            let script = try await server.ask(TestServer.get("/pages/app.3f9ac2d1.js"))
            #expect(script["cache-control"] == "public, max-age=31536000, immutable")
            #expect(script["content-type"] == "text/javascript; charset=utf-8")
            #expect(script.body == Site.script)
            let etag = try #require(script["etag"])
            #expect(etag.hasPrefix("\"") && etag != page["etag"])
            #expect(try await server.ask(TestServer.get("/pages/empty.css")).status == 200)
        }
    }

    @Test("a client that has the file is told so, and one that has another gets it")
    func conditional() async throws {
        let site = Site()
        try await site.run { server in
            let first = try await server.ask(TestServer.get("/pages/digits.txt"))
            let etag = try #require(first["etag"])
            let date = try #require(first["last-modified"])
            for condition in [
                "If-None-Match: \(etag)", "If-None-Match: W/\(etag)", "If-Modified-Since: \(date)",
            ] {
                let again = try await server.ask(TestServer.get("/pages/digits.txt", "\(condition)\r\n"))
                #expect(again.status == 304)
                #expect(again["etag"] == etag)
                #expect(again["cache-control"] == "no-cache")
                #expect(again["content-type"] == nil)
            }
            site.write("web/digits.txt", "9876543210!")
            let changed = try await server.ask(
                TestServer.get("/pages/digits.txt", "If-None-Match: \(etag)\r\n")
            )
            #expect(changed.status == 200)
            #expect(changed.body == "9876543210!")
            let failed = try await server.ask(TestServer.get("/pages/digits.txt", "If-Match: \(etag)\r\n"))
            #expect(failed.status == 412)
        }
    }

    @Test("a part is given, but not of another state of the file, and not to HEAD")
    func ranges() async throws {
        let site = Site()
        try await site.run { server in
            let part = try await server.ask(TestServer.get("/pages/digits.txt", "Range: bytes=2-4\r\n"))
            #expect(part.status == 206)
            #expect(part.body == "234")
            #expect(part["content-range"] == "bytes 2-4/10")
            let etag = try #require(part["etag"])
            let same = "Range: bytes=-3\r\nIf-Range: \(etag)\r\n"
            #expect(try await server.ask(TestServer.get("/pages/digits.txt", same)).body == "789")
            let other = "Range: bytes=-3\r\nIf-Range: \"other\"\r\n"
            #expect(try await server.ask(TestServer.get("/pages/digits.txt", other)).body == "0123456789")
            let beyond = try await server.ask(TestServer.get("/pages/digits.txt", "Range: bytes=10-\r\n"))
            #expect(beyond.status == 416)
            #expect(beyond["content-range"] == "bytes */10")
            let head = "HEAD /pages/digits.txt HTTP/1.1\r\nHost: test\r\nRange: bytes=0-1\r\n\r\n"
            let answer = try await server.ask(head, isHead: true)
            #expect(answer.status == 200)
            #expect(answer["content-length"] == "10")
        }
    }

    @Test("a folder's index needs the slash at its end, and there are no lists")
    func folders() async throws {
        let site = Site()
        mkdir("\(site.workspace.path)/web/bare", 0o755)
        try await site.run { server in
            for (path, location) in [
                ("/pages", "/pages/"), ("/pages?a=1", "/pages/?a=1"), ("/pages/docs", "/pages/docs/"),
            ] {
                let moved = try await server.ask(TestServer.get(path))
                #expect(moved.status == 301)
                #expect(moved["location"] == location)
            }
            #expect(try await server.ask(TestServer.get("/pages/docs/")).body == "<h1>docs</h1>")
            #expect(try await server.ask(TestServer.get("/pages/bare/")).status == 404)
            #expect(try await server.ask(TestServer.get("/pages/digits.txt/")).status == 404)
            #expect(try await server.ask(TestServer.get("/pages/own")).body == "")
            let post = try await server.post("/pages/digits.txt", "{}")
            #expect(post.status == 405)
            #expect(post["allow"] == "GET, HEAD")
        }
    }

    @Test(
        "nothing outside the folder is reached, by no name and by no link",
        arguments: [
            "../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "docs/../../secret.txt", "out.txt",
            "way/secret.txt", "up",
            ".git/config", "digits.txt%00.html", "loop", "pipe",
        ]
    )
    func traversal(name: String) async throws {
        let site = Site()
        site.link("../secret.txt", "out.txt")
        site.link("..", "way")
        site.link("\(site.workspace.path)/secret.txt", "up")
        site.link("loop", "loop")
        mkfifo("\(site.workspace.path)/web/pipe", 0o644)
        try await site.run { server in
            let answer = try await server.ask(TestServer.get("/pages/\(name)"))
            #expect(answer.status == 404)
            #expect(!answer.body.contains("secret"))
        }
    }

    @Test("a link within the folder is followed")
    func links() async throws {
        let site = Site()
        site.link("digits.txt", "same.txt")
        try await site.run { server in
            let answer = try await server.ask(TestServer.get("/pages/same.txt"))
            #expect(answer.body == "0123456789")
        }
    }

    @Test(
        "a folder may lie at the root, and a file without a hash may be kept for as long as the manifest says"
    )
    func root() async throws {
        let site = Site()
        try await site.run(at: "/", { $0.maxAge = .seconds(300) }) { server in
            let page = try await server.ask(TestServer.get("/"))
            #expect(page.body == "<h1>home</h1>")
            #expect(page["cache-control"] == "public, max-age=300")
            #expect(try await server.ask(TestServer.get("/docs/index.html")).status == 200)
            #expect(try await server.ask(TestServer.get("//etc/passwd")).status == 404)
        }
        try await site.run({ $0.immutable = true }) { server in
            let text = try await server.ask(TestServer.get("/pages/digits.txt"))
            #expect(text["cache-control"] == "public, max-age=31536000, immutable")
            #expect(try await server.ask(TestServer.get("/pages/"))["cache-control"] == "no-cache")
        }
    }

    @Test("a compressed neighbour is sent to who takes it, unless it is older than the file")
    func neighbour() async throws {
        let site = Site()
        let path = "\(site.workspace.path)/web/app.3f9ac2d1.js"
        let ran = try await Ran.run(ChildSpec("gzip", ["-9", "-k", path]))
        #expect(ran.code == 0, "\(ran.all)")
        try await site.run { server in
            let url = "http://127.0.0.1:\(server.server.port)/pages/app.3f9ac2d1.js"
            let coded = try await Curl.run(["--compressed", "-i", url]).output
            #expect(coded.hasSuffix("\r\n\r\n" + Site.script))
            #expect(coded.contains("content-encoding: gzip\r\n"))
            #expect(coded.contains("vary: Accept-Encoding\r\n"))
            // The file's own tag, and strong: the bytes are those on the disk.
            let tag = try #require(coded.split(separator: "\r\n").first { $0.hasPrefix("etag: \"") })
            #expect(tag.hasSuffix("-gz\""))
            let asking = "Accept-Encoding: gzip\r\nIf-None-Match: \(tag.dropFirst(6))\r\n"
            let again = try await server.ask(TestServer.get("/pages/app.3f9ac2d1.js", asking))
            #expect(again.status == 304)
            #expect(again["vary"] == "Accept-Encoding")
            let plain = try await server.ask(TestServer.get("/pages/app.3f9ac2d1.js"))
            #expect(plain.body == Site.script)
            #expect(plain["vary"] == "Accept-Encoding")
            var times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
            #expect(utimes(path + ".gz", &times) == 0)
            let fresh = try await Curl.run(["--compressed", "-i", url]).output
            #expect(fresh.hasSuffix("\r\n\r\n" + Site.script))
            #expect(fresh.contains("etag: W/"))
        }
    }

    @Test("a large file arrives whole")
    func large() async throws {
        let site = Site()
        let text = String((0..<400_000).map { Character(UnicodeScalar(UInt8(33 + $0 % 90))) })
        site.write("web/large.bin", text)
        try await site.run { server in
            let answer = try await server.ask(TestServer.get("/pages/large.bin"))
            #expect(answer["content-type"] == "application/octet-stream")
            #expect(answer.body == text)
        }
    }
}
