import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("event streams", .timeLimit(.minutes(1)))
struct EventStreamTests {
    /// A server that says after hundredths of a second what it else says after seconds.
    private static var settings: ServerSettings {
        var settings = ServerSettings()
        settings.sweepInterval = .milliseconds(10)
        settings.heartbeat = .milliseconds(20)
        return settings
    }

    @Test("an idle stream is kept alive by comments, between two events and never within one")
    func heartbeat() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions, server: EventStreamTests.settings) { server in
            let whole = try await server.client()
            try await whole.send(TestServer.get("/v1/echo"))
            let first = await functions.run(1)
            let half = try await server.client()
            try await half.send(TestServer.get("/v1/echo"))
            let second = await functions.run(2)
            try await first.act { sink in
                sink.head(status: 200, headers: [.eventStream])
                sink.chunk("data: one\n\n")
            }
            try await second.act { sink in
                sink.head(status: 200, headers: [.eventStream])
                sink.chunk("data: ha")
            }
            await half.waits(for: "data: ha")
            await whole.waits(for: "data: one\n\n\r\n3\r\n:\n\n\r\n3\r\n:\n\n\r\n3\r\n:\n\n")
            #expect(!half.text.contains(":\n\n"))
            try await second.act { $0.chunk("lf\n\n") }
            await half.waits(for: ":\n\n")
        }
    }

    @Test("the last event that a client has reaches the function, and its leaving cancels the stream")
    func resumes() async throws {
        let functions = FakeFunctions { _, sink, _ in sink.head(status: 200, headers: [.eventStream]) }
        try await TestServer.run(functions) { server in
            let client = try await server.client()
            try await client.send(TestServer.get("/v1/echo", "Last-Event-ID: 41\r\n"))
            let run = await functions.run(1)
            #expect(run.invocation.event.request?.lastEventID == "41")
            await client.waits(for: "\r\n\r\n")
            try await client.close()
            await run.isCancelled.wait { $0 }
        }
    }
}
