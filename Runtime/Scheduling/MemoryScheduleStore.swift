import FunctionCore

/// The schedules' memory as a value: what the simulation and the tests of the machine write into.
///
/// It has the same rules as the journal: one row for a nominal time, whose verdict lasts.
package struct MemoryScheduleStore: Sendable {
    /// A row of the ledger.
    package struct Row: Sendable, Hashable {
        package var decision: ScheduleDecision
        /// How its run has ended, if it had one and that is over.
        package var end: ScheduleMachine.RunEnd?
    }

    package private(set) var states: [String: ScheduleState] = [:]
    package private(set) var rows: [String: [Instant: Row]] = [:]

    package init() {}

    /// Takes all that one reaction wants written down, and returns the decisions that it refuses: those of
    /// times that have been decided.
    @discardableResult
    package mutating func commit(_ actions: [ScheduleMachine.Action]) -> [ScheduleDecision] {
        var refused: [ScheduleDecision] = []
        for action in actions {
            switch action {
            case .decide(let decision):
                let known = rows[decision.id]?[decision.nominal]?.decision
                if known.map({ decision.mayReplace($0.verdict) }) ?? true {
                    rows[decision.id, default: [:]][decision.nominal] = Row(decision: decision)
                } else {
                    refused.append(decision)
                }
            case .keep(let id, let state): states[id] = state
            case .end(let id, let nominal, let end): rows[id]?[nominal]?.end = end
            case .begin, .stop, .wake, .fault, .clockStepped: break
            }
        }
        return refused
    }

    /// What a machine is to be restored with.
    package var stored: [String: StoredSchedule] {
        var stored = states.mapValues { StoredSchedule(state: $0) }
        for (id, rows) in rows {
            for row in rows.values.sorted(by: { $0.decision.nominal < $1.decision.nominal }) {
                let decision = row.decision
                switch decision.verdict {
                case .waiting:
                    stored[id]?.waiting.append(
                        WaitingTime(nominal: decision.nominal, due: decision.due, cause: decision.cause)
                    )
                case .run where row.end == nil: stored[id]?.running.insert(decision.nominal)
                default: break
                }
            }
        }
        return stored
    }
}

extension ScheduleDecision {
    /// Whether it may take the place of an earlier verdict: what waited ends, and a backfill runs what was
    /// not run.
    package func mayReplace(_ earlier: Verdict) -> Bool {
        switch earlier {
        case .waiting: verdict != .waiting
        case .run: false
        case .skipped, .missed, .coalesced: cause == .backfill
        }
    }
}
