import FunctionCore
import Synchronization
import Testing

@Suite("server-sent events", .timeLimit(.minutes(1)))
struct ServerSentEventTests {
    /// What a stream writes.
    private func written(_ body: (ReplyStream) async throws -> Void) async throws -> String {
        let text = Mutex("")
        let stream = ReplyStream(
            start: { _, _ in },
            write: { bytes in text.withLock { $0 += bytes.text } }
        )
        try await body(stream)
        return text.withLock { $0 }
    }

    @Test("an event has its fields, and each line of its data a line")
    func fields() async throws {
        let text = try await written {
            try await $0.event("a\nb\r\nc\rd\n", name: "tick", id: "7", retry: .milliseconds(1500))
        }
        #expect(text == "id: 7\nevent: tick\nretry: 1500\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n")
        #expect(try await written { try await $0.event("ü") } == "data: ü\n\n")
        #expect(try await written { try await $0.event("") } == "data: \n\n")
    }

    @Test("a comment cannot become an event")
    func comments() async throws {
        #expect(try await written { try await $0.comment("on\ndata: x") } == ": on\n: data: x\n\n")
    }

    @Test("an id or a name that would begin a line of its own is refused")
    func injection() async {
        for wrong in ["1\n", "\r", "a\r\nb", "\0"] {
            await #expect(throws: FunctionError.self) {
                _ = try await written { try await $0.event("x", id: wrong) }
            }
            await #expect(throws: FunctionError.self) {
                _ = try await written { try await $0.event("x", name: wrong) }
            }
        }
    }

    @Test("the last event that a client has is read from its request, whatever the case of the field")
    func lastEventID() {
        let request = HTTPRequest(method: "GET", target: "/", headers: [Header("LAST-EVENT-ID", "41")])
        #expect(request.lastEventID == "41")
        #expect(HTTPRequest(method: "GET", target: "/").lastEventID == nil)
    }
}
