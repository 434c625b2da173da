import FunctionCore

/// The form of a dead letter in its stream: the entry's own fields, and behind them, named `dead.…`, where it
/// came from and why it was given up.
package enum DeadLetter {
    /// Fields that are not the producer's.
    enum Field {
        /// For which group alone an entry was sent again, and what its id was at first.
        static let group: Bytes = "swiftlet.group"
        static let entry: Bytes = "swiftlet.entry"
    }

    /// Why, behind the fields of the entry itself.
    static func reasons(
        _ letter: StreamDeadLetter,
        of source: [Bytes],
        function: Bytes,
        at instant: Instant
    ) -> [Bytes] {
        source + [
            "dead.entry", Bytes(letter.entry.id), "dead.function", function,
            "dead.attempts", Bytes(String(letter.attempts)), "dead.code", Bytes(letter.code),
            "dead.message", Bytes(String(letter.message.prefix(2000))), "dead.at", Bytes(instant.rfc3339),
        ]
    }

    /// Puts letters back where they came from, each in one step.
    ///
    /// KEYS: the dead letters, their source. An entry goes to the group that gave it up alone and keeps its
    /// first id as the event's; an element of a list goes to the end that producers push to.
    static let redriveScript: Bytes = """
        local sent = 0
        for i = 1, #ARGV do
            local found = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
            if found then
                local kept, about = {}, {}
                for f = 1, #found[2], 2 do
                    local name, value = found[2][f], found[2][f + 1]
                    if string.sub(name, 1, 5) == 'dead.' or string.sub(name, 1, 9) == 'swiftlet.' then
                        about[name] = value
                    else
                        kept[#kept + 1] = name
                        kept[#kept + 1] = value
                    end
                end
                if about['dead.list'] then
                    local push = about['dead.take'] == 'left' and 'RPUSH' or 'LPUSH'
                    redis.call(push, KEYS[2], kept[2])
                else
                    kept[#kept + 1] = 'swiftlet.group'
                    kept[#kept + 1] = about['dead.group']
                    kept[#kept + 1] = 'swiftlet.entry'
                    kept[#kept + 1] = about['swiftlet.entry'] or about['dead.entry']
                    redis.call('XADD', KEYS[2], '*', unpack(kept))
                end
                redis.call('XDEL', KEYS[1], ARGV[i])
                sent = sent + 1
            end
        end
        return sent
        """
}

/// The dead letters of a stream or a list: shown, sent again, removed.
package struct DeadLetters: Sendable {
    private let client: RedisClient
    private let keys: SourceKeys
    /// Letters in one step; a script holds up the server while it runs.
    private static let page = 100

    package init(of source: String, client: RedisClient) {
        self.client = client
        self.keys = SourceKeys(source)
    }

    /// How many there are.
    package func count() async throws(RedisError) -> Int {
        try await client.send(["XLEN", keys.dead]).int ?? 0
    }

    /// The letters behind an id, oldest first.
    package func list(after id: String = "-", limit: Int = 100) async throws(RedisError) -> [StreamEntry] {
        let from = id == "-" ? id : "(\(id)"
        let command: [Bytes] = ["XRANGE", keys.dead, Bytes(from), "+", "COUNT", Bytes(String(limit))]
        return StreamCommands.entries(try await client.send(command))
    }

    /// Sends letters again, which takes them out of here.
    ///
    /// - Returns: how many there were; one that has gone meanwhile is passed over.
    package func redrive(_ ids: [String]) async throws(RedisError) -> Int {
        var sent = 0
        for start in stride(from: 0, to: ids.count, by: DeadLetters.page) {
            let part = ids[start..<min(start + DeadLetters.page, ids.count)].map { Bytes($0) }
            let command: [Bytes] = ["EVAL", DeadLetter.redriveScript, "2", keys.dead, Bytes(keys.source)]
            sent += try await client.send(command + part).int ?? 0
        }
        return sent
    }

    /// Removes letters for good.
    package func purge(_ ids: [String]) async throws(RedisError) -> Int {
        guard !ids.isEmpty else { return 0 }
        return try await client.send(["XDEL", keys.dead] + ids.map { Bytes($0) }).int ?? 0
    }

    /// The ids of all letters there are now, of one code where it is named.
    package func ids(code: String? = nil) async throws(RedisError) -> [String] {
        var ids: [String] = []
        var last = "-"
        while true {
            let letters = try await list(after: last)
            guard let end = letters.last else { return ids }
            last = end.id
            ids += letters.filter { code == nil || $0["dead.code"]?.text == code }.map(\.id)
        }
    }
}

extension StreamEntry {
    /// The value of the last field of a name.
    package subscript(name: Bytes) -> Bytes? {
        fields?.last { $0.name == name }?.value
    }
}
