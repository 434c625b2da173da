import FunctionCore
import GRDB
import Storage

/// The documents that all users share: one SQLite file.
package final class DocumentStore: Sendable {
    private let file: SQLiteFile

    /// Opens `DATA/documents.sqlite`.
    package static func open(directory: String) async throws -> DocumentStore {
        DocumentStore(try await SQLiteFile.open("\(directory)/documents.sqlite", schema: .documents))
    }

    private init(_ file: SQLiteFile) {
        self.file = file
    }

    /// One document, or nil.
    package func get(_ collection: String, _ key: String) async throws -> Document? {
        try await file.read { try Self.get(collection, key, in: $0) }
    }

    /// Stores a document; with `expected`, only over that version, and 0 stands for none.
    /// - Throws: `FunctionError` 409 `version_conflict`.
    package func put(
        _ collection: String,
        _ key: String,
        _ value: JSON,
        expected: Int?,
        now: Instant
    ) async throws -> Document {
        let text = value.text
        return try await file.write { database in
            if let expected {
                let version = try Self.get(collection, key, in: database)?.version ?? 0
                guard version == expected else {
                    let message =
                        "\(collection)/\(key) has version \(version), not the expected \(expected); "
                        + "get it again and repeat the change"
                    throw FunctionError.conflict("version_conflict", message)
                }
            }
            let change = try RecordTable.nextChange(in: database)
            let row = try database.first(
                """
                INSERT INTO documents (collection, key, version, value, updated, change)
                VALUES (?, ?, 1, ?, ?, ?)
                ON CONFLICT DO UPDATE SET version = version + 1, value = excluded.value,
                    updated = excluded.updated, change = excluded.change
                RETURNING *
                """,
                [collection, key, text, now.nanoseconds, change]
            )
            guard let row else {
                throw StorageError(.failed, "SQLite returned no row for a document it stored")
            }
            return try Self.document(row)
        }
    }

    /// A collection's documents, the last changed first.
    package func list(_ collection: String, limit: Int) async throws -> [Document] {
        try await file.read { database in
            try database.rows(
                "SELECT * FROM documents WHERE collection = ? ORDER BY change DESC LIMIT ?",
                [collection, limit]
            ).map(Self.document)
        }
    }

    /// The collections with how many documents each has.
    package func collections() async throws -> [(name: String, count: Int)] {
        try await file.read { database in
            try database.rows("SELECT collection, COUNT(*) AS count FROM documents GROUP BY collection", [])
                .map {
                    ($0["collection"], $0["count"])
                }
        }
    }

    /// Closes the file.
    package func close() async {
        await file.close()
    }

    private static func get(_ collection: String, _ key: String, in database: Database) throws -> Document? {
        try database.first("SELECT * FROM documents WHERE collection = ? AND key = ?", [collection, key])
            .map(document)
    }

    private static func document(_ row: Row) throws -> Document {
        Document(
            key: row["key"],
            version: row["version"],
            value: try row.json("value"),
            updated: row.instant("updated")
        )
    }
}
