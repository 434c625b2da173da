import FunctionCore
import GRDB
import Storage

extension JobStore {
    /// One job, or nil.
    package func job(_ id: String) async throws -> JobRecord? {
        try await file.read { try JobRows.job(id, in: $0) }
    }

    /// Jobs without their bodies, newest first.
    package func list(_ filter: JobFilter = JobFilter()) async throws -> [JobRecord] {
        try await file.read { try JobRows.list(filter, in: $0) }
    }

    /// Which of these jobs are not there any more.
    package func missing(_ ids: [String]) async throws -> [String] {
        try await file.read { database in
            try ids.filter { try database.first("SELECT 1 FROM jobs WHERE id = ?", [$0]) == nil }
        }
    }

    /// The attempts of a job that did not succeed, the first one first.
    package func attempts(of job: JobRecord) async throws -> [JobAttempt] {
        try await file.read { try AttemptRows.all(of: job.number, in: $0) }
    }

    /// How many jobs each function has, and ever had, in each state.
    package func counts() async throws -> [JobCount] {
        try await file.read { database in
            try database.rows("SELECT * FROM job_counts ORDER BY function, state").compactMap { row in
                guard let state = JobState(rawValue: row["state"]) else { return nil }
                return JobCount(
                    function: row["function"],
                    state: state,
                    present: row["present"],
                    ever: row["ever"],
                    pruned: row["pruned"]
                )
            }
        }
    }
}
