import FunctionCore
import Scheduling

/// A machine with one entry, `a`, that is due each minute from `start` on; what it does is told in short
/// lines whose numbers are minutes: `3 run`, `2 coalesced 3`, `stop 1`, `wake 4`.
struct ScheduleStand {
    static let start = at("2026-11-20T12:00:00Z")

    var machine: ScheduleMachine
    var store = MemoryScheduleStore()
    let plan: SchedulePlan

    init(_ policy: SchedulePolicy = SchedulePolicy(), limits: ScheduleLimits = ScheduleLimits()) throws {
        let kind = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(60)))
        let entry = ScheduleEntry(id: "a", function: "motto", kind: kind, limits: limits, policy: policy)
        plan = try SchedulePlan(entries: [entry])
        machine = ScheduleMachine(plan: plan)
        let state = ScheduleState(mark: ScheduleStand.start, revision: entry.revision)
        store.commit([.keep(id: "a", state)])
        _ = machine.react(to: .restored(store.stored))
    }

    static func minute(_ number: Double) -> Instant { start + .nanoseconds(Int64(number * 60e9)) }

    /// One reaction, written down.
    mutating func hear(_ fact: ScheduleMachine.Fact) -> [String] {
        let actions = machine.react(to: fact)
        let refused = store.commit(actions)
        return refused.map { "refused \(text($0))" } + actions.compactMap(line)
    }

    mutating func tick(_ minute: Double) -> [String] {
        hear(.tick(now: ScheduleStand.minute(minute)))
    }

    /// A run's end, and the look that follows it.
    mutating func finish(
        _ run: Double,
        _ end: ScheduleMachine.RunEnd = .succeeded,
        at now: Double
    ) -> [String] {
        hear(.finished(id: "a", nominal: ScheduleStand.minute(run), end)) + tick(now)
    }

    /// The host dies and another begins, with what was written down.
    mutating func restart() {
        machine = ScheduleMachine(plan: plan)
        _ = machine.react(to: .restored(store.stored))
    }

    /// The ledger, in the order of its times.
    var ledger: [String] {
        (store.rows["a"] ?? [:]).sorted { $0.key < $1.key }.map { text($0.value.decision) }
    }

    private func line(_ action: ScheduleMachine.Action) -> String? {
        switch action {
        case .decide(let decision): text(decision)
        case .stop(_, let nominal): "stop \(number(nominal))"
        case .wake(let instant): "wake \(number(instant))"
        case .fault(_, let error): "fault \(error.code.rawValue)"
        case .clockStepped: "clock stepped"
        case .begin, .keep, .end: nil
        }
    }

    private func text(_ decision: ScheduleDecision) -> String {
        var text = "\(number(decision.nominal)) \(decision.verdict.name)"
        if case .coalesced(let into) = decision.verdict {
            text += " \(number(into))"
        } else if !decision.verdict.reason.isEmpty {
            text += " \(decision.verdict.reason)"
        }
        return decision.cause == .scheduled ? text : "\(text) (\(decision.cause.rawValue))"
    }

    private func number(_ instant: Instant) -> String {
        let seconds = (instant - ScheduleStand.start).nanoseconds / 1_000_000_000
        return seconds % 60 == 0 ? "\(seconds / 60)" : "\(seconds / 60):\(seconds % 60)"
    }
}
