import FunctionCore
import Invocations

/// A job to be accepted.
package struct NewJob: Sendable {
    /// The invocation's id, which stays over all attempts.
    package var id: String
    package var function: String
    package var operation: String
    /// The event's body; at most `JobStore.bodyLimit` bytes.
    package var body: Bytes
    /// What asked for it: `http`, `schedule`, `invoke`.
    package var trigger: String
    /// The principal who asked, where there is one.
    package var owner: String?
    package var trace: TraceContext
    package var maxAttempts: Int
    /// Not to run before; nil for at once.
    package var runAt: Instant?
    package var depth: Int
    package var idempotencyKey: String?

    package init(
        id: String = InvocationID.next(),
        function: String,
        operation: String = "",
        body: Bytes = Bytes(),
        trigger: String,
        owner: String? = nil,
        trace: TraceContext = .begin(),
        maxAttempts: Int = 3,
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
        self.runAt = runAt
        self.depth = depth
        self.idempotencyKey = idempotencyKey
    }
}

/// What a job's function replied.
package struct JobResult: Sendable, Hashable {
    package var status: Int
    package var contentType: String
    /// At most `JobStore.resultLimit` bytes.
    package var body: Bytes

    package init(status: Int, contentType: String, body: Bytes) {
        self.status = status
        self.contentType = contentType
        self.body = body
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
    /// Empty in lists.
    package var body: Bytes
    package var trigger: String
    package var owner: String?
    package var trace: TraceContext
    package var life: JobLife
    package var stage: String?
    package var percent: Int
    package var created: Instant
    package var updated: Instant
    /// The claim's number, which the end of the attempt must carry; nil while no attempt is under way.
    package var lease: Int64?
    /// Its body is empty in lists.
    package var result: JobResult?
    /// The last attempt's failure.
    package var error: JobError?
    package var depth: Int
    package var idempotencyKey: String?

    package var state: JobState { life.state }
    package var attempt: Int { life.attempt }
    package var maxAttempts: Int { life.maxAttempts }
    package var runAt: Instant { life.runAt }

    /// The event with which the job's function is invoked.
    package var event: Event { Event(kind: .plain, operation: operation, body: body) }
}

/// Which jobs a list shows, newest first.
package struct JobFilter: Sendable {
    package var function: String?
    package var owner: String?
    /// All states where empty.
    package var states: [JobState]
    /// Only jobs accepted before that one; for the next page.
    package var before: Int64?
    /// 1 to 500.
    package var limit: Int

    package init(
        function: String? = nil,
        owner: String? = nil,
        states: [JobState] = [],
        before: Int64? = nil,
        limit: Int = 100
    ) {
        self.function = function
        self.owner = owner
        self.states = states
        self.before = before
        self.limit = min(max(limit, 1), 500)
    }
}

/// How many jobs of a function are, and ever were, in a state.
package struct JobCount: Sendable, Hashable {
    package var function: String
    package var state: JobState
    /// Rows in the journal now.
    package var present: Int
    /// How often a job has come into the state; never falls, whatever is pruned.
    package var ever: Int

    package init(function: String, state: JobState, present: Int, ever: Int) {
        self.function = function
        self.state = state
        self.present = present
        self.ever = ever
    }
}
