import FunctionCore
import Storage

/// The steps of jobs, the same for every engine.
extension JobEngine {
    @discardableResult
    package func accept(_ job: NewJob, now: Instant) async throws -> JobRecord {
        try await accept(job, scope: nil, now: now)
    }

    package func list() async throws -> [JobRecord] { try await list(JobFilter()) }

    // MARK: Attempts

    /// Notes how far a running job is; for what is no running job nothing happens.
    ///
    /// Percent never falls.
    package func progress(_ id: String, stage: String, percent: Int, now: Instant) async throws {
        _ = try await step([id], now: now, JobChange.progress(stage, percent, now: now))
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
        guard result.body.count <= JobLimits.result else {
            let message =
                "the result has \(result.body.count) bytes and a job keeps \(JobLimits.result); "
                + "store it as a blob and return its key"
            throw StorageError(.tooLarge, message)
        }
        return try await one(id, now, JobChange.complete(lease, result, worker, now: now)).job
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
        let fact = JobLife.Fact.failed(token: lease, retryAt: retryAt)
        return try await one(id, now, JobChange.fail(fact, error, end, now: now)).job
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
        try await one(id, now, JobChange.fail(.discarded(token: lease), error, end, now: now)).job
    }

    /// Gives a job back whose attempt was no attempt: shed, drained, interrupted.
    ///
    /// It does not count.
    @discardableResult
    package func requeue(_ id: String, lease: Int64, runAt: Instant, now: Instant) async throws -> JobRecord {
        try await one(id, now, JobChange.requeue(lease, runAt: runAt, now: now)).job
    }

    /// Ends a job whose time was over before it began.
    @discardableResult
    package func expire(_ id: String, _ error: JobError, now: Instant) async throws -> JobRecord {
        try await one(id, now, JobChange.expire(error, now: now)).job
    }

    /// Ends a job on demand.
    ///
    /// Where an attempt was under way (`wasRunning`), the caller stops it; its end changes nothing.
    /// - Throws: `StorageError` wrong_state for a job that has ended, not_found.
    package func cancel(_ id: String, now: Instant) async throws -> (job: JobRecord, wasRunning: Bool) {
        let change = try await one(id, now, JobChange.cancel(now: now))
        return (change.job, change.before.state == .running)
    }

    /// Queues a dead letter, or a cancelled job, once more with all its attempts; its history stays.
    /// - Throws: `StorageError` wrong_state for a job that has not ended so, not_found.
    @discardableResult
    package func revive(_ id: String, now: Instant) async throws -> JobRecord {
        try await one(id, now, JobChange.revive(now: now)).job
    }

    private func one(_ id: String, _ now: Instant, _ decide: @escaping JobDecision) async throws -> JobChange
    {
        guard let change = try await step([id], now: now, decide).first else {
            throw StorageError(.notFound, "there is no job \(id); it may have been pruned")
        }
        return change
    }

    // MARK: Lost holders, ends of time

    /// Takes back the jobs whose leases ran out, but for those that `alive` names; returns them as they are
    /// now.
    package func rescue(alive: Set<String>, now: Instant) async throws -> [JobRecord] {
        let silent = try await leased(until: now).filter { !alive.contains($0) }
        return try await step(silent, now: now, JobChange.lose(.leaseRanOut(at: now), "lease_lost", now: now))
            .map(\.job)
    }

    /// Takes back what this host was running when it ended.
    func recover(now: Instant) async throws -> [JobRecord] {
        let decide = JobChange.lose(.hostStarted(at: now), "host_lost", now: now)
        return try await step(try await leftBehind(), now: now, decide).map(\.job)
    }

    /// Ends jobs that still wait at the end of their time; returns them.
    package func expireDue(now: Instant) async throws -> [JobRecord] {
        let late = try await expiring(by: now)
        return try await step(late, now: now, JobChange.expireDue(now: now)).map(\.job)
    }

    // MARK: Dead letters, and what is over

    /// Queues the dead letters that the filter names once more; its states and its limit are not looked at.
    /// - Returns: how many.
    package func redrive(_ filter: JobFilter, now: Instant) async throws -> Int {
        try await deadLetters(filter, until: now) { ids in
            let revive = JobChange.revive(now: now)
            return try await step(ids, now: now) { $0.isDeadLetter ? try revive($0) : nil }.count
        }
    }

    /// Removes the dead letters that the filter names; its states and its limit are not looked at.
    /// - Returns: how many.
    package func purge(_ filter: JobFilter, now: Instant) async throws -> Int {
        try await deadLetters(filter, until: now) { try await remove($0) { $0.isDeadLetter } }
    }

    /// Takes the dead letters in parts, so that other writes get between them, newest first; those that come
    /// while it works are left.
    private func deadLetters(
        _ filter: JobFilter,
        until now: Instant,
        _ body: ([String]) async throws -> Int
    ) async throws -> Int {
        var filter = filter
        filter.states = [.failed, .expired]
        filter.until = min(filter.until ?? Instant(nanoseconds: .max), now + .nanoseconds(1))
        filter.limit = 200
        var count = 0
        while true {
            let found = try await list(filter)
            count += try await body(found.map(\.id))
            guard let last = found.last, found.count == filter.limit else { return count }
            filter.before = last.number
        }
    }

    /// Removes the oldest of the ended jobs: those that ended before `horizon`, and all but `keep`.
    package func prune(endedBefore horizon: Instant, keep: Int) async throws -> Int {
        let part = 500
        var removed = 0
        while true {
            let old = try await ended(before: horizon, limit: part)
            removed += try await remove(old) { $0.state.isFinal && $0.updated < horizon }
            if old.count < part { break }
        }
        var excess = try await counts().filter(\.state.isFinal).reduce(-keep) { $0 + $1.present }
        while excess > 0 {
            let oldest = try await ended(before: nil, limit: min(excess, part))
            let gone = try await remove(oldest) { $0.state.isFinal }
            // Somebody else prunes as well, or has revived them.
            if gone == 0 { break }
            removed += gone
            excess -= gone
        }
        return removed
    }
}

extension JobRecord {
    var isDeadLetter: Bool { state == .failed || state == .expired }
}
