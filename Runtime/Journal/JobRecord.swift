import FunctionCore
import Invocations

/// A job to be accepted.
package struct NewJob: Sendable {
    /// The invocation's id, which stays over all attempts.
    package var id: String
    package var function: String
    package var operation: String
    /// The event's body; at most `JobLimits.body` bytes.
    package var body: Bytes
    /// What asked for it: `http`, `schedule`, `invoke`.
    package var trigger: String
    /// The principal who asked, where there is one.
    package var owner: String?
    package var trace: TraceContext
    package var maxAttempts: Int
    /// How often it may be lost to the death of who holds it.
    package var maxRecoveries: Int
    /// Not to run before; nil for at once.
    package var runAt: Instant?
    package var depth: Int
    package var idempotencyKey: String?
    /// Jobs of the same key share a lane; empty for none.
    package var key = ""
    /// What holds in that lane.
    package var lane = JobLanePolicy()
    /// 0 to 9; the higher runs first.
    ///
    /// Of no effect in an ordered lane.
    package var priority = 0
    /// A job that still waits then has expired.
    package var expires: Instant?
    /// A job that is not to be there twice.
    package var unique: UniqueWish?
    /// The schedule whose run it is, where hosts count its runs together.
    package var countsFor: String?

    package init(
        id: String = InvocationID.next(),
        function: String,
        operation: String = "",
        body: Bytes = Bytes(),
        trigger: String,
        owner: String? = nil,
        trace: TraceContext = .begin(),
        maxAttempts: Int = 3,
        maxRecoveries: Int = 10,
        runAt: Instant? = nil,
        depth: Int = 0,
        idempotencyKey: String? = nil
    ) {
        self.id = id
        self.function = function
        self.operation = operation
        self.body = body
        self.trigger = trigger
        self.owner = owner
        self.trace = trace
        self.maxAttempts = maxAttempts
        self.maxRecoveries = maxRecoveries
        self.runAt = runAt
        self.depth = depth
        self.idempotencyKey = idempotencyKey
    }
}

/// What makes two jobs of a function the same.
package struct UniqueWish: Sendable, Hashable {
    /// At most 256 bytes.
    package var key: String
    /// For how long after the acceptance; nil for as long as the job has not ended.
    package var period: Duration?

    package init(key: String, period: Duration? = nil) {
        self.key = key
        self.period = period
    }
}

/// Where a job waits among the others of its function.
package struct JobPlace: Sendable, Hashable {
    /// Its lane; empty for that of the jobs without a key.
    package var key = ""
    /// 0 to 9; the higher runs first.
    package var priority = 0
    package var isOrdered = false
    /// It is due, and stands in its lane.
    package var isReady = false
}

/// What a job's function replied.
package struct JobResult: Sendable, Hashable {
    package var status: Int
    package var contentType: String
    /// At most `JobLimits.result` bytes; empty where it lies in a blob.
    package var body: Bytes
    /// The blob's key, and how many bytes it has.
    package var blob: String?
    package var size: Int

    package init(status: Int, contentType: String, body: Bytes) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.size = body.count
    }

    package init(status: Int, contentType: String, blob: String, size: Int) {
        self.status = status
        self.contentType = contentType
        self.body = Bytes()
        self.blob = blob
        self.size = size
    }

    /// The result as callers see it: JSON as it is, other text as a string, a blob by its key.
    package var json: JSON {
        if let blob {
            return [
                "blob": .string(blob), "bytes": .integer(Int64(size)), "content_type": .string(contentType),
            ]
        }
        let value = contentType.hasPrefix("application/json") ? try? JSON.parse(body) : nil
        return value ?? .string(body.text)
    }
}

/// Why a job's last attempt failed.
package struct JobError: Sendable, Hashable {
    package var code: String
    package var message: String
    package var status: Int

    package init(code: String, message: String, status: Int) {
        self.code = code
        self.message = message
        self.status = status
    }

    package init(_ error: FunctionError) {
        self.init(code: error.code, message: error.message, status: error.status)
    }
}

