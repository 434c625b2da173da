import FunctionCore

/// Decides which scheduled runs begin, and gives every nominal time exactly one verdict.
///
/// Each entry is in one of these states:
///
/// - *new*: nothing is known of it, or of this definition; its first look sets the mark, from which its times
///   count, to the instant just before.
/// - *asleep*: its next time lies ahead, in the heap.
/// - *due*: nominal times lie in (mark, now]; each is run, skipped, missed, coalesced, or waits.
/// - *held*: due, but its window has not been granted yet. Nothing is decided.
/// - *paused*: its times are skipped until it is resumed.
/// - *faulty*: its calendar has no answer; said once, and tried again with the next plan.
///
/// Only times after the mark are ever considered, so a clock that steps backwards begins nothing a second
/// time, and one that steps forwards, like a host that was down, is caught up with by the entry's policy. All
/// actions of one reaction belong into one transaction; `begin` and `stop` are performed after it.
///
/// A tick looks at the entries that are due and at those of which something was heard, at no others.
package struct ScheduleMachine: Sendable {
    /// An entry gets at most so many verdicts in one pass; a longer backlog goes on at once in the next pass.
    package static let passLimit = 1_000
    /// A tick looks at no more entries once it has so many actions; the others have theirs at once after it.
    package static let tickLimit = 4_096
    /// Nor once it has begun so many runs, whose jobs are one transaction: the first of a thousand that are due at
    /// one instant do not wait for the last.
    package static let runLimit = 64
    /// So many times of an entry wait at most; what is more is missed.
    package static let bufferLimit = 1_000
    /// How late a run may begin that is not to be caught up: twice the longest sleep of the scheduler's loop.
    package static let punctuality: Duration = .seconds(60)
    /// A clock that is put forward by more than this is reported, and its victims say so.
    package static let clockStep: Duration = .seconds(3 * 3_600)

    /// How a run has ended.
    package enum RunEnd: String, Sendable, Hashable {
        case succeeded
        case failed
        case cancelled
    }

    /// What has happened.
    package enum Fact: Sendable, Hashable {
        /// What the store holds; entries that it does not name are new.
        case restored([String: StoredSchedule])
        /// The wall clock shows this instant. Sent on every wake, and after each of the other facts.
        ///
        /// `steady` runs at the pace of the wall clock, also while the machine is suspended, and is never put
        /// forward or back: what it does not show is a step of the wall clock.
        case tick(now: Instant, steady: Duration? = nil)
        /// A run has ended.
        case finished(id: String, nominal: Instant, RunEnd)
        /// A rotation has granted a window its token.
        case windowOpened(rotation: String, window: String, token: UInt64)
        /// A window drains or has lost its token.
        case windowClosed(rotation: String, window: String)
        /// The schedules have been changed; entries are recognised by their ids.
        case replanned(SchedulePlan)
        /// The operator holds an entry, for the reason given.
        case paused(id: String, note: String)
        case resumed(id: String)
        /// So many runs of an entry there were on all hosts together.
        case counted(id: String, runs: Int)
        /// The operator asks for one run now; `nominal`, at or just after `now`, is a time that neither the plan
        /// nor the ledger has.
        case triggered(id: String, nominal: Instant, now: Instant)
        /// The operator asks for runs of times that have had none.
        case backfilled(id: String, times: [Instant], now: Instant)
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Write this into the ledger.
        case decide(ScheduleDecision)
        /// Keep this of the entry.
        case keep(id: String, ScheduleState)
        /// Write down that the run of this time has ended.
        case end(id: String, nominal: Instant, RunEnd)
        /// Invoke the entry's function; `token` is that of its window.
        case begin(id: String, nominal: Instant, token: UInt64?)
        /// Cancel the run of this time.
        case stop(id: String, nominal: Instant)
        /// Tick at this instant at the latest; if it is not in the future, at once.
        case wake(at: Instant)
        /// The entry rests for this fault.
        case fault(id: String, SchedulingError)
        /// The wall clock was put forward by more than `clockStep`.
        case clockStepped(from: Instant, to: Instant)
    }

    package private(set) var plan: SchedulePlan
    private var slots: [ScheduleSlot]
    private var index: ScheduleIndex
    private var heap = ScheduleHeap()
    /// Entries that the next tick looks at whether they are due or not.
    private var touched: Set<Int> = []
    /// Those that the last tick did not come to; the next looks at them first.
    private var backlog: ArraySlice<Int> = []
    private var tokens: [WindowName: UInt64] = [:]
    /// The entries that follow a window, which its opening and closing touch.
    private var followers: [WindowName: [Int]] = [:]
    private var lastTick: (now: Instant, steady: Duration)?
    private var step: Range<Instant>?

    private struct WindowName: Hashable {
        let rotation: String
        let window: String
    }

    package init(plan: SchedulePlan) {
        self.plan = plan
        slots = plan.entries.map { _ in ScheduleSlot() }
        index = ScheduleIndex(plan.entries)
        followWindows()
        arm()
    }

    /// Takes in a fact and says what is to be done about it.
    package mutating func react(to fact: Fact) -> [Action] {
        switch fact {
        case .restored(let stored):
            for (number, entry) in plan.entries.enumerated() {
                var known = stored[entry.id] ?? StoredSchedule()
                for index in known.waiting.indices where !known.waiting[index].isByHand {
                    let before = known.waiting[index].nominal - .nanoseconds(1)
                    known.waiting[index].windowCloses =
                        (try? plan.next(of: entry, after: before))?.windowCloses
                }
                slots[number].restore(known)
            }
            arm()
            lastTick = nil
            return []
        case .tick(let now, let steady): return tick(now, steady)
        case .finished(let id, let nominal, let end): return finish(id, nominal, end)
        case .windowOpened(let rotation, let window, let token):
            return set(token, WindowName(rotation: rotation, window: window))
        case .windowClosed(let rotation, let window):
            return set(nil, WindowName(rotation: rotation, window: window))
        case .replanned(let plan):
            replan(plan)
            return []
        case .paused(let id, let note): return pause(id, note)
        case .resumed(let id): return pause(id, nil)
        case .counted(let id, let runs): return count(id, runs)
        case .triggered(let id, let nominal, let now):
            guard let index = place(of: id) else { return [] }
            return byHand(index, [WaitingTime(nominal: nominal, due: now, cause: .trigger)], now)
        case .backfilled(let id, let times, let now): return backfill(id, times, now)
        }
    }

    /// What is kept of an entry.
    package func state(of id: String) -> ScheduleState? { place(of: id).map { slots[$0].state } }

    /// Why entries are paused, by their ids.
    package var pauses: [String: String] {
        var pauses: [String: String] = [:]
        for (entry, slot) in zip(plan.entries, slots) { pauses[entry.id] = slot.state.pause }
        return pauses
    }

    /// The runs of an entry that have begun and not finished.
    package func running(_ id: String) -> Set<Instant> { place(of: id).map { slots[$0].running } ?? [] }

    /// The times of an entry whose runs wait.
    package func waiting(_ id: String) -> [WaitingTime] { place(of: id).map { slots[$0].waiting } ?? [] }

    /// An entry of the plan.
    package func entry(_ id: String) -> ScheduleEntry? { place(of: id).map { plan.entries[$0] } }

    /// Whether an instant is one of an entry's nominal times.
    package func isPlanned(_ nominal: Instant, _ id: String) -> Bool {
        let next = try? place(of: id).flatMap {
            try plan.next(of: plan.entries[$0], after: nominal - .nanoseconds(1))
        }
        return next?.instant == nominal
    }

    // MARK: Ticks

    private mutating func tick(_ now: Instant, _ steady: Duration?) -> [Action] {
        var actions: [Action] = []
        noteStep(now, steady, &actions)
        var due = touched
        touched = []
        while let first = heap.first, first.instant <= now {
            _ = heap.removeFirst()
            if slots[first.index].wake == first.instant { due.insert(first.index) }
        }
        let order = backlog + due.sorted()
        backlog = []
        var runs = 0
        for (position, index) in zip(order.indices, order) {
            if actions.count >= ScheduleMachine.tickLimit || runs >= ScheduleMachine.runLimit {
                backlog = order[position...]
                break
            }
            let before = actions.count
            look(index, now, &actions)
            runs += actions[before...].count(where: \.isBegin)
        }
        if heap.count > 2 * slots.count + 64 { rebuild() }
        if !backlog.isEmpty || !touched.isEmpty {
            actions.append(.wake(at: now))
        } else if let first = heap.first {
            actions.append(.wake(at: first.instant))
        }
        return actions
    }

    private mutating func look(_ index: Int, _ now: Instant, _ actions: inout [Action]) {
        let look = look(at: index, now)
        let wake = slots[index].look(look, &actions)
        guard wake != slots[index].wake || wake.map({ $0 <= now }) ?? false else { return }
        slots[index].wake = wake
        if let wake { heap.insert(index, at: wake) }
    }

    private func look(at index: Int, _ now: Instant) -> ScheduleSlot.Look {
        let entry = plan.entries[index]
        var token: UInt64?
        if case .window(let rotation, let window, _) = entry.kind {
            token = tokens[WindowName(rotation: rotation, window: window)]
        }
        return ScheduleSlot.Look(entry: entry, plan: plan, now: now, token: token, step: step)
    }

    /// Compares the wall clock with the steady one.
    private mutating func noteStep(_ now: Instant, _ steady: Duration?, _ actions: inout [Action]) {
        guard let steady else { return }
        if let last = lastTick {
            let jump = (now - last.now) - (steady - last.steady)
            if jump > ScheduleMachine.clockStep {
                step = (last.now + .nanoseconds(1))..<(now + .nanoseconds(1))
                actions.append(.clockStepped(from: last.now, to: now))
            }
        }
        lastTick = (now, steady)
    }

    // MARK: Other facts

    private mutating func finish(_ id: String, _ nominal: Instant, _ end: RunEnd) -> [Action] {
        guard let index = place(of: id) else { return [] }
        var actions: [Action] = [.end(id: id, nominal: nominal, end)]
        // One that was terminated counts no more, but its end is written down.
        guard slots[index].running.remove(nominal) != nil else { return actions }
        slots[index].stopping.remove(nominal)
        touched.insert(index)
        let before = slots[index].state
        switch end {
        case .succeeded: slots[index].state.failures = 0
        case .failed:
            slots[index].state.failures += 1
            let failures = slots[index].state.failures
            if let limit = plan.entries[index].policy.pauseOnFailure, failures >= limit, before.pause == nil {
                slots[index].state.pause = "\(failures) runs in a row failed"
            }
        case .cancelled: break
        }
        if slots[index].state != before { actions.append(.keep(id: id, slots[index].state)) }
        return actions
    }

    private mutating func set(_ token: UInt64?, _ name: WindowName) -> [Action] {
        tokens[name] = token
        touched.formUnion(followers[name] ?? [])
        return []
    }

    private mutating func pause(_ id: String, _ note: String?) -> [Action] {
        guard let index = place(of: id), slots[index].state.pause != note else { return [] }
        slots[index].state.pause = note
        if note == nil { slots[index].state.failures = 0 }
        touched.insert(index)
        return [.keep(id: id, slots[index].state)]
    }

    private mutating func count(_ id: String, _ runs: Int) -> [Action] {
        guard let index = place(of: id), slots[index].state.runs != runs else { return [] }
        slots[index].state.runs = runs
        touched.insert(index)
        return [.keep(id: id, slots[index].state)]
    }

    private mutating func backfill(_ id: String, _ times: [Instant], _ now: Instant) -> [Action] {
        guard let index = place(of: id) else { return [] }
        let wanted = times.filter { $0 <= now && !slots[index].knows($0) }.map {
            WaitingTime(nominal: $0, due: $0, cause: .backfill)
        }
        return byHand(index, wanted, now)
    }

    private mutating func byHand(_ index: Int, _ times: [WaitingTime], _ now: Instant) -> [Action] {
        var actions: [Action] = []
        let before = slots[index].state
        let look = look(at: index, now)
        for time in times {
            slots[index].start(time, isBacklog: time.cause == .backfill, look, &actions)
        }
        if slots[index].state != before { actions.append(.keep(id: look.entry.id, slots[index].state)) }
        touched.insert(index)
        return actions
    }

    // MARK: Plans

    private mutating func replan(_ plan: SchedulePlan) {
        let known = Dictionary(zip(self.plan.entries.map(\.id), slots)) { first, _ in first }
        self.plan = plan
        slots = plan.entries.map { entry in
            var slot = known[entry.id] ?? ScheduleSlot()
            slot.forget()
            return slot
        }
        index = ScheduleIndex(plan.entries)
        followWindows()
        arm()
    }

    private func place(of id: String) -> Int? { index.place(of: id, in: plan.entries) }

    private mutating func followWindows() {
        followers = [:]
        for (number, entry) in plan.entries.enumerated() {
            if case .window(let rotation, let window, _) = entry.kind {
                followers[WindowName(rotation: rotation, window: window), default: []].append(number)
            }
        }
    }

    /// Has the next tick look at every entry.
    private mutating func arm() {
        heap = ScheduleHeap()
        backlog = []
        for index in slots.indices { slots[index].wake = nil }
        touched = Set(slots.indices)
    }

    /// Drops what is no longer wanted at the instant it was put in for.
    private mutating func rebuild() {
        heap = ScheduleHeap(
            slots.indices.compactMap { index in
                slots[index].wake.map { ScheduleHeap.Item(instant: $0, index: index) }
            }
        )
    }
}

extension ScheduleMachine.Action {
    fileprivate var isBegin: Bool {
        if case .begin = self { true } else { false }
    }
}
