import FunctionCore
import GRDB
import Storage

/// The jobs: accepted, claimed by the host's runner, ended.
///
/// `JobLife` decides what may follow on what.
///
/// Who claims a job gets a lease: a number that all it tells must carry, and an instant until which it must
/// have renewed it. What is told by an attempt that was given up changes nothing.
package final class JobStore: Sendable {
    /// The largest event body of a job.
    package static let bodyLimit = 6 * 1024 * 1024
    /// The largest result; more belongs into a blob.
    package static let resultLimit = 256 * 1024
    /// How many jobs may wait in all.
    package static let waitingLimit = 100_000
    /// For how long a claim is good without being renewed.
    package static let leaseTime = Duration.seconds(30)

    /// Wakes when a job may have become due earlier than was known.
    package let due = WakeSignal()
    /// Tells of each change of a job.
    package let changes = JobChanges()
    let file: SQLiteFile
    let endings: JobEndings
    private let deliveries: DeliveryStore

    init(_ file: SQLiteFile, endings: JobEndings, deliveries: DeliveryStore) {
        self.file = file
        self.endings = endings
        self.deliveries = deliveries
    }

    /// Takes a job on: when this returns, the job survives anything but the loss of the disk.
    ///
    /// With `scope`, the idempotency key of the request is bound to the job in the same transaction. Where a
    /// unique job is there already, it is returned, with an id of its own.
    /// - Throws: `StorageError` too_large, storage_overloaded.
    @discardableResult
    package func accept(_ job: NewJob, scope: IdempotencyScope? = nil, now: Instant) async throws -> JobRecord
    {
        let record = try await file.write { database in
            let record = try Self.insert(job, now: now, in: database)
            if let scope { try IdempotencyStore.bind(scope, to: record.id, in: database) }
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
        if let unique = job.unique,
            let known = try UniqueJobs.claim(unique, for: job, now: now, in: database)
        {
            return known
        }
        return try JobRows.insert(job, now: now, in: database)
    }
}

// MARK: - Attempts

extension JobStore {
    /// Says that the holders of these leases are alive; returns those jobs that they do not hold any more.
    package func renew(_ leases: [String: Int64], now: Instant) async throws -> [String] {
        guard !leases.isEmpty else { return [] }
        return try await file.write { database in
            try leases.filter { id, token in
                try database.run(
                    "UPDATE jobs SET lease_until = ? WHERE id = ? AND state = 'running' AND lease = ?",
                    [(now + Self.leaseTime).nanoseconds, id, token]
                ) == 0
            }.map(\.key)
        }
    }

    /// Takes back the jobs whose leases ran out, but for those that `alive` names; returns them as they are
    /// now.
    package func rescue(alive: Set<String>, now: Instant) async throws -> [JobRecord] {
        let found = try await file.write { database in
            try JobRows.running(in: database).compactMap { job -> JobRecord? in
                guard !alive.contains(job.id), let until = job.life.lease?.until, until <= now else {
                    return nil
                }
                return try self.lose(job, .leaseRanOut(at: now), "lease_lost", now: now, in: database)
            }
        }
        told(found)
        return found
    }

    /// Takes back what a host that is gone was running.
    func recover(now: Instant, in database: Database) throws -> [JobRecord] {
        try JobRows.running(in: database).map {
            try lose($0, .hostStarted(at: now), "host_lost", now: now, in: database)
        }
    }

    private func lose(
        _ before: JobRecord,
        _ fact: JobLife.Fact,
        _ code: String,
        now: Instant,
        in database: Database
    ) throws -> JobRecord {
        var job = try Self.moved(before, fact, now: now)
        let error = JobError(
            code: code,
            message: "who ran the job was lost for the \(job.life.recoveries). time, and it may be "
                + "\(job.life.maxRecoveries) times; see retry.recoveries",
            status: 503
        )
        if job.state.isFinal { job.error = error }
        try AttemptRows.insert(AttemptEnd(outcome: code), error, of: before, now: now, in: database)
        try JobRows.update(job, from: before, in: database)
        try endings.follow(job, now: now, in: database)
        return job
    }

    /// Notes how far a running job is; for what is no running job nothing happens.
    ///
    /// Percent never falls.
    package func progress(_ id: String, stage: String, percent: Int, now: Instant) async throws {
        let changed = try await file.write { database in
            guard let before = try JobRows.light(id, in: database),
                let life = try? before.life.after(.progressed(stage: stage, percent: percent))
            else { return false }
            try JobRows.update(before.with(life, now: now), from: before, in: database)
            return true
        }
        if changed { changes.changed(id) }
    }

    /// Ends a job with its result.
    /// - Throws: `StorageError` too_large; stale_lease, wrong_state, not_found.
    @discardableResult
    package func complete(
        _ id: String,
        lease: Int64,
        _ result: JobResult,
        worker: String? = nil,
        now: Instant
    ) async throws -> JobRecord {
        guard result.body.count <= Self.resultLimit else {
            let message =
                "the result has \(result.body.count) bytes and a job keeps \(Self.resultLimit); "
                + "store it as a blob and return its key"
            throw StorageError(.tooLarge, message)
        }
        return try await move(id, .succeeded(token: lease), now: now) { _, job, database in
            job.result = result
            job.error = nil
            job.worker = worker
            try JobRows.store(result, of: job, in: database)
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
        end: AttemptEnd = AttemptEnd(),
        now: Instant
    ) async throws -> JobRecord {
        try await move(id, .failed(token: lease, retryAt: retryAt), now: now) { before, job, database in
            job.error = error
            job.worker = end.worker
            try AttemptRows.insert(end, error, of: before, now: now, in: database)
        }
    }

    /// Ends a job that its function wants forgotten: it is cancelled, with the reason, and no dead letter.
    @discardableResult
    package func discard(
        _ id: String,
        lease: Int64,
        _ error: JobError,
        end: AttemptEnd = AttemptEnd(),
        now: Instant
    ) async throws -> JobRecord {
        try await move(id, .discarded(token: lease), now: now) { before, job, database in
            job.error = error
            job.worker = end.worker
            try AttemptRows.insert(end, error, of: before, now: now, in: database)
        }
    }

    /// Gives a job back whose attempt was no attempt: shed, drained, interrupted.
    ///
    /// It does not count.
    @discardableResult
    package func requeue(_ id: String, lease: Int64, runAt: Instant, now: Instant) async throws -> JobRecord {
        try await move(id, .returned(token: lease, runAt: runAt), now: now)
    }

    /// Ends a job whose time was over before it began.
    @discardableResult
    package func expire(_ id: String, _ error: JobError, now: Instant) async throws -> JobRecord {
        try await move(id, .expired, now: now) { _, job, _ in job.error = error }
    }

    /// Ends a job on demand.
    ///
    /// Where an attempt was under way (`wasRunning`), the caller stops it; its end changes nothing.
    /// - Throws: `StorageError` wrong_state for a job that has ended, not_found.
    package func cancel(_ id: String, now: Instant) async throws -> (job: JobRecord, wasRunning: Bool) {
        let found = try await file.write { database in
            let before = try Self.existing(id, in: database)
            let job = try Self.moved(before, .cancelled, now: now)
            if before.state == .running {
                let end = AttemptEnd(outcome: "cancelled")
                try AttemptRows.insert(end, nil, of: before, now: now, in: database)
            }
            try JobRows.update(job, from: before, in: database)
            return (job, before.state == .running)
        }
        changes.changed(id)
        return found
    }
}

// MARK: - Steps

extension JobStore {
    /// One step of one job, in a transaction; `change` sees the job before and after.
    func move(
        _ id: String,
        _ fact: JobLife.Fact,
        now: Instant,
        _ change: @escaping @Sendable (JobRecord, inout JobRecord, Database) throws -> Void = { _, _, _ in }
    ) async throws -> JobRecord {
        let moved = try await file.write { database in
            let before = try Self.existing(id, in: database)
            var job = try Self.moved(before, fact, now: now)
            try change(before, &job, database)
            try JobRows.update(job, from: before, in: database)
            try self.endings.follow(job, now: now, in: database)
            return job
        }
        told([moved])
        return moved
    }

    /// Tells of changes that others have not asked for.
    func told(_ jobs: [JobRecord]) {
        for job in jobs { changes.changed(job.id) }
        // An end may have made another job, or a delivery.
        if !jobs.isEmpty { due.wake() }
        if jobs.contains(where: \.state.isFinal) { deliveries.appended.wake() }
    }

    private static func existing(_ id: String, in database: Database) throws -> JobRecord {
        guard let job = try JobRows.light(id, in: database) else {
            throw StorageError(.notFound, "there is no job \(id); it may have been pruned")
        }
        return job
    }

    static func moved(_ job: JobRecord, _ fact: JobLife.Fact, now: Instant) throws -> JobRecord {
        do throws(JobLife.Refusal) {
            return job.with(try job.life.after(fact), now: now)
        } catch {
            switch error {
            case .staleLease:
                let message = "the attempt of job \(job.id) was given up; what it tells comes too late"
                throw StorageError(.staleLease, message)
            case .wrongState, .tooEarly:
                let message = "job \(job.id) is \(job.state.rawValue), which does not allow this"
                throw StorageError(.wrongState, message)
            }
        }
    }
}

extension JobRecord {
    /// The record after a step.
    func with(_ life: JobLife, now: Instant) -> JobRecord {
        var job = self
        job.life = life
        job.place.isReady = !life.state.isFinal && life.state != .running && life.runAt <= now
        job.updated = now
        job.revision += 1
        return job
    }
}
