import FunctionCore
import Scheduling
import Testing

@Suite("ScheduleMachine", .timeLimit(.minutes(1)))
struct ScheduleMachineTests {
    private typealias Action = ScheduleMachine.Action

    private let start = at("2026-11-20T12:00:00Z")

    /// A machine with one entry that is due each minute and was last committed at `start`.
    private func machine(
        _ catchUp: ScheduleEntry.CatchUp = .latest,
        _ overlap: ScheduleEntry.Overlap = .skip
    ) throws -> ScheduleMachine {
        let every = EverySchedule(interval: .seconds(60))
        let entry = ScheduleEntry(
            id: "a",
            function: "motto",
            kind: .every(every),
            catchUp: catchUp,
            overlap: overlap
        )
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        _ = machine.react(to: .restored(lastCommitted: ["a": start], running: [:]))
        return machine
    }

    private func minute(_ number: Int) -> Instant { start + .seconds(Int64(number) * 60) }

    private func fire(_ number: Int) -> Action { .fire(id: "a", nominal: minute(number), token: nil) }

    private func skip(_ number: Int, _ reason: ScheduleMachine.SkipReason) -> Action {
        .skip(id: "a", nominal: minute(number), reason: reason)
    }

    private func commit(_ number: Int) -> Action { .commit(id: "a", nominal: minute(number)) }

    @Test("a time is fired when it comes, never before and never twice")
    func onTime() throws {
        var machine = try machine()
        #expect(machine.react(to: .tick(now: minute(1) - .nanoseconds(1))) == [.wake(at: minute(1))])
        #expect(machine.react(to: .tick(now: minute(1))) == [fire(1), commit(1), .wake(at: minute(2))])
        #expect(machine.react(to: .tick(now: minute(1))) == [.wake(at: minute(2))])
        #expect(machine.react(to: .finished(id: "a", nominal: minute(1))) == [])
        #expect(machine.react(to: .tick(now: minute(2))) == [fire(2), commit(2), .wake(at: minute(3))])
    }

