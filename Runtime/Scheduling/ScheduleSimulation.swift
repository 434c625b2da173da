import FunctionCore

/// Runs the machines of schedules and rotations through a stretch of time, on a clock and a store of its own:
/// what it tells is what a host would do, except that each run ends after the time given.
package struct ScheduleSimulation {
    /// What happens.
    package enum Event: Sendable {
        case decided(ScheduleDecision)
        case windowOpens(rotation: String, window: String, token: UInt64)
        case windowCutOff(rotation: String, window: String, token: UInt64)
        case windowCloses(rotation: String, window: String, token: UInt64)
        case hostDown
        case hostUp
        case fault(SchedulingError)
    }

    private let plan: SchedulePlan
    private let end: Instant
    private let runTime: Duration
    /// Stretches in which no host runs, those ahead.
    private var down: [Range<Instant>]
    private var now: Instant
    private var machine: ScheduleMachine
    private var rotations: [String: WindowRotation] = [:]
    private var states: [String: RotationState] = [:]
    private var store = MemoryScheduleStore()
    private var runs: [(id: String, nominal: Instant, ends: Instant, window: Window?)] = []

    private struct Window: Equatable {
        let rotation: String
        let name: String
    }

    /// No host runs in the stretches of `down`; each run takes `runTime`.
    package init(
        plan: SchedulePlan,
        from start: Instant,
        to end: Instant,
        down: [Range<Instant>] = [],
        runTime: Duration = .zero
    ) {
        self.plan = plan
        self.end = end
        self.runTime = runTime
        self.down = down.sorted { $0.lowerBound < $1.lowerBound }
        now = start
        machine = ScheduleMachine(plan: plan)
    }

    /// Runs to the end, and tells what happens in its order.
    package mutating func run(_ report: (Instant, Event) -> Void) {
        begin(report)
        while now <= end {
            if let pause = down.first, pause.lowerBound <= now {
                down.removeFirst()
                guard pause.upperBound > now else { continue }
                report(now, .hostDown)
                now = pause.upperBound
                guard now <= end else { return }
                report(now, .hostUp)
                begin(report)
            }
            finishRuns(report)
            let next = tick(report)
            guard let next else { return }
            now = max(now, next)
        }
    }

    /// A host begins with what the store has; runs of the one before have ended with it.
    private mutating func begin(_ report: (Instant, Event) -> Void) {
        machine = ScheduleMachine(plan: plan)
        _ = machine.react(to: .restored(store.stored))
        for (id, rotation) in plan.rotations.sorted(by: { $0.key < $1.key }) {
            rotations[id] = WindowRotation(plan: rotation)
            let actions = rotations[id]?.react(to: .restored(states[id] ?? RotationState(), at: now)) ?? []
            perform(actions, of: id, report)
        }
        for index in runs.indices { runs[index].ends = now }
        finishRuns(report)
    }

    private mutating func finishRuns(_ report: (Instant, Event) -> Void) {
        guard runs.contains(where: { $0.ends <= now }) else { return }
        let over = runs.filter { $0.ends <= now }
        runs.removeAll { $0.ends <= now }
        for run in over {
            store.commit(machine.react(to: .finished(id: run.id, nominal: run.nominal, .succeeded)))
        }
    }

    /// One look; returns when the next is due.
    private mutating func tick(_ report: (Instant, Event) -> Void) -> Instant? {
        var next = [down.first?.lowerBound, runs.map(\.ends).min()].compactMap { $0 }.min()
        for id in plan.rotations.keys.sorted() {
            for _ in 0..<3 {
                perform(rotations[id]?.react(to: .tick(now: now)) ?? [], of: id, report)
                guard drain(id, report) else { break }
            }
            if let wake = rotations[id]?.nextWake(after: now) { next = min(next ?? wake, wake) }
        }
        let actions = machine.react(to: .tick(now: now))
        store.commit(actions)
        var ends = false
        for action in actions {
            switch action {
            case .decide(let decision): report(now, .decided(decision))
            case .begin(let id, let nominal, _):
                ends = true
                runs.append((id, nominal, now + runTime, window(of: id)))
            case .stop(let id, let nominal):
                for index in runs.indices where runs[index].id == id && runs[index].nominal == nominal {
                    runs[index].ends = now
                    ends = true
                }
            case .fault(_, let error): report(now, .fault(error))
            case .wake(let instant): next = min(next ?? instant, instant)
            case .keep, .end, .clockStepped: break
            }
        }
        if ends, let first = runs.map(\.ends).min() { next = min(next ?? first, first) }
        return next
    }

    private func window(of id: String) -> Window? {
        guard case .window(let rotation, let name, _) = machine.entry(id)?.kind else { return nil }
        return Window(rotation: rotation, name: name)
    }

    /// Has a window past its cutoff, in which nothing runs, be done; whether it was so.
    private mutating func drain(_ id: String, _ report: (Instant, Event) -> Void) -> Bool {
        guard let holder = rotations[id]?.state.holder, [.cutoff, .draining].contains(holder.stage),
            !runs.contains(where: { $0.window == Window(rotation: id, name: holder.window) })
        else { return false }
        tell(.drained(window: holder.window, token: holder.token, at: now), id, report)
        return true
    }

    private mutating func tell(
        _ fact: WindowRotation.Fact,
        _ id: String,
        _ report: (Instant, Event) -> Void
    ) {
        perform(rotations[id]?.react(to: fact) ?? [], of: id, report)
    }

    private mutating func perform(
        _ actions: [WindowRotation.Action],
        of id: String,
        _ report: (Instant, Event) -> Void
    ) {
        for action in actions {
            switch action {
            case .persist(let state, _): states[id] = state
            case .grant(let window, let token, _):
                _ = machine.react(to: .windowOpened(rotation: id, window: window, token: token))
                report(now, .windowOpens(rotation: id, window: window, token: token))
            case .cutOff(let window, let token, _):
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                report(now, .windowCutOff(rotation: id, window: window, token: token))
            case .cancel(let window, _): endRuns(of: Window(rotation: id, name: window))
            case .checkpoint(let window, let token, _):
                tell(.checkpointed(window: window, token: token, text: "", at: now), id, report)
            case .revoke(let window, let token):
                _ = machine.react(to: .windowClosed(rotation: id, window: window))
                endRuns(of: Window(rotation: id, name: window))
                report(now, .windowCloses(rotation: id, window: window, token: token))
            case .planExpired(let error): report(now, .fault(error))
            case .warm, .extend, .late: break
            }
        }
    }

    private mutating func endRuns(of window: Window) {
        for index in runs.indices where runs[index].window == window { runs[index].ends = now }
    }
}
