import FunctionCore

/// Where a job stands.
package enum JobState: String, Sendable, CaseIterable {
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
    /// Its time was over before it could run.
    case expired

    /// Whether nothing more happens to the job by itself.
    package var isFinal: Bool {
        switch self {
        case .queued, .running, .retryWait: false
        case .completed, .failed, .cancelled, .expired: true
        }
    }
}

/// A job's way from one state to the next, without any I/O.
///
/// ```
///             claimed            succeeded
///   queued ───────────► running ───────────► completed
///     ▲  ▲                │ │ │
///     │  └── returned, ───┘ │ └── failed ──► failed (no attempt left, or never to be retried)
///     │      hostStarted    │                  │
///     │                     ▼ failed           │ revived
///     │                 retryWait ──► running  │
///     └────────────────────────────────────────┘
/// ```
/// `cancelled` and `expired` are reached from every state that is not final. An attempt counts from the
/// claim; `returned` and `hostStarted` take it back, as the function is not to blame.
package struct JobLife: Sendable, Hashable {
    /// What has happened to a job.
    package enum Fact: Sendable, Hashable {
        /// A worker takes it.
        case claimed(at: Instant)
        case succeeded
        /// The attempt failed; nil for never to be retried.
        case failed(retryAt: Instant?)
        /// The host could not run it after all, or lost the worker to something else's fault.
        case returned(runAt: Instant)
        case cancelled
        case expired
        /// The host that ran it is gone.
        case hostStarted(at: Instant)
        /// Somebody wants a dead letter tried again, with all its attempts.
        case revived(at: Instant)
    }

    package var state: JobState
    /// The attempt under way or the last one, from 1; 0 before the first.
    package var attempt: Int
    package var maxAttempts: Int
    /// Not to be claimed before.
    package var runAt: Instant

    package init(state: JobState = .queued, attempt: Int = 0, maxAttempts: Int, runAt: Instant) {
        self.state = state
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.runAt = runAt
    }

    /// The life after `fact`, or nil where it cannot happen in this state.
    package func after(_ fact: Fact) -> JobLife? {
        var next = self
        switch (fact, state) {
        case (.claimed(let now), .queued), (.claimed(let now), .retryWait):
            guard runAt <= now else { return nil }
            next.state = .running
            next.attempt += 1
        case (.succeeded, .running):
            next.state = .completed
        case (.failed(let retryAt), .running):
            next.state = .failed
            if let retryAt, attempt < maxAttempts {
                next.state = .retryWait
                next.runAt = retryAt
            }
        case (.returned(let instant), .running), (.hostStarted(let instant), .running):
            next.state = .queued
            next.attempt -= 1
            next.runAt = instant
        case (.revived(let now), .failed), (.revived(let now), .cancelled), (.revived(let now), .expired):
            next.state = .queued
            next.attempt = 0
            next.runAt = now
        case (.cancelled, _) where !state.isFinal:
            next.state = .cancelled
        case (.expired, _) where !state.isFinal:
            next.state = .expired
        default:
            return nil
        }
        return next
    }
}
