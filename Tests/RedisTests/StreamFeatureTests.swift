import FunctionCore
import Invocations
import NIOCore
import RedisTrigger
import Synchronization
import TestSupport
import Testing

/// Answers each invocation with a whole reply.
private final class ReplyingDispatcher: Dispatching {
    private let answer: @Sendable (RedisEvent) -> Reply

    init(_ answer: @escaping @Sendable (RedisEvent) -> Reply) {
        self.answer = answer
    }

    private struct Done: Dispatched {
        func grant(_ bytes: Int) {}
        func cancel() {}
    }

    func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        let reply = (try? invocation.redisEvent).map(answer) ?? Reply(status: 500)
        sink.eventLoop.execute {
            sink.head(status: reply.status, headers: reply.headers)
            sink.chunk(ByteBuffer(bytes: reply.body.array))
            sink.end(.replied(status: reply.status))
        }
        return Done()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamFeatureTests {
    private func add(_ client: RedisClient, _ fields: [[Bytes]]) async throws -> [String] {
        try await client.pipeline(fields.map { ["XADD", "orders", "*"] + $0 }).compactMap(\.text)
    }

    private func counts(_ client: RedisClient, group: String = "g") async throws -> StreamCounts {
        try await StreamCounts.read(stream: "orders", group: group, from: client)
    }

    @Test("only the entries that a reply names as failed come again; the others are done")
    func partial() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let runs = Mutex<[[String]]>([])
                let dispatcher = ReplyingDispatcher { event in
                    let names = event.entries.map { $0.data["n"]?.stringValue ?? "" }
                    let first = runs.withLock { runs in
                        runs.append(names)
                        return runs.count == 1
                    }
                    guard first else { return .json("done") }
                    return .failing([
                        (event.entries[1].id, FunctionError(code: "busy", message: "later")),
                        (event.entries[2].id, .badRequest("broken", "never")),
                    ])
                }
                let reports = Log<StreamReport>()
                let manifest = Manifest.reader()
                let trigger = StreamTrigger(
                    stream: Manifest.Stream(stream: "orders", group: "g", batch: 4),
                    manifest: manifest,
                    consumer: "host-1",
                    client: client,
                    dispatching: dispatcher,
                    clock: FixedClock(),
                    report: { reports.append($0) }
                )
                let ids = try await add(client, (0..<4).map { ["n", Bytes("\($0)")] })
                trigger.start()
                await reports.wait { $0.acked.count == 3 && $0.deadLetters.count == 1 }
                #expect(runs.withLock { $0 } == [["0", "1", "2", "3"], ["1"]])
                #expect(reports.elements.deadLetters == [ids[2]])
                let counts = try await counts(client)
                #expect(counts == StreamCounts(accepted: 4, completed: 3, deadLettered: 1))
                await trigger.stop()
            }
        }
    }

    @Test("a batch waits for its window to fill, and no longer")
    func window() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let stream = Manifest.Stream(stream: "orders", group: "g", window: .milliseconds(300))
                let test = TriggerUnderTest(client, batch: 3, concurrency: 4, stream: stream)
                test.trigger.start()
                for _ in 0..<4 { _ = try await add(client, [["n", "1"]]) }
                await test.acked(4)
                let sizes = try test.dispatcher.invocations.elements.map {
                    try $0.redisEvent.entries.count
                }
                #expect(sizes == [3, 1])
                await test.trigger.stop()
            }
        }
    }

    @Test("a batch goes on with the trace that its entries share; else it names the place it has in each")
    func traces() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let stream = Manifest.Stream(stream: "orders", group: "g", window: .seconds(5))
                let test = TriggerUnderTest(client, batch: 2, concurrency: 1, stream: stream)
                let (one, other) = (TraceContext.begin(), TraceContext.begin())
                test.trigger.start()
                for trace in [one, one.child(), one, other] {
                    let fields: [Bytes] = [
                        "traceparent", Bytes(trace.traceparent), "type", "t", "data", "{}",
                    ]
                    _ = try await add(client, [fields])
                }
                await test.acked(4)
                let invocations = test.dispatcher.invocations.elements
                try #require(invocations.count == 2)
                #expect(invocations[0].trace.traceID == one.traceID && invocations[0].members.isEmpty)
                #expect(invocations[0].parent == ParentSpan(one.span))
                #expect(![one.traceID, other.traceID].contains(invocations[1].trace.traceID))
                let places = invocations[1].members
                #expect(Set(places.map(\.traceID)) == [one.traceID, other.traceID])
                #expect(Set(places.map(\.parent)) == [ParentSpan(one.span), ParentSpan(other.span)])
                await test.trigger.stop()
            }
        }
    }

    @Test("what the filter does not let pass wakes nobody, and is acknowledged and counted")
    func filter() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let filter = [Manifest.FieldFilter("type", ["paid", "order.*"])]
                let stream = Manifest.Stream(stream: "orders", group: "g", filter: filter)
                let test = TriggerUnderTest(client, stream: stream)
                test.trigger.start()
                let ids = try await add(
                    client,
                    [["type", "paid"], ["type", "order.sent"], ["type", "paid.not"], ["a", "b"]]
                )
                await test.reports.wait { reports in
                    reports.acked.count == 2
                        && reports.flatMap { if case .filtered(let ids) = $0 { ids } else { [] } }.count == 2
                }
                #expect(Set(test.reports.elements.acked) == Set(ids[..<2]))
                #expect(test.dispatcher.invocations.elements.count == 2)
                #expect(try await counts(client) == StreamCounts(accepted: 4, completed: 2, filtered: 2))
                await test.trigger.stop()
            }
        }
    }

    @Test("a new group begins where the manifest says", arguments: [true, false])
    func start(_ isNew: Bool) async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let old = try await add(client, (0..<3).map { ["n", Bytes("\($0)")] })
                let from = isNew ? Manifest.Stream.Start.new : .after(old[0])
                let test = TriggerUnderTest(
                    client,
                    stream: Manifest.Stream(stream: "orders", group: "g", from: from)
                )
                test.trigger.start()
                while try await client.send(["EXISTS", "swiftlet:counts:{orders}:g"]).int == 0 {}
                let ids = try await add(client, [["n", "3"]])
                let expected = isNew ? ids : Array(old[1...]) + ids
                await test.acked(expected.count)
                #expect(Set(test.reports.elements.acked) == Set(expected))
                #expect(try await counts(client).isBalanced == (isNew ? true : nil))
                await test.trigger.stop()
            }
        }
    }

    @Test("a group that began with what was new and is lost begins there again, and passes nothing over")
    func lostNewGroup() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await add(client, [["n", "old"]])
                let test = TriggerUnderTest(
                    client,
                    stream: Manifest.Stream(stream: "orders", group: "g", from: .new)
                )
                test.trigger.start()
                while try await client.send(["EXISTS", "swiftlet:counts:{orders}:g"]).int == 0 {}
                let first = try await add(client, [["n", "1"]])
                await test.acked(1)
                let added = try await client.transaction([
                    ["XGROUP", "DESTROY", "orders", "g"], ["XADD", "orders", "*", "n", "2"],
                ])
                await test.acked(3)
                #expect(Set(test.reports.elements.acked) == Set(first + [added[1].text ?? ""]))
                #expect(test.reports.elements.contains(.groupLost))
                await test.trigger.stop()
            }
        }
    }

    @Test("what all groups are done with is trimmed after its time; nothing that any group still needs")
    func trim() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let ids = try await add(client, (0..<6).map { ["n", Bytes("\($0)")] })
                _ = try await client.send(["XGROUP", "CREATE", "orders", "other", "0"])
                _ = try await client.send([
                    "XREADGROUP", "GROUP", "other", "c", "COUNT", "4", "STREAMS", "orders", ">",
                ])
                _ = try await client.send(["XACK", "orders", "other", ids[0], ids[1], ids[3]])
                let stream = Manifest.Stream(stream: "orders", group: "g", keep: .zero)
                let test = TriggerUnderTest(client, minIdle: .milliseconds(40), stream: stream)
                test.trigger.start()
                await test.acked(6)
                // The other group still holds the third entry.
                while try await client.send(["XLEN", "orders"]).int != 4 {}
                _ = try await client.send(["XACK", "orders", "other", ids[2]])
                while try await client.send(["XLEN", "orders"]).int != 3 {}
                let left = try await client.send(["XRANGE", "orders", "-", "+"]).array ?? []
                #expect(left.compactMap { $0.array?.first?.text } == Array(ids[3...]))
                #expect(try await counts(client).isBalanced == true)
                await test.trigger.stop()
            }
        }
    }

    @Test("dead letters are sent again to the group that gave them up, as the event that they were")
    func redrive() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let heals = Mutex(false)
                let test = TriggerUnderTest(client, attempts: 1) { _ in
                    heals.withLock { $0 } ? .replied(status: 200) : .replied(status: 422)
                }
                let other = TriggerUnderTest(
                    client,
                    stream: Manifest.Stream(stream: "orders", group: "other")
                )
                test.trigger.start()
                other.trigger.start()
                let ids = try await add(client, (0..<3).map { ["n", Bytes("\($0)")] })
                await test.reports.wait { $0.deadLetters.count == 3 }
                await other.acked(3)
                heals.withLock { $0 = true }
                let letters = DeadLetters(of: "orders", client: client)
                #expect(try await letters.count() == 3)
                let first = try await letters.list(limit: 1)
                #expect(try await letters.redrive(first.map(\.id)) == 1)
                #expect(try await letters.redrive(letters.ids(code: "status_422")) == 2)
                await test.acked(3)
                let names = try test.dispatcher.invocations.elements.suffix(3).map {
                    try $0.redisEvent.entries[0]
                }
                #expect(Set(names.map(\.id)) == Set(ids.map { "orders/\($0)" }))
                #expect(Set(names.map(\.data)) == Set((0..<3).map { ["n": .string("\($0)")] }))
                await other.reports.wait { reports in
                    reports.flatMap { if case .filtered(let ids) = $0 { ids } else { [] } }.count == 3
                }
                #expect(try await letters.count() == 0)
                let counts = try await counts(client)
                #expect(counts == StreamCounts(accepted: 6, completed: 3, deadLettered: 3))
                await test.trigger.stop()
                await other.trigger.stop()
            }
        }
    }

    @Test("an acknowledgement that is sent twice is counted once")
    func counted() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client, batch: 10, concurrency: 2) { invocation in
                    (try? invocation.redisEvent.entries.count) == 1 && invocation.attempt == 1
                        ? .timedOut : .replied(status: 200)
                }
                test.trigger.start()
                _ = try await add(client, (0..<200).map { ["n", Bytes("\($0)")] })
                for _ in 0..<4 {
                    _ = try await client.send(["BLPOP", "nothing", "0.05"])
                    // The shared connection goes, with acknowledgements whose replies are lost.
                    _ = try? await client.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"])
                    while (try? await client.send(["PING"])) == nil {}
                    _ = try await add(client, (0..<200).map { ["n", Bytes("\($0)")] })
                }
                var counts = try await counts(client)
                while counts.completed < 1000 { counts = try await self.counts(client) }
                #expect(counts == StreamCounts(accepted: 1000, completed: 1000))
                await test.trigger.stop()
            }
        }
    }
}
