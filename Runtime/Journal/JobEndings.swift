import FunctionCore
import Invocations

/// What a job's end brings about, by its function's manifest as it is then: a job of another function, or a
/// delivery.
///
/// The engine stores it in the step that ends the job.
///
/// Completed jobs go to `onSuccess`, dead letters to `onFailure`; a cancelled job is nobody's business.
struct JobEndings: Sendable {
    /// How many functions may follow one another so.
    static let depthMax = 16

    /// What somebody is told by.
    enum Sequel {
        case none
        /// The limit on waiting jobs does not count for it, or a full queue would keep others from ending.
        case job(NewJob)
        /// To a stream or a webhook, with JSON text.
        case delivery(Manifest.Destination, body: String)
    }

    let manifest: @Sendable (String) -> Manifest?

    func sequel(of job: JobRecord, now: Instant) -> Sequel {
        guard let destination = destination(of: job) else { return .none }
        let body = envelope(job).text
        guard case .function(let name, let operation) = destination else {
            return .delivery(destination, body: body)
        }
        var next = NewJob(
            function: name,
            operation: operation,
            body: Bytes(body),
            trigger: "job",
            owner: job.owner,
            trace: job.trace,
            depth: job.depth + 1
        )
        next.key = job.place.key
        next.follow(manifest(name), now: now)
        return .job(next)
    }

    /// What holds in the lane that the job comes back to.
    func policy(of job: JobRecord) -> JobLanePolicy {
        var policy = manifest(job.function)?.jobs.lane(job.place.key) ?? JobLanePolicy()
        if job.place.isOrdered { policy.perKey = 1 }
        return policy
    }

    private func destination(of job: JobRecord) -> Manifest.Destination? {
        switch job.state {
        case .completed: manifest(job.function)?.onSuccess
        case .failed, .expired: manifest(job.function)?.onFailure
        case .created, .queued, .running, .retryWait, .cancelled: nil
        }
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
