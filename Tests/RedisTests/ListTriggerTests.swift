import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ListTriggerTests {
    private func push(_ client: RedisClient, _ range: Range<Int>) async throws {
        _ = try await client.send(["LPUSH", "work"] + range.map { Bytes("{\"n\":\($0)}") })
    }

    private func count(_ client: RedisClient, _ list: String) async throws -> Int {
        try await client.send(["LLEN", Bytes(list)]).int ?? -1
    }

    /// The numbers that invocations carry, in order.
    private func numbers(_ invocations: [Invocation]) -> [Int] {
        invocations.flatMap { (try? $0.redisEvent.entries) ?? [] }.compactMap { $0.data["n"]?.intValue }
    }

    @Test("elements are taken in the order in which they were pushed, run once each, and are gone then")
    func success() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                try await push(client, 0..<5)
                let test = ListUnderTest(client, concurrency: 1)
                test.trigger.start()
                await test.acked(5)
                try await push(client, 5..<8)
                await test.acked(8)
                let invocations = test.dispatcher.invocations.elements
                #expect(numbers(invocations) == Array(0..<8))
                #expect(invocations.allSatisfy { $0.trigger == "redis" && $0.event.operation == "take" })
                #expect(try invocations[0].redisEvent.stream == "work")
                #expect(try invocations[0].redisEvent.entries[0].type == "redis.entry")
                #expect(try await count(client, "work") == 0)
                #expect(try await count(client, ListUnderTest.taken) == 0)
                await test.trigger.stop()
            }
        }
    }

    @Test("a producer that uses RPUSH is served with `take: left`, and batches keep the order")
    func fromLeft() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["RPUSH", "work"] + (0..<7).map { Bytes("{\"n\":\($0)}") })
                let test = ListUnderTest(client, fromLeft: true, batch: 4, concurrency: 1)
                test.trigger.start()
                await test.acked(7)
                #expect(numbers(test.dispatcher.invocations.elements) == Array(0..<7))
                #expect(test.dispatcher.invocations.elements.count < 7)
                await test.trigger.stop()
            }
        }
    }

    @Test("text that is no JSON, and equal elements, are elements like all others")
    func forms() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["LPUSH", "work", "plain", "plain", "plain"])
                let test = ListUnderTest(client)
                test.trigger.start()
                await test.acked(3)
                let entries = try test.dispatcher.invocations.elements.flatMap { try $0.redisEvent.entries }
                #expect(entries.map(\.data) == Array(repeating: ["data": "plain"], count: 3))
                #expect(Set(entries.map(\.id)).count == 3)
                await test.trigger.stop()
            }
        }
    }

    @Test("a failure is retried, then becomes a dead letter that says why, and its count is forgotten")
    func deadLetter() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = ListUnderTest(client) { _ in
                    .failed(FunctionError(code: "broken", message: "no luck"))
                }
                test.trigger.start()
                try await push(client, 0..<1)
                await test.reports.wait { !$0.deadLetters.isEmpty }
                #expect(test.dispatcher.invocations.elements.map(\.attempt) == [1, 2, 3])
                let letters = try await client.send(["XRANGE", "dead:{work}", "-", "+"])
                let values = (letters.array?.first?.array?.last?.array ?? []).compactMap(\.text)
                #expect(
                    values == [
                        "data", "{\"n\":0}", "dead.list", "work", "dead.take", "right", "dead.entry",
                        values.count > 7 ? values[7] : "", "dead.function", "reader", "dead.attempts", "3",
                        "dead.code", "broken", "dead.message", "no luck", "dead.at",
                        FixedClock().now.rfc3339,
                    ]
                )
                #expect(try await count(client, ListUnderTest.taken) == 0)
                #expect(try await client.send(["EXISTS", "swiftlet:attempts:{work}"]).int == 0)
                await test.trigger.stop()
            }
        }
    }

    @Test("what a host had taken when it died is run again after its restart, with its count of failures")
    func restart() async throws {
        try await RedisServer.with { url in
            let first = RedisClient(url: try RedisURL(url), on: MultiThreadedEventLoopGroup.singleton.next())
            try await first.connect()
            let dying = ListUnderTest(first, attempts: 9) { $0.attempt == 1 ? .timedOut : nil }
            dying.trigger.start()
            try await push(first, 0..<3)
            await dying.dispatcher.invocations.wait { $0.count(where: { $0.attempt == 2 }) == 3 }
            // Its connection goes, and nothing that it still finishes can be said to Redis.
            await first.shutdown()
            try await withClient(url) { client in
                let left = try await count(client, ListUnderTest.taken)
                #expect(left == 3)
                let test = ListUnderTest(client, attempts: 9)
                test.trigger.start()
                await test.acked(3)
                #expect(test.dispatcher.invocations.elements.map(\.attempt) == [2, 2, 2])
                #expect(Set(numbers(test.dispatcher.invocations.elements)) == [0, 1, 2])
                #expect(try await count(client, ListUnderTest.taken) == 0)
                await test.trigger.stop()
            }
            await dying.trigger.stop(grace: .zero)
        }
    }

    @Test("what a consumer that is silent holds is taken over; what one that lives holds is not")
    func claims() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                // Either of the two may be the one that takes over.
                let living = ListUnderTest(client, consumer: "host-2", minIdle: .seconds(2)) {
                    (try? $0.redisEvent.entries[0].data["n"]) == 0 ? nil : .replied(status: 200)
                }
                living.trigger.start()
                try await push(client, 0..<1)
                await living.dispatcher.invocations.wait { $0.count == 1 }
                _ = try await client.send(["LPUSH", "swiftlet:taken:{work}:gone", "{\"n\":7}", "{\"n\":8}"])
                _ = try await client.send(["HSET", "swiftlet:takers:{work}", "gone", "1000"])
                let test = ListUnderTest(client, minIdle: .seconds(2))
                test.trigger.start()
                // Six seconds, in which the renewals of the one that lives keep its element.
                for _ in 0..<60 { _ = try await client.send(["BLPOP", "nothing", "0.1"]) }
                let ran = living.dispatcher.invocations.elements + test.dispatcher.invocations.elements
                #expect(numbers(ran).sorted() == [0, 7, 8])
                let takers = try await client.send(["HKEYS", "swiftlet:takers:{work}"]).array ?? []
                #expect(!takers.compactMap(\.text).contains("gone"))
                await living.trigger.stop(grace: .zero)
                await test.trigger.stop()
            }
        }
    }

    @Test("at most `concurrency` events run at once; what is stopped stays taken")
    func bounded() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                try await push(client, 0..<50)
                let test = ListUnderTest(client, batch: 2, concurrency: 3) { _ in nil }
                test.trigger.start()
                await test.dispatcher.invocations.wait { $0.count == 3 }
                #expect(try await count(client, ListUnderTest.taken) <= 12)
                await test.trigger.stop(grace: .zero)
                #expect(test.dispatcher.invocations.elements.count == 3)
                let left = try await count(client, "work")
                let taken = try await count(client, ListUnderTest.taken)
                #expect(taken + left == 50)
            }
        }
    }

    @Test("a key of the wrong type is reported")
    func wrongType() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["SET", "work", "string"])
                let test = ListUnderTest(client)
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
                let test = ListUnderTest(client, concurrency: 8)
                test.trigger.start()
                var stored: Set<Int> = []
                var next = 0
                for _ in 0..<3 {
                    for _ in 0..<5 {
                        let batch = next..<next + 50
                        next += 50
                        if (try? await push(client, batch)) != nil { stored.formUnion(batch) }
                    }
                    await server.kill()
                    try await server.start()
                    await withCheckedContinuation { continuation in
                        client.eventLoop.execute { client.whenConnected { continuation.resume() } }
                    }
                }
                let expected = stored
                await test.dispatcher.invocations.wait { invocations in
                    let ran = invocations.compactMap { try? $0.redisEvent.entries[0].data["n"]?.intValue }
                    return Set(ran).isSuperset(of: expected)
                }
                #expect(expected.count >= 600)
                await test.trigger.stop()
            }
        }
    }
}

