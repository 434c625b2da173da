import FunctionCore

/// What became of the entries that Redis gave to a group, by Redis' own record.
package struct StreamCounts: Sendable, Hashable {
    /// Entries given to the group since it was made; nil where Redis cannot tell, as some were deleted.
    package var accepted: Int?
    package var completed: Int
    /// Acknowledged without being run, as the filter says.
    package var filtered: Int
    /// Given up without a dead letter, as the function wanted.
    package var discarded: Int
    /// Trimmed by somebody before they were run.
    package var lost: Int
    package var deadLettered: Int
    package var pending: Int
    /// Entries that the group has still to read; up to a thousand where Redis has lost count.
    package var lag: Int

    package init(
        accepted: Int?,
        completed: Int = 0,
        filtered: Int = 0,
        discarded: Int = 0,
        lost: Int = 0,
        deadLettered: Int = 0,
        pending: Int = 0,
        lag: Int = 0
    ) {
        self.accepted = accepted
        self.completed = completed
        self.filtered = filtered
        self.discarded = discarded
        self.lost = lost
        self.deadLettered = deadLettered
        self.pending = pending
        self.lag = lag
    }

    init?(_ reply: RedisValue) {
        guard let numbers = reply.array?.compactMap(\.int), numbers.count == 8 else { return nil }
        self.init(
            accepted: numbers[0] < 0 ? nil : numbers[0],
            completed: numbers[1],
            filtered: numbers[2],
            discarded: numbers[3],
            lost: numbers[4],
            deadLettered: numbers[5],
            pending: numbers[6],
            lag: numbers[7]
        )
    }

    /// Whether each accepted entry is in one place; nil where that cannot be told.
    package var isBalanced: Bool? {
        accepted.map { $0 == completed + filtered + discarded + lost + deadLettered + pending }
    }

    /// Reads the counts of a group in one step.
    package static func read(
        stream: String,
        group: String,
        from client: RedisClient
    ) async throws(RedisError) -> StreamCounts {
        let reply = try await client.send(
            StreamCommands(
                stream: stream,
                group: group,
                consumer: "",
                function: "",
                minIdle: .zero
            ).counts
        )
        guard let counts = StreamCounts(reply) else {
            throw RedisError(.protocolError, "Redis did not answer with the counts of \(stream)")
        }
        return counts
    }
}
