import FunctionCore

/// What became of one nominal time of a schedule, as its ledger keeps it.
///
/// A time gets one row, and the row one verdict that lasts; only `waiting` gives way to another, and what
/// was not run to a backfill that the operator asked for.
package struct ScheduleDecision: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        /// Its run has not begun yet, as an earlier one is on.
        case waiting
        /// It has a run.
        case run
        case skipped(Skip)
        case missed(Miss)
        /// A later time's run, or its verdict, stands for it.
        case coalesced(into: Instant)
    }

    /// Why a time is not run though it could have been.
    package enum Skip: String, Sendable, Hashable, CaseIterable {
        /// An earlier run is still on.
        case overlap
        /// The schedule is paused.
        case paused
        /// It is left out by the schedule's exclusions.
        case excluded
        /// The schedule has had all its runs.
        case limit
    }

    /// Why a time could not be run.
    package enum Miss: String, Sendable, Hashable, CaseIterable {
        /// It would have begun later than its deadline.
        case deadline
        /// Its window or session has closed.
        case windowClosed = "window_closed"
        /// Too many wait already.
        case bufferFull = "buffer_full"
        /// It passed while nobody looked, and the schedule does not catch up.
        case catchUpNone = "catch_up_none"
        /// It passed while nobody looked, and more are due after it than `CatchUp.all` allows.
        case catchUpLimit = "catch_up_limit"
    }

    /// How the time came up.
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// When it was due.
        case scheduled
        /// Late, as nobody looked when it was due.
        case catchUp = "catch_up"
        /// Late, as the clock was put forward over it by more than `ScheduleMachine.clockStep`.
        case clockStep = "clock_step"
        /// By hand; the time is that of the asking.
        case trigger
        /// By hand, for a time that was not run.
        case backfill
    }

    package let id: String
    package let nominal: Instant
    package let verdict: Verdict
    package let cause: Cause
    /// The nominal time with its jitter.
    package let due: Instant
    /// When it was decided.
    package let at: Instant

    package init(
        id: String,
        nominal: Instant,
        verdict: Verdict,
        cause: Cause = .scheduled,
        due: Instant,
        at: Instant
    ) {
        self.id = id
        self.nominal = nominal
        self.verdict = verdict
        self.cause = cause
        self.due = due
        self.at = at
    }
}

extension ScheduleDecision.Verdict {
    /// The verdict's name: waiting, run, skipped, missed, coalesced.
    package var name: String {
        switch self {
        case .waiting: "waiting"
        case .run: "run"
        case .skipped: "skipped"
        case .missed: "missed"
        case .coalesced: "coalesced"
        }
    }

    /// Why, as a word; of `coalesced` the instant in nanoseconds.
    package var reason: String {
        switch self {
        case .waiting, .run: ""
        case .skipped(let skip): skip.rawValue
        case .missed(let miss): miss.rawValue
        case .coalesced(let into): String(into.nanoseconds)
        }
    }

    /// Reads what `name` and `reason` wrote.
    package init?(name: String, reason: String) {
        switch name {
        case "waiting": self = .waiting
        case "run": self = .run
        case "skipped":
            guard let skip = ScheduleDecision.Skip(rawValue: reason) else { return nil }
            self = .skipped(skip)
        case "missed":
            guard let miss = ScheduleDecision.Miss(rawValue: reason) else { return nil }
            self = .missed(miss)
        case "coalesced":
            guard let into = Int64(reason) else { return nil }
            self = .coalesced(into: Instant(nanoseconds: into))
        default: return nil
        }
    }
}

/// What is kept of a schedule besides its ledger.
package struct ScheduleState: Sendable, Hashable {
    /// All nominal times up to this one have their row; nil for a schedule that nobody has seen yet.
    package var mark: Instant?
    /// The definition that the mark was made by; 0 where that was not noted.
    package var revision: UInt64
    /// How many runs there were.
    package var runs: Int
    /// How many of the last runs failed in a row.
    package var failures: Int
    /// Why it is paused; nil while it is not.
    package var pause: String?

    package init(
        mark: Instant? = nil,
        revision: UInt64 = 0,
        runs: Int = 0,
        failures: Int = 0,
        pause: String? = nil
    ) {
        self.mark = mark
        self.revision = revision
        self.runs = runs
        self.failures = failures
        self.pause = pause
    }
}

/// What the store holds of a schedule at a start.
package struct StoredSchedule: Sendable, Hashable {
    package var state: ScheduleState
    /// Times that wait, in their order.
    package var waiting: [WaitingTime]
    /// Nominal times whose runs have not ended.
    package var running: Set<Instant>

    package init(
        state: ScheduleState = ScheduleState(),
        waiting: [WaitingTime] = [],
        running: Set<Instant> = []
    ) {
        self.state = state
        self.waiting = waiting
        self.running = running
    }
}

/// A time whose run waits for an earlier one to end.
package struct WaitingTime: Sendable, Hashable {
    package var nominal: Instant
    package var due: Instant
    package var cause: ScheduleDecision.Cause
    /// The close of its window, where it is bound to one.
    package var windowCloses: Instant?

    package init(
        nominal: Instant,
        due: Instant,
        cause: ScheduleDecision.Cause,
        windowCloses: Instant? = nil
    ) {
        self.nominal = nominal
        self.due = due
        self.cause = cause
        self.windowCloses = windowCloses
    }
}
