import FunctionCore
import Invocations
import Storage

/// What every engine keeps to.
package enum JobLimits {
    /// The largest event body of a job, in bytes.
    package static let body = 6 * 1024 * 1024
    /// The largest result in bytes; more belongs into a blob.
    package static let result = 256 * 1024
    /// How many jobs may wait in all.
    package static let waiting = 100_000
    /// How many attempts of a job are kept in its history, the last ones.
    package static let attempts = 200
    /// For how long a claim is good without being renewed.
    package static let leaseTime = Duration.seconds(30)

    /// Refuses an event that is too large.
    package static func check(_ body: Bytes) throws {
        guard body.count > JobLimits.body else { return }
        let message =
            "the event has \(body.count) bytes and a job takes \(JobLimits.body); pass a blob's key"
        throw StorageError(.tooLarge, message)
    }

    static var full: StorageError {
        StorageError(.overloaded, "\(waiting) jobs wait already; add workers, or try again later")
    }
}

/// Where jobs are kept: accepted, claimed by a host's runner, ended.
///
/// `JobLife` and `JobChange` decide what may follow on what, `ClaimRules` which job is next; an engine stores
/// what was decided, each step whole or not at all. Who claims a job gets a lease: a number that all it tells
/// must carry, and an instant until which it must have renewed it. What is told by an attempt that was given
/// up changes nothing.
///
/// Every call throws `StorageError`: `unavailable` where the engine's server is away, and then the step may
/// have been taken or not; taking it again is right, as it carries the job's id or the claim's number.
package protocol JobEngine: AuditedSource {
    /// Whether other hosts accept and claim here too.
    var isShared: Bool { get }
    /// Wakes when a job may have become due earlier than was known.
    var due: WakeSignal { get }
    /// Tells of each change of a job.
    var changes: JobChanges { get }

    /// Takes a job on: what this returns is kept as safely as the engine keeps anything.
    ///
    /// With `scope`, the idempotency key of the request is bound to the job in the same step. Where the id
    /// is known, or a unique job is there already, that job is returned.
    /// - Throws: `StorageError` too_large, storage_overloaded, unavailable.
    @discardableResult
    func accept(_ job: NewJob, scope: IdempotencyScope?, now: Instant) async throws -> JobRecord

    /// Begins attempts of up to `limit` jobs that are due, and of each function no more than its capacity;
    /// functions that `capacity` does not name are left alone.
    ///
    /// The highest priority comes first, then lanes in turns, and in a lane the longest due first; in an
    /// ordered lane the first that was accepted. No two claims give the same attempt.
    func claim(limit: Int, capacity: [String: Int], now: Instant) async throws -> [JobRecord]

    /// Says that the holders of these leases are alive; returns those jobs that they do not hold any more.
    func renew(_ leases: [String: Int64], now: Instant) async throws -> [String]

    /// Has `decide` say what becomes of each of these jobs, and stores it; those that are not there are left
    /// out, as those of which nothing becomes.
    ///
    /// What a job's end brings about is stored in the same step.
    func step(_ ids: [String], now: Instant, _ decide: @escaping JobDecision) async throws -> [JobChange]

    /// Removes those of these jobs for which `isOver` holds; their numbers stay.
    func remove(_ ids: [String], if isOver: @escaping @Sendable (JobRecord) -> Bool) async throws -> Int

    /// Forgets what nothing goes by any more: the keys of unique jobs, and empty lanes.
    func tidy(now: Instant) async throws

    /// Jobs whose leases end by then.
    func leased(until: Instant) async throws -> [String]
    /// Jobs that this host ran when it ended; asked before it claims anything.
    func leftBehind() async throws -> [String]
    /// Jobs that wait though their time is over.
    func expiring(by now: Instant) async throws -> [String]
    /// The oldest jobs that have ended, before `horizon` where it is given.
    func ended(before horizon: Instant?, limit: Int) async throws -> [String]

    /// When something may begin, or expires, of these functions; nil where nothing waits.
    ///
    /// The first instant of all for what may begin now.
    func nextDue(of functions: [String]) async throws -> Instant?

    /// One job, or nil.
    func job(_ id: String) async throws -> JobRecord?
    /// Jobs without their bodies, newest first.
    func list(_ filter: JobFilter) async throws -> [JobRecord]
    /// Which of these jobs are not there any more.
    func missing(_ ids: [String]) async throws -> [String]
    /// The attempts of a job that did not succeed, the first one first.
    func attempts(of job: JobRecord) async throws -> [JobAttempt]
    /// How many jobs each function has, and ever had, in each state.
    func counts() async throws -> [JobCount]
}

/// The gateway's memory of `Idempotency-Key`s, for 24 hours.
package protocol IdempotencyKeys: Sendable {
    /// Looks a key up, and takes it where it is free.
    ///
    /// `requestHash` stands for the request's method, path and body.
    func begin(
        _ scope: IdempotencyScope,
        requestHash: String,
        now: Instant
    ) async throws
        -> IdempotencyVerdict
    /// Keeps the answer to the first request of a key.
    ///
    /// An answer over `IdempotencyScope.bodyLimit` is not kept: the key is free again, which the result
    /// tells.
    @discardableResult
    func finish(_ scope: IdempotencyScope, status: Int, headers: [Header], body: Bytes) async throws -> Bool
    /// Frees a key whose request came to nothing that should be repeated, such as a refusal for overload.
    func abandon(_ scope: IdempotencyScope) async throws
    /// Frees the keys of requests that were under way when this host ended; says how many.
    ///
    /// Those of jobs stay: the job goes on.
    func dropLost() async throws -> Int
    /// Forgets what is older than the retention.
    func prune(now: Instant) async throws
}

/// What is to be told of jobs' ends: written in the step that ends the job, and gone when it is done.
package protocol DeliveryQueue: Sendable {
    /// Wakes when there is something to deliver.
    var appended: WakeSignal { get }

    /// Those whose time has come, the oldest first.
    ///
    /// Where several hosts share the queue they are out of the others' sight for a minute.
    func due(now: Instant, limit: Int) async throws -> [Delivery]
    /// When the next one's time comes; nil where none waits.
    func nextDue() async throws -> Instant?
    /// How many wait, and how many were given up.
    func counts() async throws -> (waiting: Int, givenUp: Int)
    /// What is still to be told of a job's ends.
    func all(of job: String) async throws -> [Delivery]
    func done(_ delivery: Delivery) async throws
    /// It failed; the next try is at `retryAt`, nil for none.
    func failed(_ delivery: Delivery, _ error: String, retryAt: Instant?) async throws
}
