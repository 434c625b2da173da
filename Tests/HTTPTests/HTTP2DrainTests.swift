import FunctionCore
import HTTPTrigger
import TestSupport
import Testing

@testable import TLS

@Suite("the end of an HTTP/2 connection", .timeLimit(.minutes(1)))
struct HTTP2DrainTests {
    private func holding() -> FakeFunctions { FakeFunctions { _, _, _ in } }

    private func answer(_ ping: WireFrame) -> WireFrame {
        WireFrame(kind: .ping, flags: 1, payload: ping.payload)
    }

    @Test("what is announced first is limited when the client knows, and closed with the last stream")
    func machine() {
        var drain = HTTP2Drain(patience: 3)
        #expect(drain.passed(9, streams: 0) == nil && drain.emptied() == nil && !drain.refuses)
        #expect(drain.began(at: 10) == .announce)
        #expect(drain.began(at: 11) == nil && drain.emptied() == nil && !drain.refuses)
        #expect(drain.passed(12, streams: 1) == nil)
        #expect(drain.acknowledged(streams: 1) == .limit)
        #expect(drain.refuses && drain.acknowledged(streams: 1) == nil)
        #expect(drain.emptied() == .close)
        #expect(drain.emptied() == nil && drain.passed(99, streams: 0) == nil)
        var deaf = HTTP2Drain(patience: 3)
        #expect(deaf.began(at: 10) == .announce)
        #expect(deaf.passed(13, streams: 0) == .close)
    }

    @Test("a server that stops says so, lets what runs end, and then closes")
    func drains() async throws {
        let functions = holding()
        try await secured(functions) { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(.request(1, "GET", "/v1/echo"))
            let run = await functions.run(1)
            async let stopped: Void = server.server.stop(grace: .seconds(20))
            let first = await client.frame { $0.kind == .goAway }
            #expect(first?.code == 0 && first?.last == UInt32(Int32.max))
            let ping = await client.frame { $0.kind == .ping }
            // Sent before the client knew.
            try await client.send(.request(3, "GET", "/v1/echo"), answer(try #require(ping)))
            let late = await functions.run(2)
            let second = await client.frame { $0.kind == .goAway && $0.last == 3 }
            #expect(second?.code == 0)
            // Sent although the client knows.
            try await client.send(.request(5, "GET", "/v1/echo"))
            let refused = await client.frame { $0.stream == 5 }
            #expect(refused?.kind == .reset && refused?.code == 7)
            try await run.act { $0.reply(Bytes("done")) }
            try await late.act { $0.reply(Bytes("late")) }
            await client.waitsForClose()
            #expect(client.body(1) == "done" && client.body(3) == "late")
            await stopped
        }
    }

    @Test("an answer that is out before the client knows is not lost, nor what the client sent meanwhile")
    func early() async throws {
        let functions = holding()
        try await secured(functions) { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(.request(1, "GET", "/v1/echo"))
            let run = await functions.run(1)
            async let stopped: Void = server.server.stop(grace: .seconds(20))
            let ping = await client.frame { $0.kind == .ping }
            try await run.act { $0.reply(Bytes("done")) }
            await client.frame { $0.stream == 1 && $0.endsStream }
            try await client.send(.request(3, "GET", "/v1/echo"), answer(try #require(ping)))
            try await functions.run(2).act { $0.reply(Bytes("more")) }
            await client.waitsForClose()
            #expect(client.body(1) == "done" && client.body(3) == "more")
            await stopped
        }
    }

    @Test("a client that does not say that it knows is taken to know after a while")
    func deaf() async throws {
        var settings = ServerSettings()
        settings.lingerTimeout = .milliseconds(50)
        settings.sweepInterval = .milliseconds(10)
        try await secured(server: settings) { server in
            let client = try await RawClient.http2(server.server.port)
            try await client.send(.request(1, "GET", "/none"))
            await client.frame { $0.stream == 1 && $0.endsStream }
            async let stopped: Void = server.server.stop(grace: .seconds(20))
            await client.waitsForClose()
            let last = client.frames.last { $0.kind == .goAway }
            #expect(last?.last == 1)
            await stopped
        }
    }

    @Test("an idle connection is told to go, and a client that does not answer a ping has gone")
    func idle() async throws {
        var settings = ServerSettings()
        settings.idleTimeout = .milliseconds(50)
        settings.sweepInterval = .milliseconds(10)
        try await secured(server: settings) { server in
            let client = try await RawClient.http2(server.server.port)
            let ping = await client.frame { $0.kind == .ping }
            #expect(client.frames.contains { $0.kind == .goAway && $0.code == 0 })
            try await client.send(answer(try #require(ping)))
            await client.waitsForClose()
        }
    }
}
