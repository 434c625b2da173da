import FunctionCore

/// Decides which scheduled runs begin, and gives every nominal time exactly one verdict.
///
/// Each entry is in one of these states:
///
/// - *new*: nothing is known of it; its first tick commits the instant just before it, from which its times
///   count.
/// - *waiting*: its next nominal time lies ahead.
/// - *due*: nominal times lie in (last committed, now]; each is fired or skipped for a stated reason.
/// - *held*: due, but the window has not been granted yet, or an earlier run of a backlog is still on.
///   Nothing is decided, so nothing is lost if the host stops here.
/// - *faulty*: its calendar has no answer; said once, and tried again with the next plan.
///
/// Only times after the last committed one are ever considered, so a clock that steps backwards fires
/// nothing a second time, and one that steps forwards, like a host that was down, is caught up with by the
/// entry's policy. All actions of one reaction belong into one transaction; runs are dispatched after it.
package struct ScheduleMachine: Sendable {
    /// An entry gets at most so many verdicts in one pass; a longer backlog goes on at once in the next pass.
    package static let passLimit = 1_000

    /// How late a run may begin that is not to be caught up: twice the longest sleep of the scheduler's loop.
    package static let punctuality: Duration = .seconds(60)

    /// What has happened.
    package enum Fact: Sendable, Hashable {
        /// What the journal holds: the last committed nominal time of each entry, and the runs not yet
        /// finished.
        case restored(lastCommitted: [String: Instant], running: [String: [Instant]])
        /// The wall clock shows this instant. Sent on every wake, and after each of the other facts.
        case tick(now: Instant)
        /// A run has ended, whatever its outcome.
        case finished(id: String, nominal: Instant)
        /// A rotation has granted a window its token.
        case windowOpened(rotation: String, window: String, token: UInt64)
        /// A window drains or has lost its token.
        case windowClosed(rotation: String, window: String)
        /// The schedules have been changed; entries are recognised by their ids.
        case replanned(SchedulePlan)
    }

    /// Why a nominal time is not run.
    package enum SkipReason: String, Sendable, Hashable {
        /// An earlier run is still on.
        case overlap
        /// It was missed, and a later one is due that runs in its stead.
        case superseded
        /// It was missed, and more are due after it than `CatchUp.all` allows.
        case catchUpLimit = "catch_up_limit"
        /// It was missed, and the entry does not catch up.
        case missed
        /// Its window has closed.
        case windowClosed = "window_closed"
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Invoke the entry's function; `token` is that of its window.
        case fire(id: String, nominal: Instant, token: UInt64?)
        /// Record that this time is not run.
        case skip(id: String, nominal: Instant, reason: SkipReason)
        /// All times up to this one have their verdict.
        case commit(id: String, nominal: Instant)
        /// Tick at this instant at the latest; if it is not in the future, at once.
        case wake(at: Instant)
        /// The entry rests for this fault.
        case fault(id: String, SchedulingError)
    }

    package private(set) var plan: SchedulePlan
    private var slots: [ScheduleSlot] = []
    private var tokens: [WindowName: UInt64] = [:]

    private struct WindowName: Hashable {
        let rotation: String
        let window: String
    }

    package init(plan: SchedulePlan) {
        self.plan = plan
        slots = plan.entries.map { ScheduleSlot(entry: $0) }
    }

    /// Takes in a fact and says what is to be done about it.
    package mutating func react(to fact: Fact) -> [Action] {
        switch fact {
        case .restored(let lastCommitted, let running):
            for index in slots.indices {
                slots[index].restore(lastCommitted[slots[index].entry.id])
                slots[index].running = Set(running[slots[index].entry.id] ?? [])
            }
            return []
        case .tick(let now):
            return tick(now)
        case .finished(let id, let nominal):
            guard let index = slots.firstIndex(where: { $0.entry.id == id }) else { return [] }
            slots[index].running.remove(nominal)
            return []
        case .windowOpened(let rotation, let window, let token):
            tokens[WindowName(rotation: rotation, window: window)] = token
            return []
        case .windowClosed(let rotation, let window):
            tokens[WindowName(rotation: rotation, window: window)] = nil
            return []
        case .replanned(let plan):
            self.plan = plan
            let known = Dictionary(slots.map { ($0.entry.id, $0) }) { first, _ in first }
            slots = plan.entries.map { entry in
                var slot = ScheduleSlot(entry: entry)
                if let old = known[entry.id] {
                    slot.restore(old.lastCommitted)
                    slot.running = old.running
                }
                return slot
            }
            return []
        }
    }

    /// The runs of an entry that have begun and not finished.
    package func running(_ id: String) -> Set<Instant> {
        slots.first { $0.entry.id == id }?.running ?? []
    }

    private mutating func tick(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        var wake: Instant?
        for index in slots.indices {
            var token: UInt64?
            if case .window(let rotation, let window, _) = slots[index].entry.kind {
                token = tokens[WindowName(rotation: rotation, window: window)]
            }
            if let next = slots[index].tick(now, plan: plan, token: token, &actions) {
                wake = min(wake ?? next, next)
            }
        }
        if let wake { actions.append(.wake(at: wake)) }
        return actions
    }
}
