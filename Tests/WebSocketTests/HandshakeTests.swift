import FunctionCore
import Testing
import WebSockets

@Suite("the WebSocket handshake", .timeLimit(.minutes(1)))
struct HandshakeTests {
    /// The request of RFC 6455 section 1.3, with some fields taken out and others put in.
    private func headers(without dropped: [String] = [], _ more: [Header] = []) -> [Header] {
        let all = [
            Header("Host", "server.example.com"), Header("Upgrade", "websocket"),
            Header("Connection", "keep-alive, Upgrade"),
            Header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), Header("Sec-WebSocket-Version", "13"),
        ]
        return all.filter { !dropped.contains($0.name) } + more
    }

    private func shake(
        _ headers: [Header],
        method: String = "GET",
        isHTTP11: Bool = true,
        origins: [String] = []
    ) -> Result<SocketHandshake, SocketHandshake.Refusal> {
        Result { () throws(SocketHandshake.Refusal) in
            try SocketHandshake(method: method, isHTTP11: isHTTP11, headers: headers, origins: origins)
        }
    }

    private func status(_ result: Result<SocketHandshake, SocketHandshake.Refusal>) -> Int {
        switch result {
        case .success: 101
        case .failure(let refusal): refusal.error.status
        }
    }

    @Test("the example of the RFC is answered as the RFC says")
    func example() throws {
        let offer = [
            Header("Sec-WebSocket-Protocol", "chat, superchat"), Header("sec-websocket-protocol", "x"),
        ]
        let handshake = try shake(headers(offer)).get()
        #expect(handshake.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(handshake.subprotocols == ["chat", "superchat", "x"])
        #expect(handshake.choice(of: ["superchat", "chat"]) == "superchat")
        #expect(handshake.choice(of: ["other"]) == nil)
    }

    @Test("what is no handshake, or of another version, is told what is spoken here")
    func upgradeRequired() throws {
        let version = [Header("Sec-WebSocket-Version", "8")]
        for result in [
            shake(headers(without: ["Upgrade"])), shake(headers(without: ["Connection"])),
            shake(headers(), method: "POST"), shake(headers(), isHTTP11: false),
            shake(headers(without: ["Sec-WebSocket-Version"])),
            shake(headers(without: ["Sec-WebSocket-Version"], version)),
        ] {
            #expect(status(result) == 426)
            guard case .failure(let refusal) = result else { continue }
            #expect(refusal.headers.first("sec-websocket-version") == "13")
        }
    }

    @Test("a key that is no key is refused")
    func key() {
        for key in ["", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZQ", "!"] {
            let wrong = [Header("Sec-WebSocket-Key", key)]
            #expect(status(shake(headers(without: ["Sec-WebSocket-Key"], wrong))) == 400)
        }
        #expect(status(shake(headers([Header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]))) == 400)
        #expect(status(shake(headers([Header("Sec-WebSocket-Protocol", "a b")]))) == 400)
        #expect(status(shake(headers([Header("Sec-WebSocket-Protocol", "a, a")]))) == 400)
    }

    @Test("a page of another origin may connect only where it is listed")
    func origin() {
        func origin(_ text: String, _ origins: [String] = []) -> Int {
            status(shake(headers([Header("Origin", text)]), origins: origins))
        }
        #expect(origin("https://server.example.com") == 101)
        #expect(origin("http://Server.Example.com") == 101)
        #expect(origin("https://evil.example") == 403)
        #expect(origin("https://server.example.com.evil.example") == 403)
        #expect(origin("null") == 403)
        #expect(origin("https://app.example", ["https://app.example"]) == 101)
        #expect(origin("null", ["*"]) == 101)
        let twice = [
            Header("Origin", "https://server.example.com"), Header("Origin", "https://evil.example"),
        ]
        #expect(status(shake(headers(twice))) == 403)
    }
}
