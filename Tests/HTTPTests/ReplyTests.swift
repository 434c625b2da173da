import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Testing

@Suite("Replies", .timeLimit(.minutes(1)))
struct ReplyTests {
    @Test("a stream goes out in chunks, each as it comes")
    func stream() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            try await run.act { $0.head(status: 201, headers: [.eventStream]) }
            let head = await client.waits(for: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 201 Created\r\ncontent-type: text/event-stream\r\n"))
            #expect(head.contains("\r\ntransfer-encoding: chunked\r\n"))
            try await run.act { $0.chunk("data: one\n\n") }
            await client.waits(for: "data: one\n\n")
            try await run.act { sink in
                sink.chunk("data: two\n\n")
                sink.end(.replied(status: 201))
            }
            #expect(try await client.response().body == "data: one\n\ndata: two\n\n")
            await run.granted.wait { $0 == 11 }
        }
    }

    @Test("pieces that come in one turn of the loop go out as one chunk")
    func coalesced() async throws {
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [])
            for text in ["a", "b", "c"] { sink.chunk(text) }
        }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            #expect(await client.waits(for: "abc").hasSuffix("\r\n\r\n3\r\nabc\r\n"))
            await functions.run(1).granted.wait { $0 == 3 }
        }
    }

    @Test("a slow client holds back its own stream's credit, and no other's")
    func backPressure() async throws {
        let piece = ByteBuffer(repeating: 97, count: 32 * 1024)
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let slow = try await RawClient.connect(host.server.port, receiveBuffer: 4096)
            try await slow.setReading(false)
            try await slow.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            // Far more than the sockets hold: the credit for the end of it cannot come before the client
            // reads.
            let count = 512
            try await run.act { sink in
                sink.head(status: 200, headers: [])
                for _ in 0..<count { sink.chunk(piece) }
            }
            let quick = try await host.client()
            try await quick.send(TestServer.get("/v1/echo"))
            let other = await functions.run(2)
            try await other.act { $0.chunk("quick") }
            await quick.waits(for: "quick")
            await other.granted.wait { $0 == 5 }
            #expect(run.granted.value < count * piece.readableBytes)
            try await slow.setReading(true)
            await run.granted.wait { $0 == count * piece.readableBytes }
        }
    }

    @Test("a client that leaves cancels its invocation")
    func leaves() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            try await client.close()
            await run.isCancelled.wait { $0 }
            try await run.act { $0.end(.cancelled) }
            let reports = await host.reports.wait { !$0.isEmpty }
            #expect(reports.map(\.status) == [499])
        }
    }

    @Test("HTTP/1.0 gets a stream without chunks, ended by the connection")
    func oldStream() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send("GET /v1/echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let run = await functions.run(1)
            try await run.act { $0.chunk("one") }
            await client.waits(for: "one")
            try await run.act { $0.end(.replied(status: 200)) }
            let text = await client.waitsForClose()
            #expect(text.hasSuffix("\r\n\r\none") && text.contains("connection: close"))
        }
    }

    @Test("a reply without content has no length, and the connection goes on", arguments: [204, 304])
    func empty(status: Int) async throws {
        let functions = FakeFunctions { _, sink, _ in sink.reply(status: status, "must not go out") }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            for _ in 1...2 {
                try await client.send(TestServer.get("/v1/echo"))
                let response = try await client.response()
                #expect(response.status == status && response["content-length"] == nil)
            }
        }
    }

    @Test("headers that belong to the connection or the host are dropped from a function's reply")
    func ownHeaders() async throws {
        let functions = FakeFunctions { _, sink, _ in
            let names = [
                "Connection", "Keep-Alive", "Transfer-Encoding", "content-length", "Upgrade", "Date", "TE",
            ]
            sink.reply(
                headers: names.map { Header($0, "x") } + [
                    Header("X-Own", "kept"), Header("Set-Cookie", "a=b"),
                ]
            )
        }
        try await TestServer.run(functions) { host in
            let response = try await host.ask(TestServer.get("/v1/echo"))
            #expect(response["x-own"] == "kept" && response["set-cookie"] == "a=b")
            #expect(response.headers.filter { $0.value == "x" }.isEmpty)
            #expect(response["content-length"] == "0" && response["date"]?.hasSuffix("GMT") == true)
        }
    }

    @Test(
        "a reply that would break the message becomes 502",
        arguments: [
            (200, Header("x-a", "1\r\nx-b: 2")), (200, Header("x-a", "1\n2")), (200, Header("x a", "1")),
            (200, Header("", "1")), (99, Header("x-a", "1")), (600, Header("x-a", "1")),
            (101, Header("x-a", "1")),
        ]
    )
    func badReply(status: Int, header: Header) async throws {
        for isStream in [false, true] {
            let functions = FakeFunctions { _, sink, _ in
                sink.head(status: status, headers: [header])
                if !isStream { sink.end(.replied(status: status)) }
            }
            try await TestServer.run(functions) { host in
                let response = try await host.ask(TestServer.get("/v1/echo"))
                #expect(response.status == 502)
                #expect(
                    response.golden
                        == #"{"error":{"code":"bad_reply","message":"the reply has a status outside 200 "#
                        + #"to 599, or a header that HTTP does not allow","invocation":"ID"}}"#
                )
                if isStream { await functions.run(1).isCancelled.wait { $0 } }
            }
        }
    }

    static let outcomes: [(Outcome, Int, String?, String)] = [
        (
            .failed(FunctionError(status: 422, code: "unknown_tone", message: "say \"kind\"")), 422, nil,
            #"{"error":{"code":"unknown_tone","message":"say \"kind\"","invocation":"ID"}}"#
        ),
        (
            .failed(
                FunctionError(
                    status: 503,
                    code: "redis_unavailable",
                    message: "later",
                    retry: .after(.milliseconds(2500))
                )
            ),
            503, "3", #"{"error":{"code":"redis_unavailable","message":"later","invocation":"ID"}}"#
        ),
        (
            .timedOut, 504, nil,
            #"{"error":{"code":"timed_out","message":"the function did not answer within its time limit","#
                + #""invocation":"ID"}}"#
        ),
        (
            .expired, 504, nil,
            #"{"error":{"code":"expired","message":"the time limit passed before a worker was free","#
                + #""invocation":"ID"}}"#
        ),
        (
            .workerLost("signal 9"), 502, nil,
            #"{"error":{"code":"worker_lost","message":"the worker ended before it answered: signal 9","#
                + #""invocation":"ID"}}"#
        ),
        (
            .shed(.overloaded, retryAfter: .milliseconds(1)), 429, "1",
            #"{"error":{"code":"overloaded","message":"the function is at its limit; try again later","#
                + #""invocation":"ID"}}"#
        ),
        (
            .shed(.draining, retryAfter: .seconds(5)), 503, "5",
            #"{"error":{"code":"draining","message":"the host is stopping; try again","invocation":"ID"}}"#
        ),
    ]

    @Test("every way to end without a reply has its status and its text", arguments: outcomes)
    func errors(outcome: Outcome, status: Int, retryAfter: String?, body: String) async throws {
        try await TestServer.run(.ending(outcome)) { host in
            let response = try await host.ask(TestServer.get("/v1/echo"))
            #expect(response.status == status && response["retry-after"] == retryAfter)
            #expect(response.golden == body)
            #expect(response["content-type"] == "application/json" && response["x-trace-id"] != nil)
        }
    }

    @Test("404 and 405 have their text, and 405 says what is allowed")
    func noRoute() async throws {
        try await TestServer.run { host in
            let missing = try await host.ask(TestServer.get("/v2"))
            #expect(missing.status == 404)
            #expect(
                missing.golden == #"{"error":{"code":"not_found","message":"no route matches the path; "#
                    + #"see `swiftlet functions`","invocation":"ID"}}"#
            )
            let wrong = try await host.ask("DELETE /v1/echo HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(wrong.status == 405 && wrong["allow"] == "GET, HEAD, POST")
            #expect(
                wrong.golden
                    == #"{"error":{"code":"method_not_allowed","message":"the path does not take DELETE; "#
                    + #"it takes GET, HEAD, POST","invocation":"ID"}}"#
            )
        }
    }

    @Test("a failure after the reply began cuts the connection short of the body's end")
    func cut() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            try await run.act { $0.chunk("part") }
            await client.waits(for: "part")
            try await run.act { $0.end(.workerLost("signal 9")) }
            let text = await client.waitsForClose()
            #expect(text.hasSuffix("4\r\npart\r\n"))
        }
    }

    @Test("a failed event stream ends with an error event")
    func cutEvents() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions) { host in
            let client = try await host.client()
            try await client.send(TestServer.get("/v1/echo"))
            let run = await functions.run(1)
            try await run.act { $0.head(status: 200, headers: [.eventStream]) }
            await client.waits(for: "\r\n\r\n")
            try await run.act { $0.end(.timedOut) }
            let text = await client.waitsForClose()
            #expect(text.contains("event: error\ndata: {\"error\":{\"code\":\"timed_out\""))
            #expect(!text.hasSuffix("0\r\n\r\n"))
        }
    }

    @Test("an error beats a head that has not gone out")
    func lateError() async throws {
        let functions = FakeFunctions { _, sink, _ in
            sink.head(status: 200, headers: [])
            sink.end(.failed(FunctionError(status: 500, code: "oops", message: "no")))
        }
        try await TestServer.run(functions) { host in
            let status = try await host.ask(TestServer.get("/v1/echo")).status
            #expect(status == 500)
        }
    }
}
