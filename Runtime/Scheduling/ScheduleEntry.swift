import FunctionCore

/// One schedule: which function is invoked, when, and what happens to runs that are missed or overlap.
package struct ScheduleEntry: Sendable, Hashable {
    /// When it is due.
    package enum Kind: Sendable, Hashable {
        /// By the wall clock of a zone.
        case cron(CronExpression, zone: TimeZoneRules)
        /// By elapsed time.
        case every(EverySchedule)
        /// At the opening of a window and then in this interval while it is open; without an interval only
        /// once.
        case window(rotation: String, window: String, every: Duration?)
    }

    /// What becomes of nominal times that passed while nobody looked (the host was down, the clock was set).
    package enum CatchUp: Sendable, Hashable {
        /// They are skipped, except for one that is at most `ScheduleMachine.punctuality` late.
        case none
        /// The latest is run, the others are skipped.
        case latest
        /// So many of the latest are run in their order, 1 to 1,000. With `Overlap.skip` each waits for the
        /// one before it to finish.
        case all(max: Int)

        /// How many of the due nominal times may run.
        var limit: Int {
            switch self {
            case .none, .latest: 1
            case .all(let max): max
            }
        }
    }

    /// What becomes of a nominal time while an earlier one still runs.
    package enum Overlap: String, Sendable, Hashable {
        case skip
        case allow
    }

    package let id: String
    package let function: String
    package let kind: Kind
    package let catchUp: CatchUp
    package let overlap: Overlap

    package init(
        id: String,
        function: String,
        kind: Kind,
        catchUp: CatchUp = .latest,
        overlap: Overlap = .skip
    ) {
        self.id = id
        self.function = function
        self.kind = kind
        self.catchUp = catchUp
        self.overlap = overlap
    }
}
