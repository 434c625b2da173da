import FunctionCore
import GRDB
import Storage

/// The records of a shard as rows.
///
/// All of it runs on the file's own threads, inside of a transaction.
enum RecordTable {
    static func get(
        _ user: Int,
        _ collection: String,
        _ id: String,
        in database: Database
    ) throws -> UserRecord? {
        try database.first(
            "SELECT * FROM records WHERE user = ? AND collection = ? AND id = ?",
            [user, collection, id]
        ).map(record)
    }

    /// The last changed first.
    ///
    /// Two changes of one instant are told apart by the shard's own count of changes.
    static func list(
        _ user: Int,
        _ collection: String,
        _ limit: Int,
        in database: Database
    ) throws -> [UserRecord] {
        try database.rows(
            "SELECT * FROM records WHERE user = ? AND collection = ? ORDER BY change DESC LIMIT ?",
            [user, collection, limit]
        ).map(record)
    }

    static func put(
        _ user: Int,
        _ collection: String,
        _ id: String,
        _ value: JSON,
        now: Instant,
        in database: Database
    ) throws -> UserRecord {
        let change = try nextChange(in: database)
        let row = try database.first(
            """
            INSERT INTO records (user, collection, id, version, value, created, updated, change)
            VALUES (?1, ?2, ?3, 1, ?4, ?5, ?5, ?6)
            ON CONFLICT DO UPDATE SET version = version + 1, value = excluded.value,
                updated = excluded.updated, change = excluded.change
            RETURNING *
            """,
            [user, collection, id, value.text, now.nanoseconds, change]
        )
        guard let row else { throw StorageError(.failed, "SQLite returned no row for a record it stored") }
        return try record(row)
    }

    static func delete(_ user: Int, _ collection: String, _ id: String, in database: Database) throws {
        try database.run(
            "DELETE FROM records WHERE user = ? AND collection = ? AND id = ?",
            [user, collection, id]
        )
    }

    /// The next number of the file's changes; the table has one row.
    static func nextChange(in database: Database) throws -> Int64 {
        try database.first("UPDATE changes SET last = last + 1 RETURNING last")?[0] ?? 0
    }

    private static func record(_ row: Row) throws -> UserRecord {
        UserRecord(
            collection: row["collection"],
            id: row["id"],
            version: row["version"],
            value: try row.json("value"),
            created: row.instant("created"),
            updated: row.instant("updated")
        )
    }
}
