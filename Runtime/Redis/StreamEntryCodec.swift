import FunctionCore

/// An entry of a stream as Redis has it.
package struct StreamEntry: Sendable, Hashable {
    /// Redis' id, such as `1763690400000-0`.
    package var id: String
    /// The fields in order; nil where the entry was trimmed away while it was pending.
    package var fields: [StreamField]?

    package init(id: String, fields: [StreamField]?) {
        self.id = id
        self.fields = fields
    }
}

/// A field of a stream's entry.
package struct StreamField: Sendable, Hashable {
    package var name: Bytes
    package var value: Bytes

    package init(_ name: Bytes, _ value: Bytes) {
        self.name = name
        self.value = value
    }
}

/// The form of an event in a stream, both ways.
///
/// An event has the fields `id`, `type`, `source`, `time` (RFC 3339), `data` (JSON), and where it is known
/// `traceparent` and `principal`. An entry with `type` and `data` is read as one; of the rest what is missing
/// is filled in as below.
///
/// Any other entry, such as a bare `XADD orders * user 7`, becomes an event too: its id is `<stream>/<entry
/// id>`, its type `redis.entry`, its source the stream, its time the millisecond part of the entry's id, and
/// its data an object of all its fields as strings. If its only field is `data` and that is JSON, the data is
/// that document. Reading never fails.
package enum StreamEntryCodec {
    /// The arguments of XADD after the id.
    package static func fields(of row: OutgoingRow) -> [Bytes] {
        var fields: [Bytes] = [
            "id", Bytes(row.id), "type", Bytes(row.type), "source", Bytes(row.source), "time",
            Bytes(row.time.rfc3339),
        ]
        if let traceparent = row.traceparent { fields += ["traceparent", Bytes(traceparent)] }
        if let principal = row.principal { fields += ["principal", Bytes(principal)] }
        return fields + ["data", row.data]
    }

    /// The event that an entry is, and on whose behalf it was written.
    package static func read(
        _ entry: StreamEntry,
        of stream: String
    ) -> (entry: RedisEntry, principal: String?) {
        var fields = entry.fields ?? []
        var entry = entry
        if let first = text("swiftlet.entry", in: fields) {
            // Sent again from the dead letters: it is the event that it was.
            entry.id = first
            fields.removeAll { $0.name == DeadLetter.Field.entry || $0.name == DeadLetter.Field.group }
        }
        guard let type = text("type", in: fields), let data = value("data", in: fields) else {
            return (bare(entry.id, fields, stream), nil)
        }
        let event = RedisEntry(
            id: text("id", in: fields) ?? "\(stream)/\(entry.id)",
            type: type,
            source: text("source", in: fields) ?? stream,
            time: text("time", in: fields).flatMap { Instant(rfc3339: $0) } ?? time(of: entry.id),
            traceparent: text("traceparent", in: fields),
            data: (try? JSON.parse(data)) ?? .string(data.text)
        )
        return (event, text("principal", in: fields))
    }

    /// The event that a channel's message is: its data is the message where that is JSON, else an object with
    /// the message's text as `data`.
    package static func read(_ message: RedisMessage, id: String, at now: Instant) -> RedisEntry {
        RedisEntry(
            id: id,
            type: "redis.message",
            source: message.channel,
            time: now,
            traceparent: nil,
            data: (try? JSON.parse(message.payload)) ?? ["data": .string(message.payload.text)]
        )
    }

    private static func bare(_ id: String, _ fields: [StreamField], _ stream: String) -> RedisEntry {
        var data: JSON
        if fields.count == 1, fields[0].name == "data", let document = try? JSON.parse(fields[0].value) {
            data = document
        } else {
            data = .object(JSONObject(fields.map { ($0.name.text, .string($0.value.text)) }))
        }
        return RedisEntry(
            id: "\(stream)/\(id)",
            type: "redis.entry",
            source: stream,
            time: time(of: id),
            traceparent: nil,
            data: data
        )
    }

    /// When Redis took the entry, by its own clock.
    private static func time(of id: String) -> Instant {
        let milliseconds = Int64(id.prefix { $0 != "-" }) ?? 0
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return Instant(nanoseconds: overflow ? .max : nanoseconds)
    }

    private static func value(_ name: Bytes, in fields: [StreamField]) -> Bytes? {
        fields.first { $0.name == name }?.value
    }

    private static func text(_ name: Bytes, in fields: [StreamField]) -> String? {
        guard let value = value(name, in: fields), !value.isEmpty else { return nil }
        return value.text
    }
}
