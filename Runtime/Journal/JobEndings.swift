import FunctionCore
import GRDB
import Invocations
import Storage

/// What a job's end brings about, by its function's manifest as it is then, in the same transaction: a job of
/// another function, or a delivery.
///
/// Completed jobs go to `onSuccess`, dead letters to `onFailure`; a cancelled job is nobody's business.
struct JobEndings: Sendable {
    /// How many functions may follow one another so.
    static let depthMax = 16

    let manifest: @Sendable (String) -> Manifest?

    /// Whether somebody is told.
    @discardableResult
    func follow(_ job: JobRecord, now: Instant, in database: Database) throws -> Bool {
        guard let destination = destination(of: job) else { return false }
        let body = envelope(job).text
        if case .function(let name, let operation) = destination {
            try insert(name, operation, body, after: job, now: now, in: database)
        } else {
            try DeliveryStore.insert(destination, body, of: job, now: now, in: database)
        }
        return true
    }

    private func destination(of job: JobRecord) -> Manifest.Destination? {
        switch job.state {
        case .completed: manifest(job.function)?.onSuccess
        case .failed, .expired: manifest(job.function)?.onFailure
        case .created, .queued, .running, .retryWait, .cancelled: nil
        }
    }

    /// The job's own limit on waiting ones does not count here, or a full queue would keep others from ending.
    private func insert(
        _ function: String,
        _ operation: String,
        _ body: String,
        after job: JobRecord,
        now: Instant,
        in database: Database
    ) throws {
        var next = NewJob(
            function: function,
            operation: operation,
            body: Bytes(body),
            trigger: "job",
            owner: job.owner,
            trace: job.trace.child(),
            depth: job.depth + 1
        )
        next.key = job.place.key
        next.follow(manifest(function), now: now)
        let record = try JobRows.insert(next, now: now, in: database)
        guard next.depth > JobEndings.depthMax else { return }
        var dead = try JobStore.moved(record, .expired, now: now)
        dead.error = JobError(
            code: "depth_exceeded",
            message: "\(JobEndings.depthMax) functions have followed one another; is there a circle?",
            status: 508
        )
        try JobRows.update(dead, from: record, in: database)
    }

    private func envelope(_ job: JobRecord) -> JSON {
        var object: JSONObject = [
            "job": .string(job.id), "function": .string(job.function), "state": .string(job.state.rawValue),
            "attempts": .integer(Int64(job.attempt)), "created": .string(job.created.rfc3339),
            "ended": .string(job.updated.rfc3339), "trace": .string(job.trace.traceID),
        ]
        if let owner = job.owner { object["owner"] = .string(owner) }
        if let result = job.result {
            object["result"] = result.json
            object["status"] = .integer(Int64(result.status))
        } else if let error = job.error {
            object["error"] = [
                "code": .string(error.code), "message": .string(error.message),
                "status": .integer(Int64(error.status)),
            ]
        }
        return .object(object)
    }
}

extension NewJob {
    /// What the function's manifest says of its jobs.
    package mutating func follow(_ manifest: Manifest?, now: Instant) {
        let retry = manifest?.retry ?? Manifest.Retry()
        let jobs = manifest?.jobs ?? Manifest.Jobs()
        maxAttempts = manifest == nil ? 1 : retry.attempts
        maxRecoveries = retry.recoveries
        if key.isEmpty, jobs.keyIsUser { key = owner ?? "" }
        lane = jobs.lane(key)
        expires = expires ?? jobs.expires.map { (runAt ?? now) + $0 }
    }
}