/// A job as the journal has it.
package struct JobRecord: Sendable, Hashable {
    /// Its place in the order of acceptance, from 1; a list's cursor.
    package var number: Int64
    package var id: String
    package var function: String
    package var operation: String
    /// Empty but where the job is claimed, accepted or asked for alone.
    package var body: Bytes
    package var trigger: String
    package var owner: String?
    package var trace: TraceContext
    package var life: JobLife
    package var place = JobPlace()
    /// A job that still waits then has expired.
    package var expires: Instant?
    package var created: Instant
    package var updated: Instant
    /// Increases with each change; the id of an event that tells of it.
    package var revision: Int64 = 1
    /// When the attempt under way, or the last one, began.
    package var claimed: Instant?
    /// The process that ended the last attempt.
    package var worker: String?
    /// Its body is empty but where the job is asked for alone.
    package var result: JobResult?
    /// The last attempt's failure.
    package var error: JobError?
    package var depth: Int
    package var idempotencyKey: String?

    package var state: JobState { life.state }
    package var attempt: Int { life.attempt }
    package var maxAttempts: Int { life.maxAttempts }
    package var runAt: Instant { life.runAt }
    package var stage: String? { life.stage }
    package var percent: Int { life.percent }
    /// The claim's number, which the end of the attempt must carry; nil while no attempt is under way.
    package var lease: Int64? { life.lease?.token }

    /// The event with which the job's function is invoked.
    package var event: Event { Event(kind: .plain, operation: operation, body: body) }
}

/// Which jobs a list shows, newest first.
package struct JobFilter: Sendable {
    package var function: String?
    package var owner: String?
    /// All states where empty.
    package var states: [JobState]
    /// Only those whose last error has this code.
    package var errorCode: String?
    /// Only those that changed last at or after that instant.
    package var from: Instant?
    /// Only those that changed last before that instant.
    package var until: Instant?
    /// Only jobs accepted before that one; for the next page.
    package var before: Int64?
    /// 1 to 500.
    package var limit: Int

    package init(
        function: String? = nil,
        owner: String? = nil,
        states: [JobState] = [],
        errorCode: String? = nil,
        from: Instant? = nil,
        until: Instant? = nil,
        before: Int64? = nil,
        limit: Int = 100
    ) {
        self.function = function
        self.owner = owner
        self.states = states
        self.errorCode = errorCode
        self.from = from
        self.until = until
        self.before = before
        self.limit = min(max(limit, 1), 500)
    }
}

/// How an attempt ended that did not succeed.
package struct AttemptEnd: Sendable, Hashable {
    /// `failed`, `timed_out`, `worker_lost`.
    package var outcome: String
    /// The process that ran it, where one did.
    package var worker: String?

    package init(outcome: String = "failed", worker: String? = nil) {
        self.outcome = outcome
        self.worker = worker
    }
}

/// An attempt that did not succeed, as the journal keeps it.
package struct JobAttempt: Sendable, Hashable {
    /// The claim's number.
    package var claim: Int64
    /// As it was counted, from 1.
    package var attempt: Int
    package var started: Instant
    package var ended: Instant
    package var end: AttemptEnd
    package var error: JobError?
}

/// How many jobs of a function are, and ever were, in a state.
package struct JobCount: Sendable, Hashable {
    package var function: String
    package var state: JobState
    /// Rows in the journal now.
    package var present: Int
    /// How often a job has come into the state; never falls, whatever is pruned.
    package var ever: Int
    /// How many were in the state when they were pruned or purged.
    package var pruned: Int

    package init(function: String, state: JobState, present: Int, ever: Int, pruned: Int = 0) {
        self.function = function
        self.state = state
        self.present = present
        self.ever = ever
        self.pruned = pruned
    }
}
