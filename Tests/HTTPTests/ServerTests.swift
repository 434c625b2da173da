import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Server", .timeLimit(.minutes(1)))
struct ServerTests {
    @Test("a busy port is named, with what to do about it")
    func busyPort() async throws {
        try await TestServer.run { host in
            let port = host.server.port
            let error = await #expect(throws: ServerError.self) {
                let router = try Router()
                _ = try await HTTPServer.bind(
                    host: "127.0.0.1",
                    port: port,
                    group: TestServer.group,
                    gateway: Gateway(router: router, hash: { $0.text }),
                    clock: { Instant(seconds: 0) }
                )
            }
            #expect(error?.code == "port_in_use")
            #expect(
                error?.message.hasPrefix("port \(port) on 127.0.0.1 is in use; stop what listens there")
                    == true
            )
        }
    }

    @Test("an address that is not this machine's is named")
    func foreignAddress() async throws {
        let error = await #expect(throws: ServerError.self) {
            let router = try Router()
            _ = try await HTTPServer.bind(
                host: "192.0.2.1",
                port: 0,
                group: TestServer.group,
                gateway: Gateway(router: router, hash: { $0.text }),
                clock: { Instant(seconds: 0) }
            )
        }
        #expect(error?.code == "address_unavailable")
    }

    @Test("a connection too many is answered with 503 and closed, and its place is free again after")
    func connections() async throws {
        var settings = ServerSettings()
        settings.maxConnections = 1
        try await TestServer.run(server: settings) { host in
            let first = try await host.client()
            try await first.send(TestServer.get("/v1/echo"))
            _ = try await first.response()
            let second = try await host.client()
            let response = try await second.response()
            #expect(
                response.status == 503 && response["connection"] == "close" && response["retry-after"] == "1"
            )
            await second.waitsForClose()
            try await first.send(TestServer.get("/v1/echo"))
            #expect(try await first.response().status == 200)
            try await first.close()
            // The host sees the end a moment later than the client.
            var status = 503
            while status == 503 { status = try await host.client().status(of: TestServer.get("/v1/echo")) }
            #expect(status == 200)
        }
    }

    @Test("stopping lets what is in flight finish, tells the client to close, and accepts nothing new")
    func stop() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let idle = try await host.client()
            try await idle.send(TestServer.get("/nowhere"))
            _ = try await idle.response()
            let busy = try await host.client()
            try await busy.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            async let stopped: Void = host.server.stop(grace: .seconds(30))
            await idle.waitsForClose()
            await #expect(throws: (any Error).self) { _ = try await host.client() }
            try await run.act { $0.reply("done") }
            let response = try await busy.response()
            #expect(response.body == "done" && response["connection"] == "close")
            await stopped
        }
    }

    @Test("what outlasts the grace is cancelled")
    func graceEnds() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            await host.server.stop(grace: .milliseconds(20))
            await client.waitsForClose()
            #expect(run.isCancelled.value)
        }
    }

    @Test("a stream that began before the stop is closed at its end")
    func stopStream() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            try await run.act { $0.chunk("one") }
            await client.waits(for: "one")
            async let stopped: Void = host.server.stop(grace: .seconds(30))
            try await run.act { $0.end(.replied(status: 200)) }
            await stopped
            #expect(await client.waitsForClose().hasSuffix("3\r\none\r\n0\r\n\r\n"))
        }
    }
}
