import FunctionCore
import GRDB
import Invocations
import Storage

/// Dead letters, and what is over: tried again, or removed. The numbers of what is removed stay.
extension JobStore {
    /// How many jobs one transaction takes, so that other writes get between them.
    private static let step = 200

    /// Queues a dead letter, or a cancelled job, once more with all its attempts; its history stays.
    /// - Throws: `StorageError` wrong_state for a job that has not ended so, not_found.
    @discardableResult
    package func revive(_ id: String, now: Instant) async throws -> JobRecord {
        try await move(id, .revived(at: now), now: now) { _, job, database in
            try self.comeBack(&job, in: database)
        }
    }

    private func comeBack(_ job: inout JobRecord, in database: Database) throws {
        job.error = nil
        // The time that it had to begin in is over.
        job.expires = nil
        let policy = endings.manifest(job.function)?.jobs.lane(job.place.key) ?? JobLanePolicy()
        try JobLanes.ensure(job, policy, in: database)
    }

    /// Queues the dead letters that the filter names once more; its states and its limit are not looked at.
    /// - Returns: how many.
    package func redrive(_ filter: JobFilter, now: Instant) async throws -> Int {
        try await deadLetters(filter, until: now) { before, database in
            var job = try Self.moved(before, .revived(at: now), now: now)
            try self.comeBack(&job, in: database)
            try JobRows.update(job, from: before, in: database)
            return job
        }
    }

    /// Removes the dead letters that the filter names; its states and its limit are not looked at.
    /// - Returns: how many.
    package func purge(_ filter: JobFilter, now: Instant) async throws -> Int {
        try await deadLetters(filter, until: now) { job, database in
            try database.run("DELETE FROM jobs WHERE number = ?", [job.number])
            return nil
        }
    }

    /// Takes the dead letters in steps, newest first; those that come while it works are left.
    private func deadLetters(
        _ filter: JobFilter,
        until now: Instant,
        _ body: @escaping @Sendable (JobRecord, Database) throws -> JobRecord?
    ) async throws -> Int {
        var filter = filter
        filter.states = [.failed, .expired]
        filter.until = min(filter.until ?? Instant(nanoseconds: .max), now + .nanoseconds(1))
        filter.limit = Self.step
        var count = 0
        while true {
            let part = filter
            let (numbers, changed) = try await file.write { database in
                let found = try JobRows.list(part, in: database)
                return (found.map(\.number), try found.compactMap { try body($0, database) })
            }
            told(changed)
            count += numbers.count
            guard let last = numbers.last, numbers.count == Self.step else { return count }
            filter.before = last
        }
    }

    /// Removes the oldest of the ended jobs: those that ended before `horizon`, and all but `keep`.
    package func prune(endedBefore horizon: Instant, keep: Int) async throws -> Int {
        let ended = "state IN ('completed', 'failed', 'cancelled', 'expired')"
        var removed = 0
        while true {
            let step = try await file.write { database in
                let present = "SELECT coalesce(sum(present), 0) FROM job_counts WHERE \(ended)"
                let total = try Int.fetchOne(database, sql: present) ?? 0
                let old = "SELECT number FROM jobs WHERE \(ended) AND updated < ? ORDER BY updated LIMIT 500"
                let late = try database.run(
                    "DELETE FROM jobs WHERE number IN (\(old))",
                    [horizon.nanoseconds]
                )
                let excess = min(max(total - late - keep, 0), 500 - late)
                let oldest = "SELECT number FROM jobs WHERE \(ended) ORDER BY updated LIMIT ?"
                return try late + database.run("DELETE FROM jobs WHERE number IN (\(oldest))", [excess])
            }
            removed += step
            if step < 500 { return removed }
        }
    }
}
