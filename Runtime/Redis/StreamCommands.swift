import FunctionCore

/// The commands of one consumer of one group, and how their replies are read.
struct StreamCommands: Sendable {
    let stream: Bytes
    let group: Bytes
    let consumer: Bytes
    let function: Bytes
    /// The stream that takes what is given up.
    let dead: Bytes
    /// The hash that counts an entry's failures, by its id.
    ///
    /// Redis' own delivery count will not do: it counts takings-over and host restarts as well, which are no
    /// fault of the function.
    let attempts: Bytes
    /// How long an entry must lie with a consumer before another takes it over.
    let minIdle: Duration

    init(stream: String, group: String, consumer: String, function: String, minIdle: Duration) {
        self.minIdle = minIdle
        self.stream = Bytes(stream)
        self.group = Bytes(group)
        self.consumer = Bytes(consumer)
        self.function = Bytes(function)
        self.dead = Bytes("dead:\(stream)")
        self.attempts = Bytes("swiftlet:attempts:\(stream):\(group)")
    }

    /// How long a read waits for the first entry.
    static let block = Duration.seconds(5)

    /// From the beginning, so that events said before the first host came up count; the stream is made where
    /// it is missing.
    var ensureGroup: [Bytes] { ["XGROUP", "CREATE", stream, group, "0", "MKSTREAM"] }

    func read(count: Int) -> [Bytes] {
        let block = Bytes(String(StreamCommands.block.nanoseconds / 1_000_000))
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
        return ["XAUTOCLAIM", stream, group, consumer, idle, Bytes(cursor), "COUNT", text(count)]
    }

    func failures(of ids: [String]) -> [Bytes] {
        ["HMGET", attempts] + ids.map { Bytes($0) }
    }

    /// HSET of the whole count, not HINCRBY: sent twice after a lost reply, it counts once.
    func record(_ id: String, count: Int) -> [Bytes] {
        ["HSET", attempts, Bytes(id), text(count)]
    }

    func ack(_ ids: [String], counted: Bool) -> [[Bytes]] {
        let ids = ids.map { Bytes($0) }
        let ack = ["XACK", stream, group] + ids
        return counted ? [["MULTI"], ack, ["HDEL", attempts] + ids, ["EXEC"]] : [ack]
    }

    /// A script, not MULTI: where the dead letter cannot be written (a key of the wrong type, no memory)
    /// MULTI would acknowledge the entry all the same and lose it.
    ///
    /// Sent twice, it writes one dead letter.
    func deadLetter(_ letter: StreamDeadLetter, at instant: Instant) -> [Bytes] {
        var fields = (letter.entry.fields ?? []).flatMap { [$0.name, $0.value] }
        if fields.count > StreamCommands.unpackable {
            fields = ["data", StreamEntryCodec.read(letter.entry, of: stream.text).entry.data.bytes()]
        }
        let head: [Bytes] = ["EVAL", StreamCommands.deadLetterScript, "3", stream, dead, attempts]
        let own: [Bytes] = [
            "reason", Bytes(String(letter.reason.prefix(2000))), "attempts", text(letter.attempts),
            "function", function, "group", group,
            "entry", Bytes(letter.entry.id), "failed_at", Bytes(instant.rfc3339),
        ]
        return head + [group, Bytes(letter.entry.id)] + fields + own
    }

    /// In parts, as one script holds up the server while it runs.
    func renewals(of ids: [String]) -> [[Bytes]] {
        stride(from: 0, to: ids.count, by: 200).map { start in
            let part = ids[start..<min(start + 200, ids.count)].map { Bytes($0) }
            return ["EVAL", StreamCommands.renewScript, "1", stream, group, consumer] + part
        }
    }

    /// Lua puts at most some 8000 values on its stack; an entry of more fields becomes one document.
    private static let unpackable = 4000

    /// An entry of a group that has vanished meanwhile counts as pending: better a dead letter twice than
    /// none.
    private static let deadLetterScript: Bytes = """
        local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
        if not pending.err and #pending == 0 then return 0 end
        redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
        if not pending.err then redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) end
        redis.call('HDEL', KEYS[3], ARGV[2])
        return 1
        """

    /// Only what is still this consumer's: an entry that another has taken over is not taken back.
    private static let renewScript: Bytes = """
        for i = 3, #ARGV do
            local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
            if pending[1] and pending[1][2] == ARGV[2] then
                redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
            end
        end
        return #ARGV - 2
        """

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
