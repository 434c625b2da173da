import FunctionCore
import GRDB
import Invocations
import Storage

/// Jobs that are not to be there twice, by their function and a key of the caller's.
enum UniqueJobs {
    /// The job that is there already; else the key is taken for `job`.
    static func claim(
        _ wish: UniqueWish,
        for job: NewJob,
        now: Instant,
        in database: Database
    ) throws -> JobRecord? {
        try wish.check()
        let row = try database.first(
            "SELECT job, until FROM job_unique WHERE function = ? AND key = ?",
            [job.function, wish.key]
        )
        if let row, let known = try JobRows.light(row["job"], in: database) {
            if wish.holds(known, until: row.instantIfAny("until"), now: now) { return known }
        }
        try database.run(
            "INSERT OR REPLACE INTO job_unique VALUES (?, ?, ?, ?)",
            [job.function, wish.key, job.id, wish.period.map { (now + $0).nanoseconds }]
        )
        return nil
    }

    /// Forgets keys that hold nothing any more.
    static func prune(now: Instant, in database: Database) throws {
        try database.run(
            """
            DELETE FROM job_unique WHERE until <= ? OR (until IS NULL AND NOT EXISTS
            (SELECT 1 FROM jobs WHERE id = job AND state IN ('created', 'queued', 'running', 'retry_wait')))
            """,
            [now.nanoseconds]
        )
    }
}

extension UniqueWish {
    /// The longest key in bytes.
    static let keyLimit = 256

    /// Refuses a key that is too long.
    func check() throws {
        guard key.utf8.count > Self.keyLimit else { return }
        let message = "a unique job's key has at most \(Self.keyLimit) bytes; send a shorter one"
        throw StorageError(.tooLarge, message)
    }

    /// Whether a job that has taken the key keeps others from it.
    func holds(_ known: JobRecord, until: Instant?, now: Instant) -> Bool {
        until.map { $0 > now } ?? !known.state.isFinal
    }
}