    @Test("a new entry begins with its first tick, whose own instant counts")
    func newEntry() throws {
        let plan = try machine().plan
        var fresh = ScheduleMachine(plan: plan)
        let before = minute(5) - .nanoseconds(1)
        #expect(
            fresh.react(to: .tick(now: minute(5)))
                == [.commit(id: "a", nominal: before), fire(5), commit(5), .wake(at: minute(6))]
        )
    }

    @Test("of missed times the latest is run by default")
    func catchUpLatest() throws {
        var machine = try machine()
        let actions = machine.react(to: .tick(now: minute(4) + .seconds(30)))
        let skipped = (1...3).map { skip($0, .superseded) }
        #expect(actions == skipped + [fire(4), commit(4), .wake(at: minute(5))])
    }

    @Test("without catching up only a time that is hardly late is run")
    func catchUpNone() throws {
        let hourly = EverySchedule(interval: .seconds(3_600))
        let entry = ScheduleEntry(id: "a", function: "motto", kind: .every(hourly), catchUp: .none)
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        _ = machine.react(to: .restored(lastCommitted: ["a": start], running: [:]))
        let punctual = machine.react(to: .tick(now: minute(60) + ScheduleMachine.punctuality))
        #expect(punctual == [fire(60), commit(60), .wake(at: minute(120))])
        let late = machine.react(to: .tick(now: minute(180) + ScheduleMachine.punctuality + .nanoseconds(1)))
        #expect(late == [skip(120, .missed), skip(180, .missed), commit(180), .wake(at: minute(240))])
    }

    @Test("a backlog is run in its order, one after another, up to its limit")
    func catchUpAll() throws {
        var machine = try machine(.all(max: 2))
        let first = machine.react(to: .tick(now: minute(4)))
        #expect(
            first == [skip(1, .catchUpLimit), skip(2, .catchUpLimit), fire(3), commit(3)],
            "no wake: it waits"
        )
        #expect(machine.react(to: .tick(now: minute(4))) == [])
        _ = machine.react(to: .finished(id: "a", nominal: minute(3)))
        #expect(machine.react(to: .tick(now: minute(4))) == [fire(4), commit(4), .wake(at: minute(5))])
        var parallel = try self.machine(.all(max: 3), .allow)
        let actions = parallel.react(to: .tick(now: minute(4)))
        #expect(
            actions == [skip(1, .catchUpLimit), fire(2), fire(3), fire(4), commit(4), .wake(at: minute(5))]
        )
    }

    @Test("a time that comes while an earlier run is on is skipped or allowed, as the entry says")
    func overlap() throws {
        var skipping = try machine()
        _ = skipping.react(to: .tick(now: minute(1)))
        #expect(
            skipping.react(to: .tick(now: minute(2))) == [skip(2, .overlap), commit(2), .wake(at: minute(3))]
        )
        var allowing = try machine(.latest, .allow)
        _ = allowing.react(to: .tick(now: minute(1)))
        #expect(allowing.react(to: .tick(now: minute(2))) == [fire(2), commit(2), .wake(at: minute(3))])
        #expect(allowing.running("a") == [minute(1), minute(2)])
    }

    @Test("a run that the journal holds as unfinished still counts after a restart")
    func runningOverRestart() throws {
        var machine = try machine()
        _ = machine.react(to: .restored(lastCommitted: ["a": minute(1)], running: ["a": [minute(1)]]))
        #expect(
            machine.react(to: .tick(now: minute(2))) == [skip(2, .overlap), commit(2), .wake(at: minute(3))]
        )
    }

    @Test("a clock that steps backwards fires nothing a second time")
    func backwards() throws {
        var machine = try machine()
        _ = machine.react(to: .tick(now: minute(10)))
        _ = machine.react(to: .finished(id: "a", nominal: minute(10)))
        for back in [9, 5, 1, -1_000, 10] {
            #expect(machine.react(to: .tick(now: minute(back))) == [.wake(at: minute(11))])
        }
    }

    @Test("a year of missed minutes is decided a thousand at a time, each exactly once")
    func longBacklog() throws {
        var machine = try machine(.all(max: 5), .allow)
        let now = minute(12_345)
        var verdicts: [Instant] = []
        var fired: [Instant] = []
        var passes = 0
        while passes < 100 {
            let actions = machine.react(to: .tick(now: now))
            passes += 1
            var wake: Instant?
            for action in actions {
                switch action {
                case .skip(_, let nominal, _): verdicts.append(nominal)
                case .fire(_, let nominal, _):
                    verdicts.append(nominal)
                    fired.append(nominal)
                case .wake(let instant): wake = instant
                case .commit(_, let nominal): #expect(nominal == verdicts.last)
                case .fault(_, let error): Issue.record("\(error)")
                }
            }
            #expect(actions.count <= ScheduleMachine.passLimit + 7)
            if let wake, wake > now { break }
        }
        #expect(passes == 13)
        #expect(verdicts == (1...12_345).map { minute($0) })
        #expect(fired == (12_341...12_345).map { minute($0) })
    }

    @Test("a new plan keeps what is known of entries with the same id")
    func replanned() throws {
        var machine = try machine()
        _ = machine.react(to: .tick(now: minute(1)))
        let slower = ScheduleEntry(
            id: "a",
            function: "motto",
            kind: .every(EverySchedule(interval: .seconds(120)))
        )
        _ = machine.react(to: .replanned(try SchedulePlan(entries: [slower])))
        #expect(machine.react(to: .tick(now: minute(1))) == [.wake(at: minute(2))])
        #expect(machine.running("a") == [minute(1)])
    }

    @Test("an entry of a window fires with its token while the window is open, and only then")
    func windows() throws {
        let kind = ScheduleEntry.Kind.window(rotation: "market", window: "trading", every: .seconds(3_600))
        let entry = ScheduleEntry(id: "a", function: "trading", kind: kind)
        var machine = ScheduleMachine(
            plan: try SchedulePlan(entries: [entry], rotations: [Market.rotation()])
        )
        _ = machine.react(to: .restored(lastCommitted: ["a": at("2026-11-27T12:00:00Z")], running: [:]))
        let open = at("2026-11-27T14:30:00Z")
        let close = at("2026-11-27T17:55:00Z")
        // Due, but held until the window is granted.
        #expect(machine.react(to: .tick(now: open)) == [.wake(at: close)])
        _ = machine.react(to: .windowOpened(rotation: "market", window: "trading", token: 7))
        let next = open + .seconds(3_600)
        #expect(
            machine.react(to: .tick(now: open + .seconds(9)))
                == [
                    .fire(id: "a", nominal: open, token: 7), .commit(id: "a", nominal: open), .wake(at: next),
                ]
        )
        _ = machine.react(to: .finished(id: "a", nominal: open))
        _ = machine.react(to: .windowClosed(rotation: "market", window: "trading"))
        // The half day ends at 17:55; what was held until then is over.
        let monday = at("2026-11-30T14:30:00Z")
        let missed = (1...3).map { open + .seconds(Int64($0) * 3_600) }
        #expect(
            machine.react(to: .tick(now: close))
                == missed.map { .skip(id: "a", nominal: $0, reason: .windowClosed) }
                + [.commit(id: "a", nominal: missed[2]), .wake(at: monday)]
        )
    }

    @Test("an entry whose calendar has ended is told once and leaves the others alone")
    func expiredCalendar() throws {
        let kind = ScheduleEntry.Kind.window(rotation: "market", window: "trading", every: nil)
        let entries = [
            ScheduleEntry(id: "a", function: "motto", kind: .every(EverySchedule(interval: .seconds(60)))),
            ScheduleEntry(id: "b", function: "trading", kind: kind),
        ]
        var machine = ScheduleMachine(
            plan: try SchedulePlan(entries: entries, rotations: [Market.rotation()])
        )
        let now = at("2029-02-01T00:00:30Z")
        _ = machine.react(to: .restored(lastCommitted: ["a": now, "b": now], running: [:]))
        let actions = machine.react(to: .tick(now: now))
        #expect(actions.count == 2)
        guard case .fault(id: "b", let error) = actions[0] else {
            Issue.record("\(actions)")
            return
        }
        #expect(error.code == .calendarExpired)
        #expect(machine.react(to: .tick(now: now)) == [.wake(at: at("2029-02-01T00:01:00Z"))])
    }
}
