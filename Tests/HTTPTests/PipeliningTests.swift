import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Testing

@Suite("Pipelining", .timeLimit(.minutes(1)))
struct PipeliningTests {
    @Test("requests sent at once are answered one at a time and in order")
    func order() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send((1...3).map { TestServer.post("/v1/echo", "\($0)") }.joined())
            for number in 1...3 {
                let run = await functions.run(number)
                #expect(functions.runs.value.count == number)
                try await run.act { $0.reply(run.invocation.event.body) }
                #expect(try await client.response().body == "\(number)")
            }
        }
    }

    @Test(
        "a client that sends more than may wait is read no further, and every request is answered in the end"
    )
    func bound() async throws {
        let functions = FakeFunctions { invocation, sink, _ in
            // The first request waits, so that the others pile up.
            if invocation.event.body.text != "0" { sink.reply(invocation.event.body) }
        }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            let count = 5_000
            client.push((0..<count).map { TestServer.post("/v1/echo", "\($0)") }.joined())
            let first = await functions.run(1)
            try await first.act { $0.reply("first") }
            #expect(try await client.response().body == "first")
            await functions.runs.wait { $0.count == count }
            #expect(functions.runs.value.last?.invocation.event.body.text == "\(count - 1)")
        }
    }

    @Test("a client that takes no answers has no new ones made for it")
    func unread() async throws {
        let page = Bytes([UInt8](repeating: 97, count: 16 * 1024))
        let functions = FakeFunctions { _, sink, _ in sink.reply(page) }
        try await TestServer.run(functions) { host in
            let client = try await RawClient.connect(host.server.port, receiveBuffer: 4096)
            try await client.setReading(false)
            client.push(String(repeating: TestServer.get("/v1/echo"), count: 2000))
            // 2000 pages are 32 MB; the sockets and the host together hold a few of them.
            let marker = try await host.client()
            var answered = -1
            while functions.runs.value.count != answered {
                answered = functions.runs.value.count
                try await marker.send(TestServer.get("/nowhere"))
                _ = try await marker.response()
            }
            #expect(answered > 0 && answered < 1000)
            try await client.setReading(true)
            await functions.runs.wait { $0.count == 2000 }
        }
    }

    @Test("a broken request behind a good one is refused in its turn")
    func brokenBehindGood() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo") + "BROKEN\r\n\r\n")
            let run = await functions.run(1)
            try await run.act { $0.reply("good") }
            #expect(try await client.response().body == "good")
            #expect(try await client.response().status == 400)
            await client.waitsForClose()
        }
    }

    @Test("what comes behind a request that asks for the end is not run")
    func behindClose() async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(
                TestServer.get("/v1/echo", "Connection: close\r\n") + TestServer.get("/v1/echo")
            )
            #expect(try await client.response()["connection"] == "close")
            #expect(await client.waitsForClose() == "")
            #expect(functions.runs.value.count == 1)
        }
    }
}
