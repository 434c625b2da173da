import FunctionCore
import GRDB
import Storage

/// Logs of values, each under an id that occurs once: appending the same id again gives back what is there.
///
/// The paper broker keeps its fills in one.
package final class KeyedLog: Sendable {
    /// The largest value, as JSON text.
    package static let valueLimit = 256 * 1024

    /// A value in its place.
    package struct Entry: Sendable, Hashable {
        /// Increases along the log, with gaps.
        package var sequence: Int64
        package var id: String
        package var value: JSON
    }

    /// What `append` met.
    package enum Append: Sendable, Hashable {
        case appended(Entry)
        /// The id is known, with this value.
        case exists(Entry)
    }

    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// Appends a value, unless the log has one of that id.
    package func append(_ log: String, id: String, _ value: JSON) async throws -> Append {
        let text = value.text
        guard text.utf8.count <= Self.valueLimit else {
            let message =
                "\(log) entry has \(text.utf8.count) bytes and may have \(Self.valueLimit); split it"
            throw StorageError(.tooLarge, message)
        }
        return try await file.write { database in
            if let known = try Self.entry(log, id, in: database) { return .exists(known) }
            try database.run("INSERT INTO keyed_log (log, id, value) VALUES (?, ?, ?)", [log, id, text])
            return .appended(Entry(sequence: database.lastInsertedRowID, id: id, value: value))
        }
    }

    /// The entry of an id, or nil.
    package func entry(_ log: String, id: String) async throws -> Entry? {
        try await file.read { try Self.entry(log, id, in: $0) }
    }

    /// Up to `limit` (1 to 1000) entries after a place, in order; 0 is the place before the first.
    package func entries(_ log: String, after sequence: Int64 = 0, limit: Int = 1000) async throws -> [Entry]
    {
        try await file.read { database in
            try database.rows(
                "SELECT seq, id, value FROM keyed_log WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?",
                [log, sequence, min(max(limit, 1), 1000)]
            ).map(Self.entry)
        }
    }

    private static func entry(_ log: String, _ id: String, in database: Database) throws -> Entry? {
        try database.first("SELECT seq, id, value FROM keyed_log WHERE log = ? AND id = ?", [log, id])
            .map(entry)
    }

    private static func entry(_ row: Row) throws -> Entry {
        Entry(sequence: row["seq"], id: row["id"], value: try row.json("value"))
    }
}
