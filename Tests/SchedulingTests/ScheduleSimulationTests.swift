import FunctionCore
import Scheduling
import Testing

@Suite("ScheduleSimulation", .timeLimit(.minutes(5)))
struct ScheduleSimulationTests {
    private func plan() throws -> SchedulePlan {
        let window = { (name: String, seconds: Int64) in
            ScheduleEntry(
                id: name,
                function: name,
                kind: .window(rotation: "market", window: name, every: .seconds(seconds)),
                catchUp: .latest
            )
        }
        let daily = ScheduleEntry.Kind.cron(try CronExpression("0 12 * * *"), zone: .utc)
        return try SchedulePlan(
            entries: [
                window("trading", 60), window("learning", 3_600),
                ScheduleEntry(id: "daily", function: "motto", kind: daily),
            ],
            rotations: [Market.rotation()]
        )
    }

    @Test("a year has every minute of trading and every hour of learning, and a window at a time")
    func year() throws {
        var simulation = ScheduleSimulation(
            plan: try plan(),
            from: at("2026-01-01T00:00:00Z"),
            to: at("2026-12-31T23:59:59Z")
        )
        var runs: [String: Int] = [:]
        var others: [String] = []
        var open: String?
        var opened = 0
        simulation.run { now, event in
            switch event {
            case .decided(let decision):
                if decision.verdict == .run {
                    runs[decision.id, default: 0] += 1
                    if decision.id != "daily" { #expect(open == decision.id) }
                } else {
                    others.append("\(decision)")
                }
            case .windowOpens(_, let window, _):
                #expect(open == nil, "\(now.rfc3339)")
                open = window
                opened += 1
            case .windowCutOff: break
            case .windowCloses(_, let window, _):
                #expect(open == window)
                open = nil
            case .hostDown, .hostUp, .fault: others.append("\(event)")
            }
        }
        // 251 sessions of 2026, two of them half days, each without its last five minutes.
        #expect(runs["trading"] == 249 * 385 + 2 * 205)
        #expect(runs["daily"] == 365)
        #expect(others == [])
        #expect(opened > 500)
    }

    @Test("while the host is down nothing happens, and what it missed is accounted for when it is back")
    func down() throws {
        let start = at("2026-11-25T15:00:00Z")
        let end = at("2026-11-25T16:30:00Z")
        var simulation = ScheduleSimulation(
            plan: try plan(),
            from: at("2026-11-25T14:00:00Z"),
            to: at("2026-11-25T17:00:00Z"),
            down: [start..<end]
        )
        var verdicts: [String: Int] = [:]
        var tokens: [UInt64] = []
        simulation.run { now, event in
            #expect(!(start..<end).contains(now) || now == start)
            switch event {
            case .decided(let decision) where decision.id == "trading":
                verdicts[decision.verdict.name, default: 0] += 1
            case .windowOpens(_, "trading", let token): tokens.append(token)
            default: break
            }
        }
        // 30 minutes before, 90 in the gap of which the last is run, 30 after and the end's own minute.
        #expect(verdicts == ["run": 61, "coalesced": 90])
        #expect(tokens.count == 2 && tokens[0] < tokens[1])
    }

    @Test("windows of the same name in two rotations end each with its own runs")
    func sameNames() throws {
        let other = try RotationPlan(
            id: "other",
            calendar: Market.xnys(),
            windows: [
                RotationWindow(
                    name: "trading",
                    from: SessionEdge(.open),
                    to: SessionEdge(.open, .seconds(3_600))
                )
            ]
        )
        let entries = ["market", "other"].map { id in
            let kind = ScheduleEntry.Kind.window(rotation: id, window: "trading", every: .seconds(3_600))
            return ScheduleEntry(id: "\(id).trading", function: id, kind: kind)
        }
        var simulation = ScheduleSimulation(
            plan: try SchedulePlan(entries: entries, rotations: [Market.rotation(), other]),
            from: at("2026-11-25T14:00:00Z"),
            to: at("2026-11-25T22:00:00Z"),
            runTime: .seconds(1_800)
        )
        var closed: [String: Instant] = [:]
        simulation.run { now, event in
            if case .windowCloses(let rotation, "trading", _) = event { closed[rotation] = now }
        }
        // The other's ends at half past, and nothing of it runs then; the market's last run ends at its hard stop.
        #expect(closed["other"] == at("2026-11-25T15:30:00Z"))
        #expect(closed["market"] == at("2026-11-25T20:57:00Z"))
    }

    @Test("a run that takes longer than its interval meets the overlap policy")
    func slowRuns() throws {
        let every = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(60)))
        let policy = SchedulePolicy(overlap: .skip)
        let entry = ScheduleEntry(id: "a", function: "f", kind: every, policy: policy)
        var simulation = ScheduleSimulation(
            plan: try SchedulePlan(entries: [entry]),
            from: at("2026-11-25T00:00:00Z"),
            to: at("2026-11-25T01:00:00Z"),
            runTime: .seconds(90)
        )
        var verdicts: [String: Int] = [:]
        simulation.run { _, event in
            if case .decided(let decision) = event { verdicts[decision.verdict.name, default: 0] += 1 }
        }
        #expect(verdicts == ["run": 31, "skipped": 30])
    }
}
