import FunctionCore
import Scheduling
import Testing

@Suite("ScheduleMachine", .timeLimit(.minutes(1)))
struct ScheduleMachineTests {
    private static let start = ScheduleStand.start

    private func minute(_ number: Double) -> Instant { ScheduleStand.minute(number) }

    @Test("a time is run when it comes, never before and never twice")
    func onTime() throws {
        var stand = try ScheduleStand()
        #expect(stand.hear(.tick(now: minute(1) - .nanoseconds(1))) == ["wake 1"])
        #expect(stand.tick(1) == ["1 run", "wake 2"])
        #expect(stand.tick(1) == ["wake 2"])
        #expect(stand.finish(1, at: 1) == ["wake 2"])
        #expect(stand.tick(2) == ["2 run", "wake 3"])
    }

    @Test("a new entry begins with its first tick, whose own instant counts")
    func newEntry() throws {
        let entry = try ScheduleStand().plan.entries[0]
        var fresh = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        let actions = fresh.react(to: .tick(now: minute(5)))
        #expect(actions.contains(.begin(id: "a", nominal: minute(5), token: nil)))
        #expect(fresh.state(of: "a")?.mark == minute(5))
        #expect(actions.last == .wake(at: minute(6)))
    }

    @Test("of missed times the latest is run by default, and stands for the others")
    func catchUpLatest() throws {
        var stand = try ScheduleStand()
        #expect(
            stand.tick(3.5) == [
                "1 coalesced 3 (catch_up)", "2 coalesced 3 (catch_up)", "3 run", "wake 4",
            ]
        )
    }

    @Test("without catching up only a time that is hardly late is run")
    func catchUpNone() throws {
        var stand = try ScheduleStand(SchedulePolicy(catchUp: .none))
        #expect(
            stand.hear(.tick(now: minute(2) + ScheduleMachine.punctuality - .nanoseconds(1))) == [
                "1 missed catch_up_none (catch_up)", "2 run", "wake 3",
            ]
        )
        let hourly = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(3_600)))
        let entry = ScheduleEntry(id: "a", function: "motto", kind: hourly, catchUp: .none)
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        _ = machine.react(to: .tick(now: minute(0.5)))
        let late = machine.react(to: .tick(now: minute(61) + .nanoseconds(1)))
        guard case .decide(let decision) = late.first else {
            Issue.record("\(late)")
            return
        }
        #expect(decision.verdict == .missed(.catchUpNone) && decision.nominal == minute(60))
    }

    @Test("a backlog is run in its order, one after another, up to its limit")
    func catchUpAll() throws {
        var stand = try ScheduleStand(SchedulePolicy(catchUp: .all(max: 2)))
        #expect(
            stand.tick(4) == [
                "1 missed catch_up_limit (catch_up)", "2 missed catch_up_limit (catch_up)", "3 run",
                "4 waiting", "wake 5",
            ]
        )
        #expect(stand.finish(3, at: 4) == ["4 run", "wake 5"])
        #expect(stand.tick(5) == ["5 skipped overlap", "wake 6"], "what comes in time is no backlog")
        var parallel = try ScheduleStand(SchedulePolicy(catchUp: .all(max: 3), overlap: .allow))
        #expect(
            parallel.tick(4) == [
                "1 missed catch_up_limit (catch_up)", "2 run (catch_up)", "3 run", "4 run", "wake 5",
            ]
        )
    }

    @Test("a run that the store holds as unfinished still counts after a restart")
    func runningOverRestart() throws {
        var stand = try ScheduleStand()
        _ = stand.tick(1)
        stand.restart()
        #expect(stand.tick(2) == ["2 skipped overlap", "wake 3"])
        #expect(stand.finish(1, at: 2) == ["wake 3"])
        stand.restart()
        #expect(stand.tick(3) == ["3 run", "wake 4"])
    }

    @Test("a clock that steps backwards begins nothing a second time")
    func backwards() throws {
        var stand = try ScheduleStand()
        _ = stand.tick(10)
        _ = stand.finish(10, at: 10)
        for back in [9.0, 5, 1, -1_000, 10] { #expect(stand.tick(back) == ["wake 11"]) }
    }

    @Test("a clock put forward over more than three hours is told, and what it passed says so")
    func forwards() throws {
        var stand = try ScheduleStand()
        _ = stand.hear(.tick(now: minute(0.5), steady: .seconds(30)))
        let far = stand.hear(.tick(now: minute(241), steady: .seconds(31)))
        #expect(far.first == "clock stepped" && far.last == "wake 242")
        #expect(far.dropFirst().dropLast().allSatisfy { $0.hasSuffix("(clock_step)") })
        #expect(far.contains("241 run (clock_step)"))
        // An hour, and the passing of time itself, are no steps.
        #expect(stand.hear(.tick(now: minute(301), steady: .seconds(31))).first != "clock stepped")
        #expect(stand.hear(.tick(now: minute(901), steady: .seconds(36_031))).first != "clock stepped")
    }

    @Test("a suspend of any length is none of the clock's steps, also where a step comes with it")
    func suspended() throws {
        for hours in [1.0, 8, 1_000] {
            var stand = try ScheduleStand()
            _ = stand.hear(.tick(now: minute(0.5), steady: .seconds(30)))
            // Asleep: the wall clock and the steady one have gone on together.
            let now = 0.5 + hours * 60
            let steady = Duration.seconds(30 + Int64(hours * 3_600))
            var told = stand.hear(.tick(now: minute(now), steady: steady))
            while told.last == "wake \(Int(now)):30" {
                told += stand.hear(.tick(now: minute(now), steady: steady))
            }
            #expect(!told.contains("clock stepped"))
            #expect(stand.ledger.dropLast().allSatisfy { $0.hasSuffix("(catch_up)") }, "\(hours)")
            #expect(stand.ledger.count == Int(now))
            // Four hours of step within eight of sleep are seen.
            let far = stand.hear(.tick(now: minute(now + 720), steady: steady + .seconds(8 * 3_600)))
            #expect(far.first == "clock stepped")
        }
    }

    @Test("a year of missed minutes is decided a thousand at a time, each exactly once")
    func longBacklog() throws {
        for (policy, runs) in [(SchedulePolicy.CatchUp.all(max: 5), 5), (.latest, 1), (.none, 1)] {
            var stand = try ScheduleStand(SchedulePolicy(catchUp: policy, overlap: .allow))
            var passes = 0
            while stand.tick(12_345).last != "wake 12346", passes < 100 { passes += 1 }
            #expect(passes == 12)
            let rows = stand.store.rows["a"] ?? [:]
            #expect(rows.keys.sorted() == (1...12_345).map { minute(Double($0)) })
            #expect(rows.values.count { $0.decision.verdict == .run } == runs)
            #expect(rows[minute(12_345)]?.decision.verdict == .run)
            if policy == .latest {
                #expect(rows[minute(7)]?.decision.verdict == .coalesced(into: minute(12_345)))
            }
        }
    }

    @Test("a new plan keeps what is known of entries with the same id, and counts from then on")
    func replanned() throws {
        var stand = try ScheduleStand()
        _ = stand.tick(1)
        let slower = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(120)))
        let entry = ScheduleEntry(id: "a", function: "motto", kind: slower)
        _ = stand.machine.react(to: .replanned(try SchedulePlan(entries: [entry])))
        #expect(stand.machine.running("a") == [minute(1)])
        #expect(stand.tick(1) == ["wake 2"])
        // What a restart finds under another definition is not measured by it.
        stand.machine = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        let old = ScheduleState(mark: minute(1), revision: entry.revision ^ 1, runs: 7)
        _ = stand.machine.react(to: .restored(["a": StoredSchedule(state: old)]))
        #expect(stand.tick(100) == ["100 run", "wake 102"])
        #expect(stand.machine.state(of: "a")?.runs == 8)
    }

    @Test("a thousand that are due at one instant begin 64 at a time, in their order, each once")
    func atOnce() throws {
        let entries = (0..<1_000).map { number in
            let every = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(60)))
            return ScheduleEntry(id: "s\(number)", function: "motto", kind: every)
        }
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: entries))
        _ = machine.react(to: .tick(now: minute(0.5)))
        var begun: [String] = []
        for tick in 1...16 {
            let actions = machine.react(to: .tick(now: minute(1)))
            let some = actions.compactMap { if case .begin(let id, _, _) = $0 { id } else { nil } }
            #expect(some.count == (tick < 16 ? 64 : 40))
            #expect(actions.last == .wake(at: minute(tick < 16 ? 1 : 2)))
            begun += some
        }
        #expect(begun == entries.map(\.id))
    }

    @Test("only entries that are due or were heard of are looked at, however many there are")
    func looks() throws {
        let entries = (0..<2_000).map { number in
            let anchor = minute(Double(number))
            return ScheduleEntry(
                id: "s\(number)",
                function: "motto",
                kind: .every(EverySchedule(interval: .seconds(86_400 * 30), anchor: anchor))
            )
        }
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: entries))
        _ = machine.react(to: .tick(now: minute(-1)))
        for number in 0..<2_000 {
            let actions = machine.react(to: .tick(now: minute(Double(number))))
            #expect(actions.count == 4, "\(number)")
            #expect(actions.contains(.begin(id: "s\(number)", nominal: minute(Double(number)), token: nil)))
        }
    }
}
