import FunctionCore
import GRDB
import Storage

/// The jobs: accepted, claimed by the host's runner, ended.
///
/// `JobLife` decides what may follow on what.
///
/// Who claims a job gets a lease, a number that the end of the attempt must carry: an end that comes after
/// the job was cancelled or given back changes nothing.
package final class JobStore: Sendable {
    /// The largest event body of a job.
    package static let bodyLimit = 6 * 1024 * 1024
    /// The largest result; more belongs into a blob.
    package static let resultLimit = 256 * 1024
    /// How many jobs may wait in all.
    package static let waitingLimit = 100_000

    /// Wakes when a job may have become due earlier than was known.
    package let due = WakeSignal()
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// Takes a job on: when this returns, the job survives anything but the loss of the disk.
    ///
    /// With `scope`, the idempotency key of the request is bound to the job in the same transaction.
    /// - Throws: `StorageError` too_large, storage_overloaded.
    @discardableResult
    package func accept(_ job: NewJob, scope: IdempotencyScope? = nil, now: Instant) async throws -> JobRecord
    {
        let record = try await file.write { database in
            let record = try Self.insert(job, now: now, in: database)
            if let scope { try IdempotencyStore.bind(scope, to: job.id, in: database) }
            return record
        }
        due.wake()
        return record
    }

    static func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
        guard job.body.count <= bodyLimit else {
            let message =
                "the event has \(job.body.count) bytes and a job takes \(bodyLimit); pass a blob's key"
            throw StorageError(.tooLarge, message)
        }
        let waiting = try database.first(
            "SELECT coalesce(sum(present), 0) FROM job_counts WHERE state IN ('queued', 'retry_wait')"
        )
        guard (waiting?[0] ?? 0) < waitingLimit else {
            let message = "\(waitingLimit) jobs wait already; add workers, or try again later"
            throw StorageError(.overloaded, message)
        }
        return try JobRows.insert(job, now: now, in: database)
    }

    /// Begins attempts of up to `limit` jobs that are due, the longest due first, and of each function no
    /// more than its capacity; functions that `capacity` does not name are left alone.
    package func claim(limit: Int, capacity: [String: Int], now: Instant) async throws -> [JobRecord] {
        let open = capacity.filter { $0.value > 0 }
        guard limit > 0, !open.isEmpty else { return [] }
        return try await file.write { database in
            var found: [JobRecord] = []
            for (function, room) in open {
                found += try JobRows.due(function, now: now, limit: min(room, limit), in: database)
            }
            found.sort { ($0.runAt, $0.number) < ($1.runAt, $1.number) }
            return try found.prefix(limit).map { job in
                var job = try Self.moved(job, .claimed(at: now), now: now)
                job.lease = Int64.random(in: 1 ... .max)
                try JobRows.update(job, in: database)
                return job
            }
        }
    }

    /// Notes how far a running job is; for what is no running job nothing happens.
    ///
    /// Percent never falls.
    package func progress(_ id: String, stage: String, percent: Int, now: Instant) async throws {
        try await file.write { database in
            try database.run(
                """
                UPDATE jobs SET stage = ?, percent = max(percent, ?), updated = ?
                WHERE id = ? AND state = 'running'
                """,
                [stage, min(max(percent, 0), 100), now.nanoseconds, id]
            )
        }
    }

    /// Ends a job with its result.
    /// - Throws: `StorageError` too_large; stale_lease, wrong_state, not_found.
    @discardableResult
    package func complete(
        _ id: String,
        lease: Int64,
        _ result: JobResult,
        now: Instant
    ) async throws -> JobRecord {
        guard result.body.count <= Self.resultLimit else {
            let message =
                "the result has \(result.body.count) bytes and a job keeps \(Self.resultLimit); "
                + "store it as a blob and return its key"
            throw StorageError(.tooLarge, message)
        }
        return try await move(id, lease: lease, .succeeded, now: now) {
            $0.result = result
            $0.error = nil
            $0.percent = 100
        }
    }

    /// Ends an attempt that failed: the next is at `retryAt`, if there is one and an attempt is left; else
    /// the job is a dead letter.
    @discardableResult
    package func fail(
        _ id: String,
        lease: Int64,
        _ error: JobError,
        retryAt: Instant?,
        now: Instant
    ) async throws -> JobRecord {
        try await move(id, lease: lease, .failed(retryAt: retryAt), now: now) { $0.error = error }
    }

    /// Gives a job back whose attempt was no attempt: shed, drained, interrupted.
    ///
    /// It does not count.
    @discardableResult
    package func requeue(_ id: String, lease: Int64, runAt: Instant, now: Instant) async throws -> JobRecord {
        try await move(id, lease: lease, .returned(runAt: runAt), now: now) { _ in }
    }

    /// Ends a job whose time was over before it began.
    @discardableResult
    package func expire(_ id: String, _ error: JobError, now: Instant) async throws -> JobRecord {
        try await move(id, lease: nil, .expired, now: now) { $0.error = error }
    }

    /// Ends a job on demand.
    ///
    /// Where an attempt was under way (`wasRunning`), the caller stops it; its end changes nothing.
    /// - Throws: `StorageError` wrong_state for a job that has ended, not_found.
    package func cancel(_ id: String, now: Instant) async throws -> (job: JobRecord, wasRunning: Bool) {
        try await file.write { database in
            let before = try Self.existing(id, in: database)
            let job = try Self.moved(before, .cancelled, now: now)
            try JobRows.update(job, in: database)
            return (job, before.state == .running)
        }
    }

    /// Queues a dead letter, or a cancelled job, once more with all its attempts.
    @discardableResult
    package func revive(_ id: String, now: Instant) async throws -> JobRecord {
        try await move(id, lease: nil, .revived(at: now), now: now) { $0.error = nil }
    }

    /// Removes the oldest of the ended jobs: those that ended before `horizon`, and all but `keep`.
    package func prune(endedBefore horizon: Instant, keep: Int) async throws -> Int {
        let ended = "state IN ('completed', 'failed', 'cancelled', 'expired')"
        var removed = 0
        while true {
            let step = try await file.write { database in
                let total = try Int.fetchOne(database, sql: "SELECT count(*) FROM jobs WHERE \(ended)") ?? 0
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

// MARK: - Steps

extension JobStore {
    /// One step of one job, in a transaction.
    private func move(
        _ id: String,
        lease: Int64?,
        _ fact: JobLife.Fact,
        now: Instant,
        _ change: @escaping @Sendable (inout JobRecord) -> Void
    ) async throws -> JobRecord {
        let moved = try await file.write { database in
            let before = try Self.existing(id, in: database)
            if let lease, before.lease != lease {
                throw StorageError(
                    .staleLease,
                    "the attempt of job \(id) was given up; its end comes too late"
                )
            }
            var job = try Self.moved(before, fact, now: now)
            change(&job)
            try JobRows.update(job, in: database)
            return job
        }
        if !moved.state.isFinal { due.wake() }
        return moved
    }

    private static func existing(_ id: String, in database: Database) throws -> JobRecord {
        guard let job = try JobRows.job(id, in: database) else {
            throw StorageError(.notFound, "there is no job \(id); it may have been pruned")
        }
        return job
    }

    private static func moved(_ job: JobRecord, _ fact: JobLife.Fact, now: Instant) throws -> JobRecord {
        guard let life = job.life.after(fact) else {
            throw StorageError(
                .wrongState,
                "job \(job.id) is \(job.state.rawValue), which does not allow this"
            )
        }
        var job = job
        job.life = life
        job.updated = now
        job.lease = nil
        return job
    }

    /// Queues again what a host that is gone was running; says how many.
    static func recover(now: Instant, in database: Database) throws -> Int {
        let numbers = try database.rows("SELECT id FROM jobs WHERE state = 'running'").map {
            $0["id"] as String
        }
        for id in numbers {
            let job = try moved(existing(id, in: database), .hostStarted(at: now), now: now)
            try JobRows.update(job, in: database)
        }
        return numbers.count
    }
}

// MARK: - Looking

extension JobStore {
    /// One job, or nil.
    package func job(_ id: String) async throws -> JobRecord? {
        try await file.read { try JobRows.job(id, in: $0) }
    }

    /// Jobs without their bodies, newest first.
    package func list(_ filter: JobFilter = JobFilter()) async throws -> [JobRecord] {
        try await file.read { try JobRows.list(filter, in: $0) }
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
                    ever: row["ever"]
                )
            }
        }
    }

    /// When the next of these functions' waiting jobs is due; nil where none waits.
    package func nextDue(of functions: [String]) async throws -> Instant? {
        try await file.read { database in
            try functions.compactMap { function in
                try database.first(
                    """
                    SELECT min(run_at) AS at FROM jobs
                    WHERE function = ? AND state IN ('queued', 'retry_wait')
                    """,
                    [function]
                )?.instantIfAny("at")
            }.min()
        }
    }
}
