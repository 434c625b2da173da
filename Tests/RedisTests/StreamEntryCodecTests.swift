import FunctionCore
import RedisTrigger
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamEntryCodecTests {
    private static let row = OutgoingRow(
        id: "e1",
        type: "order.placed",
        source: "shop",
        time: Instant(seconds: 1_795_000_000),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        principal: "user:7",
        data: "{\"total\": 12}"
    )

    private func entry(_ fields: [(Bytes, Bytes)]) -> StreamEntry {
        StreamEntry(id: "1763690400123-4", fields: fields.map { StreamField($0.0, $0.1) })
    }

    @Test("an event that is written and read is the same event")
    func roundTrip() {
        let values = StreamEntryCodec.fields(of: StreamEntryCodecTests.row)
        let fields = stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
        let (event, principal) = StreamEntryCodec.read(entry(fields), of: "events:order.placed")
        #expect(event.id == "e1")
        #expect(event.type == "order.placed")
        #expect(event.source == "shop")
        #expect(event.time == Instant(seconds: 1_795_000_000))
        #expect(event.traceparent == StreamEntryCodecTests.row.traceparent)
        #expect(event.data == ["total": 12])
        #expect(principal == "user:7")
    }

    @Test("a bare entry becomes an event of all its fields")
    func bare() {
        let (event, principal) = StreamEntryCodec.read(
            entry([("user", "7"), ("principal", "root"), ("raw", Bytes([0xff]))]),
            of: "orders"
        )
        #expect(event.id == "orders/1763690400123-4")
        #expect(event.type == "redis.entry")
        #expect(event.source == "orders")
        #expect(event.time == Instant(nanoseconds: 1_763_690_400_123_000_000))
        #expect(event.data == ["user": "7", "principal": "root", "raw": "\u{fffd}"])
        #expect(principal == nil)
    }

    @Test("a lone field data is the document itself where it is JSON")
    func loneData() {
        #expect(StreamEntryCodec.read(entry([("data", "[1,2]")]), of: "s").entry.data == [1, 2])
        #expect(StreamEntryCodec.read(entry([("data", "plain")]), of: "s").entry.data == ["data": "plain"])
    }

    @Test("what an event leaves out is filled in from the entry")
    func partial() {
        let (event, _) = StreamEntryCodec.read(
            entry([("type", "t"), ("data", "oops"), ("time", "later")]),
            of: "s"
        )
        #expect(event.id == "s/1763690400123-4")
        #expect(event.source == "s")
        #expect(event.time == Instant(nanoseconds: 1_763_690_400_123_000_000))
        #expect(event.data == "oops")
    }

    @Test("published events are in their stream, in order, one write for many")
    func publisher() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let publisher = EventPublisher(client: client)
                let id = try await publisher.publish(StreamEntryCodecTests.row)
                #expect(id.contains("-"))
                let rows = (0..<600).map { number in
                    var row = StreamEntryCodecTests.row
                    row.id = "n\(number)"
                    return row
                }
                let results = await publisher.publish(rows)
                #expect(results.count == 600)
                let stored = try await client.send(["XRANGE", "events:order.placed", "-", "+"])
                let ids = (stored.array ?? []).compactMap { $0.array?[1].array?[1].text }
                #expect(ids == ["e1"] + rows.map(\.id))
                _ = try await client.send(["SET", "events:bad", "string"])
                var bad = StreamEntryCodecTests.row
                bad.type = "bad"
                let mixed = await publisher.publish([bad, StreamEntryCodecTests.row])
                #expect(throws: RedisError.self) { try mixed[0].get() }
                #expect(throws: Never.self) { try mixed[1].get() }
            }
        }
    }
}
