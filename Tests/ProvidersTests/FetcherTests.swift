import FunctionCore
import Glibc
import Synchronization
import Testing

@testable import Fetch
@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct FetcherTests {
    private static func plain(_ text: String, status: Int = 200, headers: [Header] = []) -> OfflineAnswer {
        OfflineAnswer(status: status, headers: headers, body: .whole(Bytes(text)))
    }

    private func fetcher(_ servers: TinyServer...) throws -> Fetcher {
        try Fetcher(Fetcher.Settings(allow: AllowList(servers.map { "127.0.0.1:\($0.port)" })))
    }

    private func error(_ body: () async throws -> Void) async -> FetchError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? FetchError
        }
    }

    @Test("a request arrives as it was made, and its reply comes back whole")
    func exchange() async throws {
        let server = TinyServer { Self.plain("\($0.method) \($0.path) \($0.body.text)") }
        defer { server.stop() }
        let response = try await fetcher(server).send(
            OutboundRequest(
                method: "PUT",
                url: server.url("/a?b=c#d"),
                headers: [Header("X-One", "1"), Header("X-Empty", "")],
                body: "body"
            )
        )
        #expect(response.status == 200)
        #expect(response.headers.first("content-length") == "15")
        #expect(try await response.body.collect().text == "PUT /a?b=c body")
        #expect(server.seen[0].headers.first("x-one") == "1")
        #expect(server.seen[0].headers.first("x-empty") == "")
        #expect(server.seen[0].headers.first("content-type") == nil)
        #expect(server.seen[0].headers.first("expect") == nil)
    }

    @Test("private addresses and plain http are refused unless host and port are named")
    func policy() async throws {
        let server = TinyServer { _ in Self.plain("secret") }
        let other = TinyServer { _ in Self.plain("secret") }
        defer {
            server.stop()
            other.stop()
        }
        let strict = try Fetcher()
        let refused = [
            server.url("/"), "https://127.0.0.1:\(server.port)/", "https://localhost:\(server.port)/",
            "https://[::1]:\(server.port)/", "https://0x7f000001:\(server.port)/", "https://10.0.0.1/",
            "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]:\(server.port)/",
            "file:///etc/passwd",
            "ftp://example.com/",
        ]
        for url in refused {
            let found = await error {
                _ = try await strict.send(OutboundRequest(url: url, timeout: .seconds(3)))
            }
            #expect(found?.code == .refused, "\(url)")
        }
        let found = await error { _ = try await fetcher(server).send(OutboundRequest(url: other.url("/"))) }
        #expect(found?.code == .refused)
        #expect(server.seen.isEmpty && other.seen.isEmpty)
    }

    @Test("private ranges are told from public ones")
    func ranges() {
        let table: [([UInt8], Bool)] = [
            ([8, 8, 8, 8], false), ([127, 9, 9, 9], true), ([172, 15, 0, 1], false), ([172, 16, 0, 1], true),
            ([172, 32, 0, 1], false), ([192, 168, 1, 1], true), ([100, 64, 0, 1], true),
            ([0, 0, 0, 0], true),
            ([224, 0, 0, 1], true), ([255, 255, 255, 255], true), ([198, 19, 0, 1], true),
            ([1, 1, 1, 1], false),
        ]
        for (bytes, expected) in table {
            #expect(isPrivateAddress(family: AF_INET, bytes) == expected, "\(bytes)")
            let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + bytes
            #expect(isPrivateAddress(family: AF_INET6, mapped) == expected, "mapped \(bytes)")
        }
        let google: [UInt8] = [0x2A, 0, 0x14, 0x50] + [UInt8](repeating: 0, count: 11) + [1]
        #expect(!isPrivateAddress(family: AF_INET6, google))
        #expect(isPrivateAddress(family: AF_INET6, [0xFE, 0x80] + [UInt8](repeating: 0, count: 14)))
        #expect(isPrivateAddress(family: AF_INET6, [0xFD] + [UInt8](repeating: 0, count: 15)))
    }

    @Test("a redirect is followed only when asked, at most three times, and each target is checked")
    func redirects() async throws {
        let other = TinyServer {
            Self.plain("other \($0.method) \($0.headers.first("authorization") ?? "none")")
        }
        let otherPort = other.port
        let server = TinyServer { request in
            switch request.path {
            case "/loop": Self.plain("", status: 302, headers: [Header("location", "/loop")])
            case "/away":
                Self.plain(
                    "x",
                    status: 302,
                    headers: [Header("location", "http://127.0.0.1:\(otherPort)/there")]
                )
            case "/near": Self.plain("x", status: 307, headers: [Header("location", "/end")])
            default: Self.plain("\(request.method) \(request.headers.first("authorization") ?? "none")")
            }
        }
        defer {
            server.stop()
            other.stop()
        }
        func send(_ fetcher: Fetcher, _ path: String, _ redirects: Int) async throws -> (Int, String) {
            let request = OutboundRequest(
                method: "POST",
                url: server.url(path),
                headers: [Header("Authorization", "key")],
                body: "x",
                redirects: redirects
            )
            let response = try await fetcher.send(request)
            return (response.status, try await response.body.collect().text)
        }
        let alone = try fetcher(server)
        #expect(try await send(alone, "/near", 0) == (307, "x"))
        #expect(try await send(alone, "/near", 3) == (200, "POST key"))
        #expect(try await send(alone, "/loop", 3) == (302, ""))
        #expect(server.seen.filter { $0.path == "/loop" }.count == 4)
        #expect(await error { _ = try await send(alone, "/away", 3) }?.code == .refused)
        #expect(other.seen.isEmpty)
        #expect(try await send(try fetcher(server, other), "/away", 3) == (200, "other GET none"))
    }

    @Test("a reply over the limit is cut off, whether or not it says its length")
    func sizes() async throws {
        let server = TinyServer { request in
            let text = String(repeating: "x", count: 100_000)
            return request.path == "/said"
                ? Self.plain(text) : OfflineAnswer(body: .events([text], pause: .zero))
        }
        defer { server.stop() }
        let fetcher = try fetcher(server)
        for path in ["/said", "/unsaid"] {
            let found = await error {
                let request = OutboundRequest(url: server.url(path + "?token=hidden"), responseLimit: 50_000)
                _ = try await fetcher.send(request).body.collect()
            }
            #expect(found?.code == .tooLarge)
            #expect(found?.message.contains("hidden") == false)
        }
    }

    @Test("a reader that does not read stops the sender, and then gets everything")
    func backPressure() async throws {
        let size = 32 * 1024 * 1024
        let server = TinyServer { _ in
            OfflineAnswer(body: .whole(Bytes([UInt8](repeating: 120, count: size))))
        }
        defer { server.stop() }
        let request = OutboundRequest(url: server.url("/"), responseLimit: size)
        let response = try await fetcher(server).send(request)
        // The sender is stopped once what it has sent stays the same; kernels buffer a few MiB.
        var before = -1
        while before != server.bytesSent || before == 0 {
            before = server.bytesSent
            try await onThread { _ = usleep(100_000) }
        }
        #expect(before < size / 2)
        #expect(try await response.body.collect().count == size)
    }

    @Test("a cancelled request ends at once, before its head and within its body")
    func cancellation() async throws {
        let server = TinyServer { request in
            if request.path == "/late" { sleep(3) }
            return OfflineAnswer(
                body: .events((0..<1000).map { "data: \($0)\n\n" }, pause: .milliseconds(20))
            )
        }
        defer { server.stop() }
        let fetcher = try fetcher(server)
        let start = Monotonic.now
        let head = Task { try await fetcher.send(OutboundRequest(url: server.url("/late"))) }
        try await eventually { !server.seen.isEmpty }
        head.cancel()
        #expect(await error { _ = try await head.value }?.code == .cancelled)
        let body = Task {
            let response = try await fetcher.send(OutboundRequest(url: server.url("/stream")))
            return try await response.body.collect()
        }
        try await eventually { server.seen.count == 2 }
        body.cancel()
        #expect(await error { _ = try await body.value }?.code == .cancelled)
        #expect(Monotonic.now - start < .seconds(2))
        // Letting go of a body has the same effect.
        _ = try await fetcher.send(OutboundRequest(url: server.url("/stream")))
        try await eventually { server.brokenOff >= 2 }
    }

    @Test("a request that is not answered in time fails as timed out")
    func timeout() async throws {
        let server = TinyServer { _ in
            sleep(2)
            return Self.plain("")
        }
        defer { server.stop() }
        let request = OutboundRequest(url: server.url("/"), timeout: .milliseconds(100))
        #expect(await error { _ = try await fetcher(server).send(request) }?.code == .timedOut)
    }

    @Test("a shut down fetcher fails what runs and what comes")
    func shutdown() async throws {
        let server = TinyServer { _ in
            sleep(2)
            return Self.plain("")
        }
        defer { server.stop() }
        let fetcher = try fetcher(server)
        let url = server.url("/")
        let running = Task { try await fetcher.send(OutboundRequest(url: url)) }
        try await eventually { !server.seen.isEmpty }
        fetcher.shutdown()
        #expect(await error { _ = try await running.value }?.code == .closed)
        #expect(await error { _ = try await fetcher.send(OutboundRequest(url: url)) }?.code == .closed)
    }

    @Test("many requests at once share the fetcher")
    func many() async throws {
        let server = TinyServer { Self.plain($0.path) }
        defer { server.stop() }
        let fetcher = try fetcher(server)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let response = try await fetcher.send(OutboundRequest(url: server.url("/\(index)")))
                    return try await response.body.collect().text == "/\(index)"
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("headers with line breaks and URLs with credentials are refused, and nothing is shown of them")
    func refusals() async throws {
        let fetcher = try Fetcher()
        let header = OutboundRequest(url: "https://example.com/", headers: [Header("x", "a\r\nsecret: 1")])
        let found = await error { _ = try await fetcher.send(header) }
        #expect(found?.code == .invalidRequest)
        #expect(found?.message.contains("secret") == false)
        let credentials = OutboundRequest(url: "https://user:secret@example.com/")
        let second = await error { _ = try await fetcher.send(credentials) }
        #expect(second?.code == .invalidRequest)
        #expect(second?.message.contains("secret") == false)
        #expect(redacted("https://example.com:8443/a/b?key=secret#x") == "https://example.com:8443/a/b?…")
        #expect(redacted("not a url") == "an unreadable URL")
    }

    @Test("the blocking form answers whole and piece by piece, and stops when its callback throws")
    func blocking() async throws {
        let server = TinyServer { request in
            request.path == "/whole"
                ? Self.plain("whole", status: 201)
                : OfflineAnswer(body: .events(["one", "two", "three"], pause: .milliseconds(30)))
        }
        defer { server.stop() }
        let whole = server.url("/whole")
        let stream = server.url("/stream")
        // On a thread of its own: it blocks.
        let (status, text, pieces, stopped) = try await onThread {
            let (head, body) = try BlockingFetch.send(OutboundRequest(url: whole))
            var pieces: [String] = []
            try BlockingFetch.stream(OutboundRequest(url: stream)) { _ in
            } onPiece: {
                pieces.append($0.text)
            }
            var stopped = false
            do {
                try BlockingFetch.stream(OutboundRequest(url: stream)) { _ in
                } onPiece: { _ in
                    throw CancellationError()
                }
            } catch is CancellationError {
                stopped = true
            }
            return (head.status, body.text, pieces, stopped)
        }
        #expect(status == 201)
        #expect(text == "whole")
        #expect(pieces.joined() == "onetwothree")
        #expect(pieces.count > 1)
        #expect(stopped)
        await #expect(throws: FetchError.self) {
            _ = try await onThread {
                try BlockingFetch.send(OutboundRequest(url: whole), allow: .publicOnly).body
            }
        }
    }
}
