import FunctionCore
import GRDB
import Storage

/// The history of jobs: attempts that did not succeed, as rows.
///
/// What was given back uncounted leaves none, so that a function which sheds for hours fills no disk.
enum AttemptRows {
    static func insert(_ attempt: JobAttempt, of number: Int64, in database: Database) throws {
        let error = attempt.error
        try database.run(
            """
            INSERT OR REPLACE INTO job_attempts (job, claim, attempt, started, ended, outcome, worker,
                error_code, error_message, error_status)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                number, attempt.claim, attempt.attempt, attempt.started.nanoseconds,
                attempt.ended.nanoseconds, attempt.end.outcome, attempt.end.worker, error?.code,
                error?.message, error?.status,
            ]
        )
        let horizon = attempt.claim - Int64(JobLimits.attempts)
        guard horizon > 0 else { return }
        try database.run("DELETE FROM job_attempts WHERE job = ? AND claim <= ?", [number, horizon])
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