/// A trigger of the list `work`, and what it reports.
struct ListUnderTest {
    static let taken = "swiftlet:taken:{work}:host-1"

    let trigger: StreamTrigger
    let dispatcher: RecordingDispatcher
    let reports = Log<StreamReport>()

    init(
        _ client: RedisClient,
        consumer: String = "host-1",
        fromLeft: Bool = false,
        batch: Int = 1,
        concurrency: Int = 4,
        attempts: Int = 3,
        minIdle: Duration = .seconds(60),
        answer: @escaping @Sendable (Invocation) -> Outcome? = { _ in .replied(status: 200) }
    ) {
        dispatcher = RecordingDispatcher(answer)
        let manifest = Manifest.reader(attempts: attempts)
        trigger = StreamTrigger(
            list: Manifest.List(list: "work", operation: "take", fromLeft: fromLeft),
            manifest: manifest,
            consumer: consumer,
            client: client,
            dispatching: dispatcher,
            clock: FixedClock(),
            settings: StreamSettings(
                batch: batch,
                concurrency: concurrency,
                retry: manifest.retry,
                minIdle: minIdle
            ),
            report: { [reports] in reports.append($0) }
        )
    }

    /// Waits until that many elements are settled.
    func acked(_ count: Int) async {
        await reports.wait { $0.acked.count >= count }
    }
}
