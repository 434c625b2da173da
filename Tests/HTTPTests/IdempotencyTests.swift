import FunctionCore
import HTTPTrigger
import Invocations
import Synchronization
import Testing

/// Keeps answers in memory.
private final class FakeKeeper: IdempotencyKeeping {
    private enum Entry {
        case held(String)
        case kept(String, Int, [Header], Bytes)
    }

    private let entries = Mutex<[String: Entry]>([:])
    let calls = Watched<[String]>([])

    func begin(
        function: String,
        principal: String?,
        key: String,
        requestHash: String
    ) async throws
        -> IdempotencyVerdict
    {
        if key == "broken" { throw FunctionError(status: 503, code: "journal_busy", message: "later") }
        let name = "\(function)/\(principal ?? "-")/\(key)"
        return entries.withLock { entries in
            switch entries[name] {
            case nil:
                entries[name] = .held(requestHash)
                return .proceed
            case .held(let hash): return hash == requestHash ? .inFlight : .mismatch
            case .kept(let hash, let status, let headers, let body):
                return hash == requestHash ? .replay(status: status, headers: headers, body: body) : .mismatch
            }
        }
    }

    func finish(
        function: String,
        principal: String?,
        key: String,
        requestHash: String,
        status: Int,
        headers: [Header],
        body: Bytes
    ) async {
        let name = "\(function)/\(principal ?? "-")/\(key)"
        entries.withLock { $0[name] = .kept(requestHash, status, headers, body) }
        calls.update { $0.append("finish \(name) \(status) \(body.text)") }
    }

    func abandon(function: String, principal: String?, key: String, requestHash: String) async {
        let name = "\(function)/\(principal ?? "-")/\(key)"
        entries.withLock { $0[name] = nil }
        calls.update { $0.append("abandon \(name)") }
    }
}

@Suite("Idempotency keys", .timeLimit(.minutes(1)))
struct IdempotencyTests {
    private static let key = "Idempotency-Key: k1\r\n"

    @Test("a request that comes again is answered from what was kept, and runs nothing")
    func replay() async throws {
        let keeper = FakeKeeper()
        let functions = FakeFunctions { _, sink, _ in
            sink.reply(status: 201, headers: [.json, Header("x-own", "1")], "{\"made\":true}")
        }
        try await TestServer.run(functions, keeper: keeper) { host in
            let first = try await host.post("/v1/keyed", "{}", Self.key)
            #expect(first.status == 201 && first["idempotency-replayed"] == nil)
            let again = try await host.post("/v1/keyed", "{}", Self.key)
            #expect(again.status == 201 && again["idempotency-replayed"] == "true")
            #expect(again.body == first.body && again["x-own"] == "1")
            #expect(functions.runs.value.count == 1)
            #expect(keeper.calls.value == ["finish keyed/-/k1 201 {\"made\":true}"])
        }
    }

    @Test("a streamed reply is kept whole")
    func stream() async throws {
        let keeper = FakeKeeper()
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions, keeper: keeper) { host in
            let client = try await host.client()
            try await client.send(TestServer.post("/v1/keyed", "{}", Self.key))
            let run = await functions.run(1)
            try await run.act { $0.chunk("one ") }
            await client.waits(for: "one")
            try await run.act { sink in
                sink.chunk("two")
                sink.end(.replied(status: 200))
            }
            #expect(try await client.response().body == "one two")
            #expect(try await host.post("/v1/keyed", "{}", Self.key).body == "one two")
        }
    }

    @Test("a request whose key is in use, or was used for another, is refused")
    func refusals() async throws {
        let keeper = FakeKeeper()
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions, keeper: keeper) { host in
            let client = try await host.client()
            try await client.send(TestServer.post("/v1/keyed", "{}", Self.key))
            let run = await functions.run(1)
            let busy = try await host.post("/v1/keyed", "{}", Self.key)
            #expect(busy.status == 409 && busy["retry-after"] == "1")
            #expect(busy.body.contains(#""code":"idempotency_in_flight""#))
            let other = try await host.post("/v1/keyed", "{\"b\":1}", Self.key)
            #expect(other.status == 422 && other.body.contains(#""code":"idempotency_mismatch""#))
            try await run.act { $0.reply("{}") }
            #expect(try await client.response().status == 200)
        }
    }

    @Test("what fails in the host or with 500 is not kept")
    func failures() async throws {
        for outcome in [
            Outcome.replied(status: 500), .timedOut, .failed(FunctionError(code: "x", message: "y")),
        ] {
            let keeper = FakeKeeper()
            try await TestServer.run(.ending(outcome), keeper: keeper) { host in
                let response = try await host.post("/v1/keyed", "{}", Self.key)
                #expect(response.status >= 500)
                await keeper.calls.wait { $0 == ["abandon keyed/-/k1"] }
            }
        }
    }

    @Test("a reply too long to keep is sent, and its key let go")
    func tooLong() async throws {
        let keeper = FakeKeeper()
        var settings = GatewaySettings()
        settings.maxKeptReply = 3
        let functions = FakeFunctions { _, sink, _ in sink.reply("four") }
        try await TestServer.run(functions, keeper: keeper, settings: settings) { host in
            let response = try await host.post("/v1/keyed", "{}", Self.key)
            #expect(response.body == "four")
            await keeper.calls.wait { $0 == ["abandon keyed/-/k1"] }
        }
    }

    @Test("a client that leaves lets its key go")
    func leaves() async throws {
        let keeper = FakeKeeper()
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(functions, keeper: keeper) { host in
            let client = try await host.client()
            try await client.send(TestServer.post("/v1/keyed", "{}", Self.key))
            let run = await functions.run(1)
            try await client.close()
            await run.isCancelled.wait { $0 }
            try await run.act { $0.end(.cancelled) }
            await keeper.calls.wait { $0 == ["abandon keyed/-/k1"] }
        }
    }

    @Test("a key that is empty, too long or not printable is refused, and so is a keeper's failure")
    func badKeys() async throws {
        try await TestServer.run(keeper: FakeKeeper()) { host in
            for key in ["", String(repeating: "k", count: 256), "é"] {
                let response = try await host.post("/v1/keyed", "{}", "Idempotency-Key: \(key)\r\n")
                #expect(response.status == 400 && response.body.contains("bad_idempotency_key"))
            }
            #expect(try await host.post("/v1/keyed", "{}", "Idempotency-Key: broken\r\n").status == 503)
        }
    }

    @Test("a function that does not ask for keys is run each time")
    func ignored() async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(functions, keeper: FakeKeeper()) { host in
            for _ in 1...2 { _ = try await host.post("/v1/echo", "{}", Self.key) }
            #expect(functions.runs.value.count == 2)
        }
    }
}
