import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import RedisTrigger

@Suite(.timeLimit(.minutes(1)))
struct ChannelTriggerTests {
    private func publish(_ client: RedisClient, _ channel: Bytes, _ message: Bytes) async throws -> Int {
        try await client.send(["PUBLISH", channel, message]).int ?? -1
    }

    @Test("messages of a channel come once each and in order")
    func messages() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = ChannelUnderTest(client, Manifest.Channel(channel: "news", operation: "hear"))
                await test.start()
                for number in 0..<20 {
                    #expect(try await publish(client, "news", Bytes("{\"n\":\(number)}")) == 1)
                }
                _ = try await publish(client, "other", "x")
                _ = try await publish(client, "news", "plain")
                await test.dispatcher.invocations.wait { $0.count == 21 }
                let invocations = test.dispatcher.invocations.elements
                let entries = try invocations.flatMap { try $0.redisEvent.entries }
                #expect(entries.prefix(20).map { $0.data["n"]?.intValue } == (0..<20).map { $0 })
                #expect(entries.last?.data == ["data": "plain"])
                #expect(entries.allSatisfy { $0.source == "news" && $0.type == "redis.message" })
                #expect(invocations.allSatisfy { $0.event.operation == "hear" && $0.event.kind == .redis })
                await test.trigger.stop()
            }
        }
    }

    @Test("a pattern hears all channels that match, each named as the source")
    func pattern() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = ChannelUnderTest(client, Manifest.Channel(channel: "price.*"))
                await test.start()
                _ = try await publish(client, "price.ACME", "1")
                _ = try await publish(client, "price.GLOBEX", "2")
                await test.dispatcher.invocations.wait { $0.count == 2 }
                let entries = try test.dispatcher.invocations.elements.flatMap { try $0.redisEvent.entries }
                #expect(entries.map(\.source) == ["price.ACME", "price.GLOBEX"])
                await test.trigger.stop()
            }
        }
    }

    @Test("keyspace events come where the server publishes them, and where not the report says so")
    func keyspace() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let channel = Manifest.Channel(channel: "__keyevent@0__:expired")
                let deaf = ChannelUnderTest(client, channel)
                await deaf.start()
                await deaf.reports.wait { $0.contains(.eventsOff) }
                await deaf.trigger.stop()
                _ = try await client.send(["CONFIG", "SET", "notify-keyspace-events", "Ex"])
                let test = ChannelUnderTest(client, channel)
                await test.start()
                _ = try await client.send(["SET", "k", "v", "PX", "1"])
                await test.dispatcher.invocations.wait { $0.count == 1 }
                let entry = try test.dispatcher.invocations.elements[0].redisEvent.entries[0]
                #expect(entry.data == ["data": "k"])
                await test.trigger.stop()
            }
        }
    }

    @Test("after a lost connection the channel is subscribed to again")
    func reconnects() async throws {
        try await RedisServer.run(persistent: false) { server in
            try await withClient(server.url) { client in
                let test = ChannelUnderTest(client, Manifest.Channel(channel: "news"))
                await test.start()
                _ = try await client.send(["CLIENT", "KILL", "TYPE", "pubsub"])
                await test.reports.wait { $0.count(where: { $0 == .redisUp }) == 2 }
                #expect(try await publish(client, "news", "1") == 1)
                await test.dispatcher.invocations.wait { $0.count == 1 }
                await test.trigger.stop()
            }
        }
    }

    @Test("a failed event is reported and not run again; a ping finds the quiet connection alive")
    func failure() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = ChannelUnderTest(
                    client,
                    Manifest.Channel(channel: "news"),
                    beat: .milliseconds(5)
                ) { _ in .timedOut }
                await test.start()
                for _ in 0..<10 { _ = try await client.send(["BLPOP", "nothing", "0.1"]) }
                _ = try await publish(client, "news", "1")
                await test.reports.wait { reports in
                    reports.contains { if case .failed(1, _) = $0 { true } else { false } }
                }
                #expect(test.dispatcher.invocations.elements.count == 1)
                #expect(test.reports.elements.count(where: { $0 == .redisUp }) == 1)
                await test.trigger.stop()
            }
        }
    }

    @Test("a full buffer drops and counts; what waits is run at the stop, or dropped at its grace")
    func drops() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let channel = Manifest.Channel(channel: "news", batch: 1, concurrency: 1, buffer: 3)
                let test = ChannelUnderTest(client, channel) { _ in nil }
                await test.start()
                for number in 0..<10 { _ = try await publish(client, "news", Bytes("\(number)")) }
                await test.reports.wait { $0.count(where: { $0 == .dropped(messages: 1) }) == 6 }
                await test.trigger.stop(grace: .zero)
                #expect(test.reports.elements.contains(.dropped(messages: 3)))
                #expect(test.dispatcher.invocations.elements.count == 1)
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ChannelMachineTests {
    @Test("every message is delivered or dropped, never both, in order and within the bounds")
    func random() {
        for seed in 1...200 {
            var random = SplitMix(state: UInt64(seed))
            let (batch, concurrency, buffer) =
                (Int(random.next() % 5) + 1, Int(random.next() % 3) + 1, Int(random.next() % 10) + 1)
            var machine = ChannelMachine<Int>(batch: batch, concurrency: concurrency, buffer: buffer)
            var (delivered, arrivals, refused): ([Int], Int, Set<Int>) = ([], 0, [])
            for _ in 0..<300 {
                switch random.next() % 3 {
                case 0:
                    if !machine.arrived(arrivals) { refused.insert(arrivals) }
                    arrivals += 1
                case 1:
                    while let event = machine.next() {
                        #expect(!event.isEmpty && event.count <= batch)
                        delivered += event
                    }
                    #expect(machine.inFlight <= concurrency)
                default:
                    if machine.inFlight > 0 { machine.finished() }
                }
            }
            machine.stopped()
            while machine.inFlight > 0 || !machine.isDrained {
                if machine.inFlight > 0 { machine.finished() }
                while let event = machine.next() { delivered += event }
            }
            #expect(delivered == (0..<arrivals).filter { !refused.contains($0) })
            #expect(machine.dropped == refused.count)
        }
    }
}

/// A trigger of a channel, and what it reports.
struct ChannelUnderTest {
    let trigger: ChannelTrigger
    let dispatcher: RecordingDispatcher
    let reports = Log<ChannelReport>()

    init(
        _ client: RedisClient,
        _ channel: Manifest.Channel,
        beat: Duration = .seconds(15),
        answer: @escaping @Sendable (Invocation) -> Outcome? = { _ in .replied(status: 200) }
    ) {
        dispatcher = RecordingDispatcher(answer)
        trigger = ChannelTrigger(
            channel: channel,
            function: "reader",
            client: client,
            dispatching: dispatcher,
            clock: FixedClock(),
            beat: beat,
            report: { [reports] in reports.append($0) }
        )
    }

    /// Starts and waits for the subscription.
    func start() async {
        trigger.start()
        await reports.wait { $0.contains(.redisUp) }
    }
}
