import FunctionCore
import Scheduling
import Seeds
import Testing

/// A host in small that may die between any two steps: the machine, a rotation beside it, and what survives
/// them: the store, and the jobs that the store's runs have become.
struct ScheduleWorld {
    private struct Run: Hashable {
        let id: String
        let nominal: Instant
    }

    let plan: SchedulePlan
    let isCrashing: Bool
    var random: SeededRandom
    var machine: ScheduleMachine
    var rotation: WindowRotation?
    var rotationState = RotationState()
    var store = MemoryScheduleStore()
    var now: Instant
    var steady = Duration.zero
    /// The first mark of each entry, from which its times count.
    var first: [String: Instant] = [:]
    /// Jobs that are under way, as the store has them.
    private var jobs: Set<Run> = []
    /// Jobs whose end the machine has not heard of.
    private var ended: [Run: ScheduleMachine.RunEnd] = [:]
    private var backfilled: Set<Run> = []
    private(set) var faults: [String] = []
    private(set) var runs = 0
    private(set) var crashes = 0

    init(plan: SchedulePlan, start: Instant, seed: UInt64, isCrashing: Bool = true) {
        self.plan = plan
        self.isCrashing = isCrashing
        random = SeededRandom(seed)
        machine = ScheduleMachine(plan: plan)
        rotation = plan.rotations["market"].map { WindowRotation(plan: $0) }
        now = start
    }

    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    mutating func restart() {
        crashes += 1
        machine = ScheduleMachine(plan: plan)
        _ = machine.react(to: .restored(store.stored))
        if let plan = rotation?.plan {
            rotation = WindowRotation(plan: plan)
            tell(rotation?.react(to: .restored(rotationState, at: now)) ?? [])
        }
        for (run, end) in ended.sorted(by: { $0.key.nominal < $1.key.nominal }) {
            if !hear(.finished(id: run.id, nominal: run.nominal, end)) { return }
        }
    }

    /// One reaction, written down and performed; false where the host has died over it and begun again.
    @discardableResult
    mutating func hear(_ fact: ScheduleMachine.Fact) -> Bool {
        let actions = machine.react(to: fact)
        if isCrashing, chance(50) {
            restart()
            return false
        }
        for decision in store.commit(actions) {
            faults.append("a second verdict for \(decision.nominal.rfc3339) of \(decision.id)")
        }
        for action in actions { note(action) }
        if isCrashing, chance(50) {
            restart()
            return false
        }
        for case .stop(let id, let nominal) in actions {
            let run = Run(id: id, nominal: nominal)
            if jobs.contains(run), ended[run] == nil { ended[run] = .cancelled }
        }
        return true
    }

    /// What is true once it is written down.
    private mutating func note(_ action: ScheduleMachine.Action) {
        switch action {
        case .decide(let decision):
            let entry = plan.entries.first { $0.id == decision.id }
            if decision.due > now { faults.append("\(decision.id) is early") }
            guard decision.verdict == .run, let entry else { return }
            runs += 1
            if entry.policy.overlap != .allow, entry.policy.overlap != .terminateOther,
                jobs.contains(where: { $0.id == entry.id })
            {
                faults.append("\(entry.id) overlaps itself")
            }
            if let deadline = entry.policy.deadline, decision.due + deadline < now,
                decision.cause != .backfill, decision.cause != .trigger
            {
                faults.append("\(entry.id) begins after its deadline")
            }
            jobs.insert(Run(id: entry.id, nominal: decision.nominal))
        case .keep(let id, let state):
            if first[id] == nil { first[id] = state.mark.map { min($0, now - .nanoseconds(1)) } }
            if let limit = machine.entry(id)?.policy.remaining, state.runs > limit {
                faults.append("\(id) has more runs than it may")
            }
        case .end(let id, let nominal, _):
            jobs.remove(Run(id: id, nominal: nominal))
            ended[Run(id: id, nominal: nominal)] = nil
        case .begin(let id, _, let token):
            guard case .window(_, let window, _) = machine.entry(id)?.kind else { return }
            if token == nil || token != rotation?.currentToken(of: window) {
                faults.append("\(id) runs without its token")
            }
        case .stop, .wake, .fault, .clockStepped: break
        }
    }

    private mutating func tell(_ actions: [WindowRotation.Action]) {
        for action in actions {
            switch action {
            case .persist(let state, _): rotationState = state
            case .grant(let window, let token, _):
                _ = machine.react(to: .windowOpened(rotation: "market", window: window, token: token))
            case .cutOff(let window, _, _), .revoke(let window, _):
                _ = machine.react(to: .windowClosed(rotation: "market", window: window))
            case .planExpired(let error): faults.append("\(error)")
            case .warm, .extend, .cancel, .checkpoint, .late: break
            }
        }
    }

