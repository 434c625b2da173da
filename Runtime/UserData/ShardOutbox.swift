import FunctionCore
import Storage

/// The shards' outboxes, for the relay: the events that were said in users' transactions.
package struct ShardOutbox: Sendable {
    /// An event and the shard that has it.
    package struct Row: Sendable, Hashable {
        package var shard: ShardPlace
        package var event: OutboxEvent
    }

    private let shards: ShardMap

    package init(_ shards: ShardMap) {
        self.shards = shards
    }

    /// Wakes when there is something to relay.
    package var appended: WakeSignal { shards.outboxAppended }

    /// Events that wait, of one shard after the other, the oldest of each first; at most `limit`.
    package func pending(limit: Int) async throws -> [Row] {
        var rows: [Row] = []
        // A shard is taken off the list before it is read: what is committed meanwhile puts it back.
        var unread = ArraySlice(await shards.takeLagging())
        do {
            while let place = unread.first, rows.count < limit {
                let room = limit - rows.count
                let events = try await shards.use(place) { file in
                    try await file.read { try OutboxTable.pending(room, in: $0) }
                }
                if !events.isEmpty { await shards.noteLagging(place) }
                rows += events.map { Row(shard: place, event: $0) }
                unread.removeFirst()
            }
        } catch {
            for place in unread { await shards.noteLagging(place) }
            throw error
        }
        for place in unread { await shards.noteLagging(place) }
        return rows
    }

    /// Says that events have been sent, and forgets the ids of those shards' events that were sent over a
    /// week ago.
    package func markRelayed(_ rows: [Row], now: Instant) async throws {
        for (place, rows) in Dictionary(grouping: rows, by: \.shard) {
            let ids = rows.map(\.event.id)
            try await shards.use(place) { file in
                try await file.write { database in
                    try OutboxTable.markRelayed(ids, at: now, in: database)
                    let horizon = now - .seconds(7 * 24 * 3600)
                    try OutboxTable.prune(relayedBefore: horizon, limit: 500, in: database)
                }
            }
        }
    }
}
