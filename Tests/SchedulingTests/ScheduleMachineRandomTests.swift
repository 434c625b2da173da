import FunctionCore
import Scheduling
import Testing

/// Random ticks, runs, windows and restarts against what must always hold.
@Suite("ScheduleMachine under random facts", .timeLimit(.minutes(1)))
struct ScheduleMachineRandomTests {
    /// A host in small: the machine, its rotation, and a journal that survives both.
    private struct Host {
        let plan: SchedulePlan
        var machine: ScheduleMachine
        var rotation: WindowRotation
        var rotationState = RotationState()
        var lastCommitted: [String: Instant] = [:]
        var firstCommitted: [String: Instant] = [:]
        var verdicts: [String: [Instant]] = [:]
        var running: [String: Set<Instant>] = [:]
        var fired = 0
        var now = at("2026-11-20T12:00:00Z")

        init(plan: SchedulePlan, rotation: RotationPlan) {
            self.plan = plan
            machine = ScheduleMachine(plan: plan)
            self.rotation = WindowRotation(plan: rotation)
        }

        mutating func restart() {
            machine = ScheduleMachine(plan: plan)
            rotation = WindowRotation(plan: rotation.plan)
            let runs = running.mapValues { Array($0) }
            _ = machine.react(to: .restored(lastCommitted: lastCommitted, running: runs))
            tell(rotation.react(to: .restored(rotationState, at: now)))
        }

        /// Passes on what the rotation does to its windows.
        mutating func tell(_ actions: [WindowRotation.Action]) {
            for action in actions {
                switch action {
                case .persist(let state, _): rotationState = state
                case .grant(let window, let token, _):
                    _ = machine.react(to: .windowOpened(rotation: "market", window: window, token: token))
                case .cutOff(let window, _, _), .revoke(let window, _):
                    _ = machine.react(to: .windowClosed(rotation: "market", window: window))
                case .planExpired(let error): Issue.record("\(error)")
                case .warm, .extend, .cancel, .checkpoint, .late: break
                }
            }
        }

        /// Ticks until nothing is left to do at once; a crash loses a reaction whole, as a transaction does.
        mutating func tick(crashing: Bool) {
            tell(rotation.react(to: .tick(now: now)))
            for pass in 0... {
                #expect(pass < 200, "the machine must come to rest")
                let actions = machine.react(to: .tick(now: now))
                if crashing || pass == 200 {
                    restart()
                    return
                }
                var isAtRest = true
                for action in actions {
                    if case .wake(let instant) = action { isAtRest = instant > now }
                    record(action)
                }
                check(actions)
                if isAtRest { return }
            }
        }

        private mutating func record(_ action: ScheduleMachine.Action) {
            switch action {
            case .fire(let id, let nominal, let token):
                verdict(id, nominal)
                running[id, default: []].insert(nominal)
                fired += 1
                guard let entry = plan.entries.first(where: { $0.id == id }) else { return }
                if entry.overlap == .skip { #expect(running[id]?.count == 1, "\(id) overlaps itself") }
                guard case .window(_, let window, _) = entry.kind else {
                    #expect(token == nil)
                    return
                }
                #expect(token != nil && token == rotation.currentToken(of: window))
                #expect(rotation.isValid(token: token ?? 0, at: now))
                let span = try? rotation.plan.span(at: now)
                #expect(span?.window == window && span.map { $0.opens <= nominal } == true)
            case .skip(let id, let nominal, _): verdict(id, nominal)
            case .commit(let id, let nominal):
                if firstCommitted[id] == nil { firstCommitted[id] = nominal }
                #expect(lastCommitted[id].map { $0 < nominal } ?? true)
                lastCommitted[id] = nominal
            case .wake: break
            case .fault(_, let error): Issue.record("\(error)")
            }
        }

        private mutating func verdict(_ id: String, _ nominal: Instant) {
            #expect(nominal <= now, "\(id) is early")
            #expect(
                verdicts[id]?.last.map { $0 < nominal } ?? true,
                "\(id) has a second verdict at \(nominal)"
            )
            verdicts[id, default: []].append(nominal)
        }

        private func check(_ actions: [ScheduleMachine.Action]) {
            var fires: [String: Int] = [:]
            for case .fire(let id, _, _) in actions { fires[id, default: 0] += 1 }
            for entry in plan.entries {
                var limit = 1
                if case .all(let max) = entry.catchUp { limit = max }
                #expect(fires[entry.id] ?? 0 <= limit)
            }
        }
    }

    @Test("every nominal time gets exactly one verdict, in its order and never early", arguments: 1...3)
    func invariants(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let rotation = try Market.rotation()
        var host = Host(plan: try plan(rotation), rotation: rotation)
        host.restart()
        for _ in 0..<4_000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<55: host.now = host.now + .seconds(Int64.random(in: 0...1_500, using: &random))
            case 55..<57: host.now = host.now + .seconds(Int64.random(in: 0...100_000, using: &random))
            case 57..<64: host.now = host.now - .seconds(Int64.random(in: 0...10_000, using: &random))
            case 64..<94:
                let ids = host.running.filter { !$0.value.isEmpty }.keys.sorted()
                if let id = ids.randomElement(using: &random), let run = host.running[id]?.min() {
                    host.running[id]?.remove(run)
                    _ = host.machine.react(to: .finished(id: id, nominal: run))
                }
            case 94..<97: host.restart()
            default:
                if let holder = host.rotation.state.holder {
                    let (window, token) = (holder.window, holder.token)
                    host.tell(host.rotation.react(to: .drained(window: window, token: token, at: host.now)))
                }
            }
            host.tick(crashing: Int.random(in: 0..<60, using: &random) == 0)
        }
        #expect(host.fired > 1_000)
        for entry in host.plan.entries {
            let first = try #require(host.firstCommitted[entry.id])
            let last = try #require(host.lastCommitted[entry.id])
            var expected: [Instant] = []
            var cursor = first
            while let next = try host.plan.next(of: entry, after: cursor), next.instant <= last {
                expected.append(next.instant)
                cursor = next.instant
            }
            #expect(host.verdicts[entry.id] == expected, "\(entry.id): the ledger has holes")
        }
    }

    private func plan(_ rotation: RotationPlan) throws -> SchedulePlan {
        let cron = ScheduleEntry.Kind.cron(
            try CronExpression("*/20 * * * *"),
            zone: try .load("America/New_York")
        )
        let every = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(300)))
        func window(_ name: String, _ seconds: Int64?) -> ScheduleEntry.Kind {
            .window(rotation: "market", window: name, every: seconds.map { .seconds($0) })
        }
        return try SchedulePlan(
            entries: [
                ScheduleEntry(id: "latest", function: "f", kind: every),
                ScheduleEntry(id: "none", function: "f", kind: every, catchUp: .none, overlap: .allow),
                ScheduleEntry(id: "all", function: "f", kind: every, catchUp: .all(max: 4)),
                ScheduleEntry(
                    id: "parallel",
                    function: "f",
                    kind: cron,
                    catchUp: .all(max: 9),
                    overlap: .allow
                ),
                ScheduleEntry(id: "cron", function: "f", kind: cron),
                ScheduleEntry(id: "trade", function: "f", kind: window("trading", 900)),
                ScheduleEntry(
                    id: "tradeAll",
                    function: "f",
                    kind: window("trading", 600),
                    catchUp: .all(max: 3)
                ),
                ScheduleEntry(id: "learn", function: "f", kind: window("learning", nil)),
            ],
            rotations: [rotation]
        )
    }
}
