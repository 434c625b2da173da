import FunctionCore
import GRDB
import Invocations
import Storage

/// The engine of one host: jobs as rows of its journal's file.
///
/// What returns is on the disk; calls that come together share a transaction and its `fsync`.
package final class JobStore: JobEngine {
    package let isShared = false
    package let due = WakeSignal()
    package let changes = JobChanges()
    let file: SQLiteFile
    private let endings: JobEndings
    private let deliveries: DeliveryStore

    init(_ file: SQLiteFile, endings: JobEndings, deliveries: DeliveryStore) {
        self.file = file
        self.endings = endings
        self.deliveries = deliveries
    }

    @discardableResult
    package func accept(_ job: NewJob, scope: IdempotencyScope?, now: Instant) async throws -> JobRecord {
        let record = try await file.write { database in
            let record = try Self.insert(job, now: now, in: database)
            if let scope { try IdempotencyStore.bind(scope, to: record.id, in: database) }
            return record
        }
        due.wake()
        return record
    }

    static func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
        try JobLimits.check(job.body)
        let waiting = try database.first(
            "SELECT coalesce(sum(present), 0) FROM job_counts WHERE state IN ('queued', 'retry_wait')"
        )
        guard (waiting?[0] ?? 0) < JobLimits.waiting else { throw JobLimits.full }
        if let unique = job.unique,
            let known = try UniqueJobs.claim(unique, for: job, now: now, in: database)
        {
            return known
        }
        return try JobRows.insert(job, now: now, in: database)
    }

    package func renew(_ leases: [String: Int64], now: Instant) async throws -> [String] {
        guard !leases.isEmpty else { return [] }
        return try await file.write { database in
            try leases.filter { id, token in
                try database.run(
                    "UPDATE jobs SET lease_until = ? WHERE id = ? AND state = 'running' AND lease = ?",
                    [(now + JobLimits.leaseTime).nanoseconds, id, token]
                ) == 0
            }.map(\.key)
        }
    }

    // MARK: Steps

    package func step(
        _ ids: [String],
        now: Instant,
        _ decide: @escaping JobDecision
    ) async throws -> [JobChange] {
        guard !ids.isEmpty else { return [] }
        let taken = try await file.write { database in
            try ids.compactMap { id -> JobChange? in
                guard let before = try JobRows.light(id, in: database), let change = try decide(before) else {
                    return nil
                }
                try self.store(change, now: now, in: database)
                return change
            }
        }
        told(taken)
        return taken
    }

    private func store(_ change: JobChange, now: Instant, in database: Database) throws {
        let job = change.job
        if let attempt = change.attempt { try AttemptRows.insert(attempt, of: job.number, in: database) }
        if let result = change.result { try JobRows.store(result, of: job, in: database) }
        if change.comesBack { try JobLanes.ensure(job, endings.policy(of: job), in: database) }
        try JobRows.update(job, from: change.before, in: database)
        switch endings.sequel(of: job, now: now) {
        case .none: break
        case .delivery(let destination, let body):
            try DeliveryStore.insert(destination, body, of: job, now: now, in: database)
        case .job(let next):
            let record = try JobRows.insert(next, now: now, in: database)
            guard next.depth > JobEndings.depthMax else { return }
            try JobRows.update(try JobChange.tooDeep(record, now: now).job, from: record, in: database)
        }
    }

    /// Tells of changes that others have not asked for.
    private func told(_ taken: [JobChange]) {
        changes.tell(of: taken, due: due, deliveries: deliveries.appended)
    }

    package func remove(
        _ ids: [String],
        if isOver: @escaping @Sendable (JobRecord) -> Bool
    ) async throws -> Int {
        guard !ids.isEmpty else { return 0 }
        return try await file.write { database in
            try ids.reduce(0) { count, id in
                guard let job = try JobRows.light(id, in: database), isOver(job) else { return count }
                return try count + database.run("DELETE FROM jobs WHERE number = ?", [job.number])
            }
        }
    }

    package func tidy(now: Instant) async throws {
        try await file.write { database in
            try UniqueJobs.prune(now: now, in: database)
            try JobLanes.prune(now: now, in: database)
        }
    }
}
