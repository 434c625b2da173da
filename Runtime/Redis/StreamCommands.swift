import FunctionCore

/// The commands of one consumer of one group, and how their replies are read.
struct StreamCommands: Sendable {
    let stream: Bytes
    let group: Bytes
    let consumer: Bytes
    let function: Bytes
    private let keys: [Bytes]
    /// Where a new group starts: `0`, `$` or an id.
    let from: Bytes
    /// How long an entry must lie with a consumer before another takes it over.
    let minIdle: Duration

    init(
        stream: String,
        group: String,
        consumer: String,
        function: String,
        from: String = "0",
        minIdle: Duration
    ) {
        let names = SourceKeys(stream)
        self.stream = Bytes(stream)
        self.group = Bytes(group)
        self.consumer = Bytes(consumer)
        self.function = Bytes(function)
        self.from = Bytes(from)
        self.minIdle = minIdle
        keys = [self.stream, names.dead, names.attempts(of: group), names.counts(of: group)]
    }

    /// How long a read waits for the first entry.
    static let block = Duration.seconds(5)

    private func script(_ text: Bytes, _ arguments: [Bytes]) -> [Bytes] {
        ["EVAL", text, "4"] + keys + [group] + arguments
    }

    /// `again` tells that the group was there before.
    func ensureGroup(again: Bool) -> [Bytes] { script(StreamScripts.ensure, [from, again ? "1" : "0"]) }

    func read(count: Int) -> [Bytes] {
        let block = text(Int(StreamCommands.block.nanoseconds / 1_000_000))
        return [
            "XREADGROUP", "GROUP", group, consumer, "COUNT", text(count), "BLOCK", block, "STREAMS", stream,
            ">",
        ]
    }

    func readPending(after id: String, count: Int) -> [Bytes] {
        ["XREADGROUP", "GROUP", group, consumer, "COUNT", text(count), "STREAMS", stream, Bytes(id)]
    }

    func claim(from cursor: String, count: Int) -> [Bytes] {
        let idle = text(Int(minIdle.nanoseconds / 1_000_000))
        return script(StreamScripts.claim, [consumer, idle, Bytes(cursor), text(count)])
    }

    func failures(of ids: [String]) -> [Bytes] {
        ["HMGET", keys[2]] + ids.map { Bytes($0) }
    }

    /// HSET of the whole count, not HINCRBY: sent twice after a lost reply, it counts once.
    func record(_ id: String, count: Int) -> [Bytes] {
        ["HSET", keys[2], Bytes(id), text(count)]
    }

    func ack(_ ids: [String], counted: Bool, as ending: StreamEnding) -> [Bytes] {
        let head: [Bytes] = [Bytes(ending.rawValue), counted ? "1" : "0"]
        return script(StreamScripts.acknowledge, head + ids.map { Bytes($0) })
    }

    func deadLetter(_ letter: StreamDeadLetter, at instant: Instant) -> [Bytes] {
        var fields = (letter.entry.fields ?? []).flatMap { [$0.name, $0.value] }
        if fields.count > StreamCommands.unpackable {
            fields = ["data", StreamEntryCodec.read(letter.entry, of: stream.text).entry.data.bytes()]
        }
        let source: [Bytes] = ["dead.stream", stream, "dead.group", group]
        let reasons = DeadLetter.reasons(letter, of: source, function: function, at: instant)
        return script(StreamScripts.deadLetter, [Bytes(letter.entry.id)] + fields + reasons)
    }

    /// In parts, as one script holds up the server while it runs.
    func renewals(of ids: [String]) -> [[Bytes]] {
        stride(from: 0, to: ids.count, by: 200).map { start in
            let part = ids[start..<min(start + 200, ids.count)].map { Bytes($0) }
            return script(StreamScripts.renew, [consumer] + part)
        }
    }

    func trim(keeping time: Duration) -> [Bytes] {
        script(StreamScripts.trim, [text(Int(time.nanoseconds / 1_000_000))])
    }

    var counts: [Bytes] { script(StreamScripts.counts, []) }

    /// Lua puts at most some 8000 values on its stack; an entry of more fields becomes one document.
    private static let unpackable = 4000

    private func text(_ number: Int) -> Bytes { Bytes(String(number)) }

    // MARK: - Replies

    /// The entries of an XREADGROUP of one stream; none where it timed out.
    static func entries(read reply: RedisValue) -> [StreamEntry] {
        guard let parts = reply.array?.first?.array, parts.count == 2 else { return [] }
        return entries(parts[1])
    }

    /// The entries of a list of `[id, [name, value…]]`; an entry without data has a null for its fields.
    static func entries(_ list: RedisValue) -> [StreamEntry] {
        (list.array ?? []).compactMap { item in
            guard let parts = item.array, parts.count == 2, let id = parts[0].text else { return nil }
            guard let values = parts[1].array else { return StreamEntry(id: id, fields: nil) }
            let fields = stride(from: 0, to: values.count - 1, by: 2).map {
                StreamField(values[$0].bytes ?? Bytes(), values[$0 + 1].bytes ?? Bytes())
            }
            return StreamEntry(id: id, fields: fields)
        }
    }

    /// The parts of an XAUTOCLAIM reply.
    static func claim(_ reply: RedisValue) -> (entries: [StreamEntry], cursor: String, lost: [String])? {
        guard let parts = reply.array, parts.count >= 2, let cursor = parts[0].text else { return nil }
        let lost = parts.count > 2 ? (parts[2].array ?? []).compactMap(\.text) : []
        return (entries(parts[1]), cursor, lost)
    }
}
