import FunctionCore
import HostKit
import Journal
import RedisTrigger
import Storage
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct OutboxRelayTests {
    private let workspace = Workspace()
    private let clock = standing("2026-11-25T08:00:00Z")

    private struct Stand: Sendable {
        var journal: HostJournal
        var client: RedisClient
        var relay: OutboxRelay
    }

    /// Runs `body` beside a relay, which is made anew at each call.
    private func with(_ server: RedisServer, _ body: (Stand) async throws -> Void) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let shards = try await ShardMap.open(directory: workspace.path)
        let client = RedisClient(url: try RedisURL(server.url), on: testLoop)
        try? await client.connect()
        let relay = OutboxRelay(
            journal: journal,
            shards: ShardOutbox(shards),
            publisher: EventPublisher(client: client),
            clock: clock,
            loop: testLoop,
            telemetry: quietTelemetry(clock)
        )
        let task = Task { await relay.run() }
        do {
            try await body(Stand(journal: journal, client: client, relay: relay))
        } catch {
            task.cancel()
            await client.shutdown()
            throw error
        }
        task.cancel()
        await task.value
        await client.shutdown()
        await shards.close()
        await journal.close()
    }

    private func event(_ number: Int) -> OutboxEvent {
        OutboxEvent(
            id: "event-\(number)",
            type: "thing.made",
            source: "maker",
            time: clock.now,
            traceparent: nil,
            data: "{\"number\":\(number)}"
        )
    }

    /// The ids of the stream's entries, in their order.
    private func ids(_ client: RedisClient) async throws -> [String] {
        let reply = try await client.send(["XRANGE", "events:thing.made", "-", "+"])
        return (reply.array ?? []).map { entry in
            let words = (entry.array?.last?.array ?? []).map { $0.text ?? "" }
            let place = words.firstIndex(of: "id").map { $0 + 1 }
            return place.map { words[$0] } ?? "none"
        }
    }

    private func relayed(_ stand: Stand) async throws {
        _ = try await until("an empty outbox") {
            try await stand.journal.outbox.pendingCount() == 0 ? true : nil
        }
    }

    @Test("events are relayed in their order, each once when all is well")
    func order() async throws {
        try await RedisServer.run { server in
            try await with(server) { stand in
                for number in 0..<600 { try await stand.journal.outbox.append(event(number)) }
                try await relayed(stand)
                // The same event said again is known.
                try await stand.journal.outbox.append(event(5))
                try await stand.journal.outbox.append(event(600))
                try await relayed(stand)
                let ids = try await ids(stand.client)
                #expect(ids == (0...600).map { "event-\($0)" })
            }
        }
    }

    @Test("who reads an event is below its publishing, a place that follows from the event")
    func trace() async throws {
        try await RedisServer.run { server in
            try await with(server) { stand in
                let call = TraceContext.begin()
                var told = event(1)
                told.traceparent = call.traceparent
                try await stand.journal.outbox.append(told)
                try await relayed(stand)
                let reply = try await stand.client.send(["XRANGE", "events:thing.made", "-", "+"])
                let words = (reply.array?.first?.array?.last?.array ?? []).map { $0.text ?? "" }
                let place = try #require(words.firstIndex(of: "traceparent"))
                let published = call.at(SpanID.derived(from: call.span, "event-1"))
                #expect(words[place + 1] == published.traceparent && published.span != call.span)
            }
        }
    }

    @Test("what was emitted while Redis was away is relayed when it is back")
    func away() async throws {
        try await RedisServer.run(persistent: true) { server in
            try await with(server) { stand in
                try await stand.journal.outbox.append(event(1))
                try await relayed(stand)
                await server.kill()
                for number in 2...4 { try await stand.journal.outbox.append(event(number)) }
                let waiting = try await stand.journal.outbox.pendingCount()
                #expect(waiting == 3)
                try await server.start()
                try await relayed(stand)
                let ids = try await ids(stand.client)
                #expect(ids == (1...4).map { "event-\($0)" })
            }
        }
    }

    @Test("what waits from before a restart is relayed at the start, with Redis away at first")
    func restart() async throws {
        try await RedisServer.run(persistent: true) { server in
            let journal = try await HostJournal.open(directory: workspace.path)
            for number in 1...3 { try await journal.outbox.append(event(number)) }
            await journal.close()
            await server.kill()
            try await with(server) { stand in
                try await server.start()
                try await relayed(stand)
                let ids = try await ids(stand.client)
                #expect(ids == (1...3).map { "event-\($0)" })
            }
        }
    }

    @Test("an event that Redis refuses holds up no other, and has no other sent twice")
    func refused() async throws {
        try await RedisServer.run { server in
            try await with(server) { stand in
                _ = try await stand.client.send(["SET", "events:thing.blocked", "no stream"])
                var blocked = event(0)
                blocked.type = "thing.blocked"
                try await stand.journal.outbox.append(blocked)
                for number in 1...3 { try await stand.journal.outbox.append(event(number)) }
                _ = try await until("one event left") {
                    try await stand.journal.outbox.pendingCount() == 1 ? true : nil
                }
                _ = try await stand.client.send(["DEL", "events:thing.blocked"])
                try await relayed(stand)
                let ids = try await ids(stand.client)
                #expect(ids == (1...3).map { "event-\($0)" })
            }
        }
    }

    @Test("a relay that ends between publishing and marking sends the event again, under the same id")
    func atLeastOnce() async throws {
        try await RedisServer.run { server in
            let row = event(1)
            let journal = try await HostJournal.open(directory: workspace.path)
            try await journal.outbox.append(row)
            let client = RedisClient(url: try RedisURL(server.url), on: testLoop)
            try await client.connect()
            // What the relay does, without the mark.
            _ = try await EventPublisher(client: client).publish(
                OutgoingRow(
                    id: row.id,
                    type: row.type,
                    source: row.source,
                    time: row.time,
                    data: Bytes(row.data)
                )
            )
            await client.shutdown()
            await journal.close()
            try await with(server) { stand in
                try await relayed(stand)
                let ids = try await ids(stand.client)
                #expect(ids == ["event-1", "event-1"])
            }
        }
    }
}
