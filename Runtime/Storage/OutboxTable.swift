import FunctionCore
import GRDB

/// The table `outbox`, which the journal and every shard have: an event is in it in the same transaction as
/// what it tells of, and a relay sends it on at least once.
///
/// A relayed row stays for a while without its data, so that the same id said again is known.
package enum OutboxTable {
    /// SQL for a schema's step.
    package static let schema = """
        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            type TEXT NOT NULL,
            source TEXT NOT NULL,
            time INTEGER NOT NULL,
            traceparent TEXT,
            data TEXT NOT NULL,
            relayed INTEGER
        );
        CREATE INDEX outbox_pending ON outbox (seq) WHERE relayed IS NULL;
        CREATE INDEX outbox_relayed ON outbox (relayed) WHERE relayed IS NOT NULL;
        """

    /// How many events an outbox holds for a relay that does not come, such as while Redis is down.
    package static let pendingLimit = 100_000

    /// Adds an event; false where its id is known.
    /// - Throws: `StorageError` overloaded at the limit of events that wait.
    @discardableResult
    package static func insert(_ event: OutboxEvent, in database: Database) throws -> Bool {
        // Two look-ups instead of a count; events are relayed nearly in order, so the span is nearly the
        // number.
        let span = try Int.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT (SELECT max(seq) FROM outbox WHERE relayed IS NULL)
                        - (SELECT min(seq) FROM outbox WHERE relayed IS NULL)
                    """
            )
        )
        guard (span ?? 0) < pendingLimit else {
            let message =
                "\(pendingLimit) events wait to be relayed already; bring Redis back, then try again"
            throw StorageError(.overloaded, message)
        }
        return try database.run(
            """
            INSERT INTO outbox (id, type, source, time, traceparent, data) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """,
            [event.id, event.type, event.source, event.time.nanoseconds, event.traceparent, event.data]
        ) == 1
    }

    /// The oldest events that have not been relayed.
    package static func pending(_ limit: Int, in database: Database) throws -> [OutboxEvent] {
        try database.rows("SELECT * FROM outbox WHERE relayed IS NULL ORDER BY seq LIMIT ?", [limit]).map {
            row in
            OutboxEvent(
                id: row["id"],
                type: row["type"],
                source: row["source"],
                time: row.instant("time"),
                traceparent: row["traceparent"],
                data: row["data"]
            )
        }
    }

    /// How many events have not been relayed.
    package static func pendingCount(in database: Database) throws -> Int {
        try database.first("SELECT count(*) FROM outbox WHERE relayed IS NULL")?[0] ?? 0
    }

    /// Marks events as sent; unknown and marked ones are left alone.
    package static func markRelayed(_ ids: [String], at now: Instant, in database: Database) throws {
        for id in ids {
            try database.run(
                "UPDATE outbox SET relayed = ?, data = 'null' WHERE id = ? AND relayed IS NULL",
                [now.nanoseconds, id]
            )
        }
    }

    /// Forgets events that were relayed before `horizon`, up to `limit` of them; says how many.
    @discardableResult
    package static func prune(relayedBefore horizon: Instant, limit: Int, in database: Database) throws -> Int
    {
        try database.run(
            """
            DELETE FROM outbox WHERE seq IN
            (SELECT seq FROM outbox WHERE relayed IS NOT NULL AND relayed < ? LIMIT ?)
            """,
            [horizon.nanoseconds, limit]
        )
    }
}
