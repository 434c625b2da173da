import FunctionCore
import GRDB
import Storage

extension JobStore {
    package func job(_ id: String) async throws -> JobRecord? {
        try await file.read { try JobRows.job(id, in: $0) }
    }

    package func list(_ filter: JobFilter) async throws -> [JobRecord] {
        try await file.read { try JobRows.list(filter, in: $0) }
    }

    package func missing(_ ids: [String]) async throws -> [String] {
        try await file.read { database in
            try ids.filter { try database.first("SELECT 1 FROM jobs WHERE id = ?", [$0]) == nil }
        }
    }

    package func attempts(of job: JobRecord) async throws -> [JobAttempt] {
        try await file.read { try AttemptRows.all(of: job.number, in: $0) }
    }

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

    // MARK: What is to be stepped on

    /// The data directory has one host, so that whatever is running at its start was run by a host that is
    /// gone.
    package func leftBehind() async throws -> [String] {
        try await ids("SELECT id FROM jobs WHERE state = 'running' ORDER BY number")
    }

    package func leased(until: Instant) async throws -> [String] {
        // A journal of the first version has no end of a lease: it is over.
        try await ids(
            "SELECT id FROM jobs WHERE state = 'running' AND coalesce(lease_until, 0) <= ? ORDER BY number",
            [until.nanoseconds]
        )
    }

    package func expiring(by now: Instant) async throws -> [String] {
        try await ids(
            """
            SELECT id FROM jobs
            WHERE expires IS NOT NULL AND state IN ('queued', 'retry_wait') AND expires <= ?
            ORDER BY expires LIMIT 256
            """,
            [now.nanoseconds]
        )
    }

    package func ended(before horizon: Instant?, limit: Int) async throws -> [String] {
        try await ids(
            """
            SELECT id FROM jobs WHERE state IN ('completed', 'failed', 'cancelled', 'expired') AND updated < ?
            ORDER BY updated LIMIT ?
            """,
            [horizon?.nanoseconds ?? .max, limit]
        )
    }

    private func ids(_ sql: String, _ arguments: StatementArguments = []) async throws -> [String] {
        try await file.read { try $0.rows(sql, arguments).map { $0["id"] } }
    }
}
