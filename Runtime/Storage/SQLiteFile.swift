import Dispatch
import FunctionCore
import GRDB

/// One SQLite file: one writer with group commit, a few readers, WAL.
///
/// `synchronous` is FULL, so that what `write` has returned survives a loss of power; NORMAL would lose it. A
/// program opens a file once: closing any descriptor of it would drop the process's locks. Nothing here
/// blocks Swift's pool.
package final class SQLiteFile: Sendable {
    /// The file's path.
    package let path: String
    private let pool: DatabasePool
    private let group: CommitGroup

    /// Opens a file, makes it and its directory if they are not there, and brings it to the schema's version.
    ///
    /// After a crash, which a left-over WAL tells of, its structure is checked as well.
    /// - Throws: `StorageError` with code newer, foreign, corrupt or failed.
    package static func open(_ path: String, schema: Schema, readers: Int = 4) async throws -> SQLiteFile {
        try await blocking { try SQLiteFile(path, schema: schema, readers: readers) }
    }

    /// Reads a file that nobody has open, and changes nothing in it.
    /// - Throws: `StorageError`, also for a file of an older version.
    package static func inspect<Value: Sendable>(
        _ path: String,
        schema: Schema,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await blocking {
            guard fileSize(path) != nil else {
                throw StorageError(.notFound, "there is no \(path); name the host's data directory")
            }
            var configuration = configuration(path, schema, 1)
            configuration.readonly = true
            do {
                return try DatabaseQueue(path: path, configuration: configuration).read { database in
                    try schema.requireLatest(database, file: path)
                    return try body(database)
                }
            } catch {
                throw StorageError.mapping(error, file: path)
            }
        }
    }

    private init(_ path: String, schema: Schema, readers: Int) throws {
        self.path = path
        do {
            try makeDirectory(parent(of: path))
            try makePrivate(path)
            let crashed = fileSize(path + "-wal").map { $0 > 0 } ?? false
            pool = try DatabasePool(path: path, configuration: Self.configuration(path, schema, readers))
            try pool.writeWithoutTransaction { database in
                // GRDB sets NORMAL while it opens the file, so FULL has to come after that.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                try schema.migrate(database)
                guard crashed else { return }
                let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "ok"
                guard verdict == "ok" else {
                    throw StorageError(.corrupt, "\(path) is damaged (\(verdict)); restore it from a backup")
                }
            }
        } catch {
            throw StorageError.mapping(error, file: path)
        }
        group = CommitGroup(pool, file: path)
    }

    private static func configuration(_ path: String, _ schema: Schema, _ readers: Int) -> Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = readers
        configuration.busyMode = .timeout(5)
        // GRDB lets a thread of this class wait for a free reader. Swift's own jobs run in the classes above,
        // so that they never lack a thread for it; on Linux the class has no other effect.
        configuration.qos = .utility
        configuration.label = "swiftlet.\(schema.name)"
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
            try schema.check(database, file: path)
        }
        return configuration
    }

    /// How many transactions have been committed since the file was opened.
    package var transactions: Int { group.transactions }

    /// How many writes wait for the next transaction; at most 4096.
    package var waitingWrites: Int { group.waiting }

    /// Runs `body` on what was committed last, beside the writer.
    ///
    /// Cancelling the task interrupts it.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw StorageError.mapping(error, file: path)
        }
    }

    /// Runs `body` in a transaction and returns when it is on the disk.
    ///
    /// What `body` throws undoes what it wrote.
    ///
    /// Cancelling the task does not stop the write: its caller learns what came of it.
    @discardableResult
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            group.append(ValueWrite(file: path, continuation, body))
        }
    }

    /// Carries out what waits and closes the file, which folds the WAL into it.
    package func close() async {
        let pool = pool
        group.close()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            // Comes after the batch that may be running: the writer's queue is serial.
            pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
        // A file that cannot be closed in order is recovered from its WAL at the next start.
        try? await blocking {
            // The last connection to close folds the WAL in, which a reader may not do.
            pool.invalidateReadOnlyConnections()
            try pool.close()
        }
    }
}
