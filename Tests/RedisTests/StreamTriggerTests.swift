import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamTriggerTests {
    private func add(_ client: RedisClient, _ count: Int) async throws -> [String] {
        let replies = try await client.pipeline(
            (0..<count).map { ["XADD", "orders", "*", "n", Bytes("\($0)")] }
        )
        return replies.compactMap(\.text)
    }

    private func pending(_ client: RedisClient) async throws -> Int {
        try await client.send(["XPENDING", "orders", "g"]).array?.first?.int ?? -1
    }

    @Test("entries from before and after the start are run once each, and acknowledged")
    func success() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let before = try await add(client, 5)
                let test = TriggerUnderTest(client)
                test.trigger.start()
                await test.acked(5)
                let after = try await add(client, 5)
                await test.acked(10)
                #expect(Set(test.reports.elements.acked) == Set(before + after))
                #expect(try await pending(client) == 0)
                let invocations = test.dispatcher.invocations.elements
                #expect(invocations.count == 10)
                #expect(invocations.allSatisfy { $0.trigger == "redis" && $0.event.operation == "take" })
                #expect(invocations.allSatisfy { $0.event.kind == .redis && $0.attempt == 1 })
                await test.trigger.stop()
            }
        }
    }

    @Test("a bare XADD and an event of ours reach the function in one form")
    func forms() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client, concurrency: 1)
                test.trigger.start()
                let bare = try await client.send(["XADD", "orders", "*", "user", "7"]).text ?? ""
                await test.acked(1)
                let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                let row = OutgoingRow(
                    id: "e1",
                    type: "t",
                    source: "f",
                    time: FixedClock().now,
                    traceparent: trace,
                    principal: "user:1",
                    data: "{\"a\":1}"
                )
                _ = try await client.send(["XADD", "orders", "*"] + StreamEntryCodec.fields(of: row))
                await test.acked(2)
                let invocations = test.dispatcher.invocations.elements
                let first = try invocations[0].redisEvent
                #expect(first.stream == "orders")
                #expect(first.entries[0].id == "orders/\(bare)")
                #expect(first.entries[0].data == ["user": "7"])
                #expect(invocations[0].principal == nil)
                let second = try invocations[1].redisEvent
                #expect(second.entries[0].id == "e1")
                #expect(second.entries[0].data == ["a": 1])
                #expect(invocations[1].trace.traceID == "0af7651916cd43dd8448eb211c80319c")
                #expect(invocations[1].trace.spanID != "b7ad6b7169203331")
                #expect(invocations[1].parent == ParentSpan(0xB7AD_6B71_6920_3331))
                #expect(invocations[0].parent == ParentSpan())
                #expect(invocations[1].principal == "user:1")
                await test.trigger.stop()
            }
        }
    }

    @Test("a failure is retried, then becomes a dead letter with all its fields, and its count is forgotten")
    func deadLetter() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client) { _ in
                    .failed(FunctionError(code: "broken", message: "no luck"))
                }
                let id = try await client.send(["XADD", "orders", "*", "a", "1", "b", "2"]).text ?? ""
                test.trigger.start()
                await test.reports.wait { !$0.deadLetters.isEmpty }
                #expect(test.dispatcher.invocations.elements.map(\.attempt) == [1, 2, 3])
                let letters = try await client.send(["XRANGE", "dead:{orders}", "-", "+"])
                let values = (letters.array?.first?.array?.last?.array ?? []).compactMap(\.text)
                #expect(
                    values == [
                        "a", "1", "b", "2", "dead.stream", "orders", "dead.group", "g", "dead.entry", id,
                        "dead.function", "reader", "dead.attempts", "3", "dead.code", "broken",
                        "dead.message", "no luck", "dead.at", FixedClock().now.rfc3339,
                    ]
                )
                #expect(letters.array?.count == 1)
                #expect(try await pending(client) == 0)
                #expect(try await client.send(["EXISTS", "swiftlet:attempts:{orders}:g"]).int == 0)
                await test.trigger.stop()
            }
        }
    }

    @Test("a dead letter that cannot be written leaves its entry pending")
    func deadLetterRefused() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["SET", "dead:{orders}", "in the way"])
                let test = TriggerUnderTest(client, attempts: 1) { _ in .timedOut }
                test.trigger.start()
                _ = try await add(client, 1)
                await test.reports.wait { $0.contains { if case .settleFailed = $0 { true } else { false } } }
                #expect(try await pending(client) == 1)
                _ = try await client.send(["DEL", "dead:{orders}"])
                await test.reports.wait { !$0.deadLetters.isEmpty }
                #expect(try await pending(client) == 0)
                #expect(test.dispatcher.invocations.elements.count == 1)
                await test.trigger.stop()
            }
        }
    }

    @Test("what a host had under way when it died is run again after its restart, with its count of failures")
    func restart() async throws {
        try await RedisServer.with { url in
            let first = RedisClient(url: try RedisURL(url), on: MultiThreadedEventLoopGroup.singleton.next())
            try await first.connect()
            let dying = TriggerUnderTest(first, attempts: 9) { $0.attempt == 1 ? .timedOut : nil }
            dying.trigger.start()
            let ids = try await add(first, 3)
            await dying.dispatcher.invocations.wait { $0.count(where: { $0.attempt == 2 }) == 3 }
            // Its connection goes, and nothing that it still finishes can be said to Redis.
            await first.shutdown()
            try await withClient(url) { client in
                let left = try await pending(client)
                #expect(left == 3)
                let test = TriggerUnderTest(client, attempts: 9)
                test.trigger.start()
                await test.acked(3)
                #expect(Set(test.reports.elements.acked) == Set(ids))
                #expect(test.dispatcher.invocations.elements.map(\.attempt) == [2, 2, 2])
                let counts = try await client.send(["EXISTS", "swiftlet:attempts:{orders}:g"])
                #expect(counts.int == 0)
                await test.trigger.stop()
            }
            await dying.trigger.stop(grace: .zero)
        }
    }

    @Test("what another consumer left behind is taken over once it has been idle")
    func claims() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let ids = try await add(client, 7)
                _ = try await client.send(["XGROUP", "CREATE", "orders", "g", "0"])
                let read = ["XREADGROUP", "GROUP", "g", "gone", "COUNT", "100", "STREAMS", "orders", ">"]
                _ = try await client.send(read)
                _ = try await client.send(["XDEL", "orders", ids[3]])
                let test = TriggerUnderTest(client, concurrency: 2, minIdle: .milliseconds(40))
                test.trigger.start()
                await test.acked(6)
                await test.reports.wait { $0.contains(.lost(entries: [ids[3]])) }
                #expect(Set(test.reports.elements.acked).isSuperset(of: ids.filter { $0 != ids[3] }))
                #expect(try await pending(client) == 0)
                await test.trigger.stop()
            }
        }
    }

    @Test("what runs longer than the idle time is kept from the others by renewals")
    func renewals() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let slow = TriggerUnderTest(client, concurrency: 1, minIdle: .seconds(2)) { _ in nil }
                slow.trigger.start()
                _ = try await add(client, 1)
                await slow.dispatcher.invocations.wait { $0.count == 1 }
                let other = TriggerUnderTest(client, consumer: "host-2", minIdle: .seconds(2))
                other.trigger.start()
                // Four seconds of renewals, counted by what they do to the entry's idle time.
                for _ in 0..<40 {
                    _ = try await client.send(["BLPOP", "nothing", "0.1"])
                    let row = try await client.send(["XPENDING", "orders", "g", "-", "+", "1"]).array?.first?
                        .array
                    #expect(row?[1].text == "host-1")
                }
                #expect(other.dispatcher.invocations.elements.isEmpty)
                await slow.trigger.stop(grace: .zero)
                await other.acked(1)
                await other.trigger.stop()
            }
        }
    }

    @Test("at most `concurrency` events run at once; the rest stays in Redis")
    func bounded() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await add(client, 50)
                let test = TriggerUnderTest(client, batch: 2, concurrency: 3) { _ in nil }
                test.trigger.start()
                await test.dispatcher.invocations.wait { $0.count == 3 }
                #expect(try await pending(client) == 6)
                await test.trigger.stop(grace: .zero)
                #expect(test.dispatcher.invocations.elements.count == 3)
                #expect(try await pending(client) == 6)
            }
        }
    }

    @Test("a stream that is deleted, and a group that is destroyed, are made again")
    func groupGone() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client)
                test.trigger.start()
                _ = try await add(client, 1)
                await test.acked(1)
                _ = try await client.send(["DEL", "orders"])
                await test.reports.wait { $0.contains(.groupLost) }
                _ = try await add(client, 1)
                await test.acked(2)
                _ = try await client.send(["XGROUP", "DESTROY", "orders", "g"])
                await test.reports.wait { $0.count(where: { $0 == .groupLost }) == 2 }
                _ = try await add(client, 1)
                // The stream's one older entry runs again, as the new group begins at the start.
                await test.acked(4)
                await test.trigger.stop()
            }
        }
    }

    @Test("a key of the wrong type is reported, and outlived once it is removed")
    func wrongType() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["SET", "orders", "string"])
                let test = TriggerUnderTest(client)
                test.trigger.start()
                await test.reports.wait { reports in
                    reports.contains {
                        if case .redisDown(let error) = $0 { error.kind == "WRONGTYPE" } else { false }
                    }
                }
                await test.trigger.stop()
            }
        }
    }

    @Test("Redis is killed again and again under load: nothing that it acknowledged is lost")
    func restarts() async throws {
        try await RedisServer.run(persistent: true) { server in
            try await withClient(server.url) { client in
                let runs = Mutex<[String: Int]>([:])
                let test = TriggerUnderTest(client, concurrency: 8) { invocation in
                    let ids = (try? invocation.redisEvent.entries.map(\.id)) ?? []
                    return runs.withLock { runs in
                        for id in ids { runs[id, default: 0] += 1 }
                        // Some fail at first, so that retries are under way as well.
                        return runs[ids[0]] == 1 && ids[0].hasSuffix("7-0")
                            ? .timedOut : .replied(status: 200)
                    }
                }
                test.trigger.start()
                var stored: Set<String> = []
                for _ in 0..<4 {
                    for _ in 0..<5 {
                        let commands = (0..<50).map { _ -> [Bytes] in ["XADD", "orders", "*", "f", "v"] }
                        let replies = (try? await client.pipeline(commands)) ?? []
                        stored.formUnion(replies.compactMap { $0.isNull ? nil : $0.text })
                    }
                    await server.kill()
                    try await server.start()
                    await withCheckedContinuation { continuation in
                        client.eventLoop.execute { client.whenConnected { continuation.resume() } }
                    }
                }
                let expected = stored
                await test.reports.wait { Set($0.acked).isSuperset(of: expected) }
                let ran = Set(runs.withLock { $0.keys }.map { String($0.dropFirst("orders/".count)) })
                #expect(ran.isSuperset(of: expected))
                #expect(expected.count >= 900)
                await test.trigger.stop()
            }
        }
    }
}
