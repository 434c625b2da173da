import FunctionCore
import GRDB
import Storage

/// The index of the blobs: which file a key stands for.
///
/// A blob exists when, and only when, the index has it.
struct BlobIndex: Sendable {
    /// A key and its file.
    struct Row: Sendable {
        var reference: BlobReference
        var file: String
    }

    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    func row(_ key: String) async throws -> Row? {
        try await file.read { try $0.first("SELECT * FROM blobs WHERE key = ?", [key]).map(Self.row) }
    }

    /// Puts a file under a key, and returns the one that was there.
    /// - Throws: `StorageError` storage_full where all blobs together would be over `capacity`.
    func store(
        _ new: Row,
        invocation: String?,
        capacity: Int,
        now: Instant
    ) async throws -> String? {
        try await file.write { database in
            let reference = new.reference
            let old = try database.first("SELECT * FROM blobs WHERE key = ?", [reference.key]).map(Self.row)
            let used = try Self.usage(in: database) - (old?.reference.size ?? 0)
            guard used + reference.size <= capacity else { throw Self.full(used, reference.size, capacity) }
            // Not an upsert: the triggers keep the sum by additions and removals.
            try database.run("DELETE FROM blobs WHERE key = ?", [reference.key])
            try database.run(
                """
                INSERT INTO blobs (key, file, sha256, size, content_type, created, invocation)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    reference.key, new.file, reference.sha256, reference.size, reference.contentType,
                    now.nanoseconds, invocation,
                ]
            )
            return old?.file
        }
    }

    /// Refuses what would not fit, before it is written.
    func checkRoom(for size: Int, capacity: Int) async throws {
        let used = try await usage()
        // A blob that replaces one may fit all the same; `store` decides with the old one's size known.
        guard size <= capacity, used < capacity || size == 0 else { throw Self.full(used, size, capacity) }
    }

    /// Removes a key and returns its file.
    func remove(_ key: String) async throws -> String? {
        try await file.write {
            try $0.first("DELETE FROM blobs WHERE key = ? RETURNING file", [key])?["file"]
        }
    }

    /// Removes up to 500 of an invocation's temporary blobs and returns their files.
    func removeTemporary(of invocation: String) async throws -> [String] {
        try await file.write { database in
            try database.rows(
                """
                DELETE FROM blobs WHERE key IN (SELECT key FROM blobs WHERE invocation = ? LIMIT 500)
                RETURNING file
                """,
                [invocation]
            ).map { $0["file"] }
        }
    }

    /// The invocations that have temporary blobs; with `before`, those with one that is older.
    func invocations(before: Instant = Instant(nanoseconds: .max)) async throws -> Set<String> {
        try await file.read { database in
            let sql = "SELECT DISTINCT invocation FROM blobs WHERE invocation IS NOT NULL AND created < ?"
            return Set(try database.rows(sql, [before.nanoseconds]).map { $0["invocation"] as String })
        }
    }

    /// Up to `limit` blobs whose keys begin with `prefix`, after a key, in the order of their keys.
    func list(prefix: String, after: String, limit: Int) async throws -> [Row] {
        try await file.read { database in
            try database.rows(
                // Keys hold no byte as high as DEL, so it ends the range.
                "SELECT * FROM blobs WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
                [prefix, prefix + "\u{7F}", after, limit]
            ).map(Self.row)
        }
    }

    /// The bytes of all blobs.
    func usage() async throws -> Int {
        try await file.read { try Self.usage(in: $0) }
    }

    func close() async {
        await file.close()
    }

    private static func usage(in database: Database) throws -> Int {
        try database.first("SELECT bytes FROM usage")?["bytes"] ?? 0
    }

    private static func full(_ used: Int, _ size: Int, _ capacity: Int) -> StorageError {
        StorageError(
            .full,
            "\(size) bytes do not fit: the blobs take \(used) of \(capacity); delete some, or raise the limit"
        )
    }

    private static func row(_ row: GRDB.Row) -> Row {
        Row(
            reference: BlobReference(
                key: row["key"],
                sha256: row["sha256"],
                size: row["size"],
                contentType: row["content_type"]
            ),
            file: row["file"]
        )
    }
}
