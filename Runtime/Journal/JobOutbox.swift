import FunctionCore
import GRDB
import Invocations
import Storage

/// Jobs that were accepted in the journal's file, in one transaction with what made them, and wait for the
/// engine that is not there: it is given them at least once, and takes each once, by its id.
package final class JobOutbox: AuditedSource {
    static let schema = """
        CREATE TABLE job_outbox (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL,
            body BLOB NOT NULL
        );
        """

    /// Wakes when a job may have been added.
    package let appended = WakeSignal()
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// - Throws: `StorageError` storage_overloaded at `JobLimits.waiting`.
    static func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
        try JobLimits.check(job.body)
        // The oldest go first, so the span of the numbers is what waits or more: only a large one is counted out.
        let span = """
            SELECT coalesce((SELECT max(number) FROM job_outbox) - (SELECT min(number) FROM job_outbox) + 1, 0)
            """
        let atMost: Int = try database.first(span)?[0] ?? 0
        if atMost >= JobLimits.waiting {
            let waiting: Int = try database.first("SELECT count(*) FROM job_outbox")?[0] ?? 0
            guard waiting < JobLimits.waiting else { throw JobLimits.full }
        }
        try database.run(
            "INSERT INTO job_outbox (id, job, body) VALUES (?, ?, ?)",
            [job.id, job.json.text, job.body.blob]
        )
        return try JobRecord(job, now: now)
    }

    /// The oldest jobs that wait.
    package func pending(limit: Int) async throws -> [NewJob] {
        try await file.read { database in
            try database.rows("SELECT * FROM job_outbox ORDER BY number LIMIT ?", [limit]).map { row in
                guard let job = NewJob(try row.json("job"), body: row.bytes("body")) else {
                    throw StorageError(.corrupt, "a job in the outbox cannot be read")
                }
                return job
            }
        }
    }

    /// The engine has it.
    package func done(_ id: String) async throws {
        try await file.write { try $0.run("DELETE FROM job_outbox WHERE id = ?", [id]) }
    }

    /// What waits here is accepted, and pending; the engine counts it from when it has it.
    package func audit() async throws -> [AuditLine] {
        try await file.read { database in
            try database.rows(
                "SELECT json_extract(job, '$.function') AS function, count(*) AS n FROM job_outbox GROUP BY 1"
            ).map {
                AuditLine(source: "outbox", function: $0["function"], accepted: $0["n"], pending: $0["n"])
            }
        }
    }

    /// Whether the engine does not have it yet.
    package func holds(_ id: String) async throws -> Bool {
        try await file.read { try $0.first("SELECT 1 FROM job_outbox WHERE id = ?", [id]) != nil }
    }
}
