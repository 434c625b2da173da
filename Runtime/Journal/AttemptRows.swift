import FunctionCore
import GRDB
import Storage

/// The history of jobs: attempts that did not succeed, as rows.
///
/// What was given back uncounted leaves none, so that a function which sheds for hours fills no disk.
enum AttemptRows {
    /// How many are kept of a job, the last ones.
    static let limit = 200

    /// Writes down the attempt that `job`, as it was before, was in.
    static func insert(
        _ end: AttemptEnd,
        _ error: JobError?,
        of job: JobRecord,
        now: Instant,
        in database: Database
    ) throws {
        try database.run(
            """
            INSERT OR REPLACE INTO job_attempts (job, claim, attempt, started, ended, outcome, worker,
                error_code, error_message, error_status)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                job.number, job.life.claims, job.attempt, (job.claimed ?? job.updated).nanoseconds,
                now.nanoseconds, end.outcome, end.worker, error?.code, error?.message, error?.status,
            ]
        )
        guard job.life.claims > Int64(limit) else { return }
        try database.run(
            "DELETE FROM job_attempts WHERE job = ? AND claim <= ?",
            [job.number, job.life.claims - Int64(limit)]
        )
    }

    /// A job's attempts, the first one first.
    static func all(of number: Int64, in database: Database) throws -> [JobAttempt] {
        try database.rows("SELECT * FROM job_attempts WHERE job = ? ORDER BY claim", [number]).map { row in
            let error = (row["error_code"] as String?).map {
                JobError(code: $0, message: row["error_message"] ?? "", status: row["error_status"] ?? 500)
            }
            return JobAttempt(
                claim: row["claim"],
                attempt: row["attempt"],
                started: row.instant("started"),
                ended: row.instant("ended"),
                end: AttemptEnd(outcome: row["outcome"], worker: row["worker"]),
                error: error
            )
        }
    }
}
