import FunctionCore

/// Where a job stands.
package enum JobState: String, Sendable, CaseIterable {
    /// Known, and not yet taken on.
    case created
    /// Waits for a worker.
    case queued
    /// An attempt is under way.
    case running
    /// Waits for the instant of its next attempt.
    case retryWait = "retry_wait"
    case completed
    /// Out of attempts, or failed for good: a dead letter.
    case failed
    case cancelled
    /// Its time was over before it could run: a dead letter too.
    case expired

    /// Whether nothing more happens to the job by itself.
    package var isFinal: Bool {
        switch self {
        case .created, .queued, .running, .retryWait: false
        case .completed, .failed, .cancelled, .expired: true
        }
    }
}

/// A claim on a job that is running.
package struct JobLease: Sendable, Hashable {
    /// The claim's number, which increases with each claim of the job: what an attempt tells must carry it.
    package var token: Int64
    /// Who holds it and is silent until then is taken for dead.
    package var until: Instant

    package init(token: Int64, until: Instant) {
        self.token = token
        self.until = until
    }
}

/// A job's way from one state to the next, without any I/O.
///
/// ```
///  created
///     │ accepted
///     ▼       claimed            succeeded
///   queued ───────────► running ───────────► completed
///     ▲  ▲                │ │ │
///     │  └── returned, ───┘ │ └── failed ──► failed (no attempt left, never to be retried, or lost too often)
///     │      lost           │                  │
///     │                     ▼ failed           │ revived
///     │                 retryWait ──► running  │
///     └────────────────────────────────────────┘
/// ```
/// `cancelled` is reached from every state that is not final, `expired` from those that wait. An attempt
/// counts from the claim. What the host cuts short (`returned`) takes it back; so does the death of the one
/// who held the lease, which counts as a recovery instead: a job that takes its host along must end as well.
package struct JobLife: Sendable, Hashable {
    /// What has happened to a job.
    package enum Fact: Sendable, Hashable {
        case accepted
        /// A worker takes it, and the lease is good until then.
        case claimed(at: Instant, until: Instant)
        /// Who holds it is alive.
        case renewed(token: Int64, until: Instant)
        case progressed(stage: String, percent: Int)
        case succeeded(token: Int64)
        /// The attempt failed; nil for never to be retried.
        case failed(token: Int64, retryAt: Instant?)
        /// The function wants it forgotten, without a dead letter.
        case discarded(token: Int64)
        /// The host could not run it after all, or lost the worker to something else's fault.
        case returned(token: Int64, runAt: Instant)
        /// The lease ran out unrenewed.
        case leaseRanOut(at: Instant)
        /// The host that ran it is gone.
        case hostStarted(at: Instant)
        case cancelled
        case expired
        /// Somebody wants a dead letter tried again, with all its attempts.
        case revived(at: Instant)
    }

    /// Why a fact changes nothing.
    package enum Refusal: Error, Hashable {
        /// It cannot happen in this state.
        case wrongState
        /// It is told by an attempt that was given up.
        case staleLease
        /// It comes before its time.
        case tooEarly
    }

    package var state: JobState
    /// The attempt under way or the last one, from 1; 0 before the first.
    package var attempt: Int
    package var maxAttempts: Int
    /// How often its holder was lost.
    package var recoveries: Int
    /// One more makes it a dead letter.
    package var maxRecoveries: Int
    /// How often it was claimed; never falls.
    package var claims: Int64
    /// While it runs.
    package var lease: JobLease?
    /// Not to be claimed before.
    package var runAt: Instant
    package var stage: String?
    /// 0 to 100; never falls.
    package var percent: Int

    package init(
        state: JobState = .created,
        attempt: Int = 0,
        maxAttempts: Int,
        recoveries: Int = 0,
        maxRecoveries: Int = 10,
        claims: Int64 = 0,
        lease: JobLease? = nil,
        runAt: Instant,
        stage: String? = nil,
        percent: Int = 0
    ) {
        self.state = state
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.recoveries = recoveries
        self.maxRecoveries = maxRecoveries
        self.claims = claims
        self.lease = lease
        self.runAt = runAt
        self.stage = stage
        self.percent = percent
    }

    /// The life after `fact`.
    package func after(_ fact: Fact) throws(Refusal) -> JobLife {
        var next = self
        switch fact {
        case .accepted:
            try require(state == .created)
            next.state = .queued
        case .claimed(let now, let until):
            try require(state == .queued || state == .retryWait)
            guard runAt <= now else { throw .tooEarly }
            next.state = .running
            next.attempt += 1
            next.claims += 1
            next.lease = JobLease(token: next.claims, until: until)
        case .progressed(let stage, let percent):
            try require(state == .running)
            next.stage = stage
            next.percent = max(self.percent, min(max(percent, 0), 100))
        case .renewed(let token, let until):
            try hold(token)
            next.lease?.until = until
        case .succeeded(let token):
            try hold(token)
            next.end(.completed)
            next.percent = 100
        case .failed(let token, let retryAt):
            try hold(token)
            next.end(.failed)
            if let retryAt, attempt < maxAttempts {
                next.state = .retryWait
                next.runAt = retryAt
            }
        case .discarded(let token):
            try hold(token)
            next.end(.cancelled)
        case .returned(let token, let instant):
            try hold(token)
            next.giveBack(at: instant)
        case .leaseRanOut(let now):
            try require(state == .running)
            guard let lease, lease.until <= now else { throw .tooEarly }
            next.lose(at: now)
        case .hostStarted(let now):
            try require(state == .running)
            next.lose(at: now)
        case .cancelled:
            try require(!state.isFinal)
            next.end(.cancelled)
        case .expired:
            try require(!state.isFinal && state != .running)
            next.end(.expired)
        case .revived(let now):
            try require(state == .failed || state == .cancelled || state == .expired)
            next.state = .queued
            next.attempt = 0
            next.recoveries = 0
            next.runAt = now
        }
        return next
    }

    private func require(_ condition: Bool) throws(Refusal) {
        guard condition else { throw .wrongState }
    }

    /// Refuses what is told by an attempt that does not hold the job.
    private func hold(_ token: Int64) throws(Refusal) {
        guard lease?.token == token else { throw .staleLease }
        try require(state == .running)
    }

    private mutating func end(_ state: JobState) {
        self.state = state
        lease = nil
    }

    private mutating func giveBack(at instant: Instant) {
        end(.queued)
        attempt -= 1
        runAt = instant
    }

    private mutating func lose(at now: Instant) {
        recoveries += 1
        if recoveries > maxRecoveries { end(.failed) } else { giveBack(at: now) }
    }
}