    /// Ticks until nothing is left to do at once.
    mutating func settle() {
        for _ in 0..<200 {
            tell(rotation?.react(to: .tick(now: now)) ?? [])
            let actions = peek()
            guard hear(.tick(now: now, steady: steady)) else { continue }
            if !actions { return }
        }
        faults.append("the machine does not come to rest")
    }

    /// Whether a tick now would ask for another at once.
    private func peek() -> Bool {
        var copy = machine
        for case .wake(let instant) in copy.react(to: .tick(now: now, steady: steady)) {
            return instant <= now
        }
        return false
    }

    /// One thing of all that may happen.
    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<55: pass(.seconds(Int64.random(in: 0...1_500, using: &random)))
        case 55..<58: pass(.seconds(Int64.random(in: 0...40_000, using: &random)))
        case 58..<64: now = now - .seconds(Int64.random(in: 0...10_000, using: &random))
        case 64..<66: now = now + .seconds(Int64.random(in: 0...40_000, using: &random))
        case 66..<88: endOne()
        case 88..<91: restart()
        case 91..<94: byHand()
        default:
            let id = plan.entries.randomElement(using: &random)?.id ?? ""
            hear(chance(2) ? .paused(id: id, note: "held") : .resumed(id: id))
        }
        settle()
    }

    private mutating func pass(_ duration: Duration) {
        now = now + duration
        steady += duration
    }

    private mutating func endOne() {
        let open = jobs.sorted { ($0.id, $0.nominal) < ($1.id, $1.nominal) }
        guard let run = open.randomElement(using: &random) else { return }
        if ended[run] == nil { ended[run] = chance(4) ? .failed : .succeeded }
        hear(.finished(id: run.id, nominal: run.nominal, ended[run] ?? .succeeded))
    }

    private mutating func byHand() {
        guard let entry = plan.entries.randomElement(using: &random) else { return }
        if case .window = entry.kind { return }
        let missed = (store.rows[entry.id] ?? [:]).values.filter {
            $0.decision.mayBeBackfilled
        }.map(\.decision.nominal).sorted().suffix(3)
        if chance(2) {
            hear(.backfilled(id: entry.id, times: Array(missed), now: now))
        } else {
            var nominal = now
            while machine.isPlanned(nominal, entry.id) || store.rows[entry.id]?[nominal] != nil {
                nominal = nominal + .nanoseconds(1)
            }
            hear(.triggered(id: entry.id, nominal: nominal, now: now))
        }
    }

    /// Lets everything that is under way come to its end.
    mutating func finish() {
        for entry in plan.entries { hear(.resumed(id: entry.id)) }
        for _ in 0..<5_000 {
            settle()
            guard let run = jobs.min(by: { ($0.id, $0.nominal) < ($1.id, $1.nominal) }) else { return }
            if ended[run] == nil { ended[run] = .succeeded }
            hear(.finished(id: run.id, nominal: run.nominal, ended[run] ?? .succeeded))
        }
        faults.append("what waits does not come to its end")
    }

    /// Compares the ledger with the times that the plan has.
    mutating func audit() throws {
        for entry in plan.entries {
            guard let from = first[entry.id], let mark = store.states[entry.id]?.mark else { continue }
            let rows = store.rows[entry.id] ?? [:]
            var planned = 0
            var cursor = from
            while let next = try plan.next(of: entry, after: cursor), next.instant <= mark {
                planned += 1
                cursor = next.instant
                guard let decision = rows[next.instant]?.decision else {
                    faults.append("\(entry.id) has lost \(next.instant.rfc3339)")
                    continue
                }
                if case .coalesced(let into) = decision.verdict, into <= next.instant || rows[into] == nil {
                    faults.append("\(entry.id): \(next.instant.rfc3339) is coalesced into nothing")
                }
                if next.isExcluded, decision.verdict != .skipped(.excluded), decision.cause != .backfill {
                    faults.append("\(entry.id) runs what is excluded")
                }
            }
            let triggered = rows.values.count { $0.decision.cause == .trigger }
            if rows.count != planned + triggered { faults.append("\(entry.id) has times of its own making") }
        }
    }
}

extension ScheduleDecision {
    fileprivate var mayBeBackfilled: Bool {
        switch verdict {
        case .run, .waiting: false
        case .skipped, .missed, .coalesced: cause != .trigger
        }
    }
}
