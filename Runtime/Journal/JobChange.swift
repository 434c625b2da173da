import FunctionCore
import Invocations
import Storage

/// A step of a job, as it was decided: what an engine has to store, all of it or nothing.
///
/// Deciding is the same for every engine, and is done here, without any I/O.
package struct JobChange: Sendable {
    package var before: JobRecord
    package var job: JobRecord
    /// The attempt that ended with the step, where the history keeps it.
    package var attempt: JobAttempt?
    /// The result that came with the step.
    package var result: JobResult?
    /// The job comes back from its end, and so perhaps to a lane that is gone.
    package var comesBack = false

    init(_ before: JobRecord, _ fact: JobLife.Fact, now: Instant) throws {
        self.before = before
        do throws(JobLife.Refusal) {
            job = before.with(try before.life.after(fact), now: now)
        } catch {
            switch error {
            case .staleLease:
                let message = "the attempt of job \(before.id) was given up; what it tells comes too late"
                throw StorageError(.staleLease, message)
            case .wrongState, .tooEarly:
                let message = "job \(before.id) is \(before.state.rawValue), which does not allow this"
                throw StorageError(.wrongState, message)
            }
        }
    }

    /// Writes the attempt that `before` was in into the history.
    private mutating func keep(_ end: AttemptEnd, _ error: JobError?, now: Instant) {
        attempt = JobAttempt(
            claim: before.life.claims,
            attempt: before.attempt,
            started: before.claimed ?? before.updated,
            ended: now,
            end: end,
            error: error
        )
    }
}

/// What follows for a job from what it is; nil where nothing does.
///
/// An engine may ask more than once for one step, with the job as it is then.
package typealias JobDecision = @Sendable (JobRecord) throws -> JobChange?

// MARK: - The steps

extension JobChange {
    static func begin(_ job: JobRecord, now: Instant) throws -> JobChange {
        var change = try JobChange(job, .claimed(at: now, until: now + JobLimits.leaseTime), now: now)
        change.job.claimed = now
        return change
    }

    static func progress(_ stage: String, _ percent: Int, now: Instant) -> JobDecision {
        { try? JobChange($0, .progressed(stage: stage, percent: percent), now: now) }
    }

    static func complete(
        _ lease: Int64,
        _ result: JobResult,
        _ worker: String?,
        now: Instant
    ) -> JobDecision {
        { before in
            var change = try JobChange(before, .succeeded(token: lease), now: now)
            change.result = result
            change.job.result = result
            change.job.error = nil
            change.job.worker = worker
            return change
        }
    }

    /// An attempt that failed by `fact`: `failed` or `discarded`.
    static func fail(
        _ fact: JobLife.Fact,
        _ error: JobError,
        _ end: AttemptEnd,
        now: Instant
    ) -> JobDecision {
        { before in
            var change = try JobChange(before, fact, now: now)
            change.job.error = error
            change.job.worker = end.worker
            change.keep(end, error, now: now)
            return change
        }
    }

    static func requeue(_ lease: Int64, runAt: Instant, now: Instant) -> JobDecision {
        { try JobChange($0, .returned(token: lease, runAt: runAt), now: now) }
    }

    static func expire(_ error: JobError, now: Instant) -> JobDecision {
        { before in
            var change = try JobChange(before, .expired, now: now)
            change.job.error = error
            return change
        }
    }

    /// The end of one that still waits when its time is over.
    static func expireDue(now: Instant) -> JobDecision {
        { before in
            guard let end = before.expires, end <= now else { return nil }
            let error = JobError(
                code: "expired",
                message: "it waited to the end of its time, \(end.rfc3339)",
                status: 504
            )
            return try? expire(error, now: now)(before)
        }
    }

    static func cancel(now: Instant) -> JobDecision {
        { before in
            var change = try JobChange(before, .cancelled, now: now)
            if before.state == .running { change.keep(AttemptEnd(outcome: "cancelled"), nil, now: now) }
            return change
        }
    }

    /// The loss of who held it, by `fact`; nil where it has moved on.
    static func lose(_ fact: JobLife.Fact, _ code: String, now: Instant) -> JobDecision {
        { before in
            guard var change = try? JobChange(before, fact, now: now) else { return nil }
            let life = change.job.life
            let error = JobError(
                code: code,
                message: "who ran the job was lost for the \(life.recoveries). time, and it may be "
                    + "\(life.maxRecoveries) times; see retry.recoveries",
                status: 503
            )
            if life.state.isFinal { change.job.error = error }
            change.keep(AttemptEnd(outcome: code), error, now: now)
            return change
        }
    }

    static func revive(now: Instant) -> JobDecision {
        { before in
            var change = try JobChange(before, .revived(at: now), now: now)
            change.job.error = nil
            // The time that it had to begin in is over.
            change.job.expires = nil
            change.comesBack = true
            return change
        }
    }

    /// The end of a job that follows on too many others.
    static func tooDeep(_ job: JobRecord, now: Instant) throws -> JobChange {
        var change = try JobChange(job, .expired, now: now)
        change.job.error = JobError(
            code: "depth_exceeded",
            message: "\(JobEndings.depthMax) functions have followed one another; is there a circle?",
            status: 508
        )
        return change
    }
}

extension JobRecord {
    /// A job as it is when it has just been accepted; `number` is the engine's to give.
    init(_ job: NewJob, now: Instant) throws {
        let created = JobLife(
            maxAttempts: max(job.maxAttempts, 1),
            maxRecoveries: max(job.maxRecoveries, 0),
            runAt: job.runAt ?? now
        )
        let life = try created.after(.accepted)
        self.init(
            number: 0,
            id: job.id,
            function: job.function,
            operation: job.operation,
            body: job.body,
            trigger: job.trigger,
            owner: job.owner,
            trace: job.trace,
            life: life,
            place: JobPlace(
                key: job.key,
                priority: job.lane.isOrdered ? 0 : min(max(job.priority, 0), 9),
                isOrdered: job.lane.isOrdered,
                isReady: life.runAt <= now
            ),
            expires: job.expires,
            created: now,
            updated: now,
            depth: job.depth,
            idempotencyKey: job.idempotencyKey
        )
    }

    /// The record after a step.
    fileprivate func with(_ life: JobLife, now: Instant) -> JobRecord {
        var job = self
        job.life = life
        job.place.isReady = !life.state.isFinal && life.state != .running && life.runAt <= now
        job.updated = now
        job.revision += 1
        return job
    }

    /// Its order among the ready ones of its lane and priority.
    var due: Int64 { place.isOrdered ? 0 : runAt.nanoseconds }
}
