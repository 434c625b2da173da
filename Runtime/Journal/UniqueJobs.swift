import FunctionCore
import GRDB
import Invocations
import Storage

/// Jobs that are not to be there twice, by their function and a key of the caller's.
enum UniqueJobs {
    /// The longest key in bytes.
    static let keyLimit = 256

    /// The job that is there already; else the key is taken for `job`.
    static func claim(
        _ wish: UniqueWish,
        for job: NewJob,
        now: Instant,
        in database: Database
    ) throws -> JobRecord? {
        guard wish.key.utf8.count <= keyLimit else {
            let message = "a unique job's key has at most \(keyLimit) bytes; send a shorter one"
            throw StorageError(.tooLarge, message)
        }
        let row = try database.first(
            "SELECT job, until FROM job_unique WHERE function = ? AND key = ?",
            [job.function, wish.key]
        )
        if let row, let known = try JobRows.light(row["job"], in: database) {
            let holds = row.instantIfAny("until").map { $0 > now } ?? !known.state.isFinal
            if holds { return known }
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
