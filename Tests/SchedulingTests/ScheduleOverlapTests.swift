import FunctionCore
import Scheduling
import Testing

@Suite("Schedules that overlap, end, pause, and are asked", .timeLimit(.minutes(1)))
struct ScheduleOverlapTests {
    private func stand(_ overlap: SchedulePolicy.Overlap) throws -> ScheduleStand {
        var stand = try ScheduleStand(SchedulePolicy(overlap: overlap))
        _ = stand.tick(1)
        return stand
    }

    @Test("skip and allow do what they say")
    func skipAndAllow() throws {
        var skipping = try stand(.skip)
        #expect(skipping.tick(2) == ["2 skipped overlap", "wake 3"])
        var allowing = try stand(.allow)
        #expect(allowing.tick(2) == ["2 run", "wake 3"])
        #expect(allowing.machine.running("a").count == 2)
    }

    @Test("one waits, and a later one takes its place")
    func bufferOne() throws {
        var stand = try stand(.bufferOne)
        #expect(stand.tick(2) == ["2 waiting", "wake 3"])
        #expect(stand.tick(3) == ["2 coalesced 3", "3 waiting", "wake 4"])
        stand.restart()
        #expect(stand.finish(1, at: 3.5) == ["3 run", "wake 4"])
        #expect(stand.ledger == ["1 run", "2 coalesced 3", "3 run"])
    }

    @Test("all wait, a thousand of them, over a restart; what is more is missed")
    func bufferAll() throws {
        var stand = try stand(.bufferAll)
        for number in 2...1_001 {
            #expect(stand.tick(Double(number)).first == "\(number) waiting")
        }
        #expect(stand.tick(1_002) == ["1002 missed buffer_full", "wake 1003"])
        stand.restart()
        #expect(stand.machine.waiting("a").count == ScheduleMachine.bufferLimit)
        #expect(stand.finish(1, at: 1_002.5) == ["2 run", "wake 1003"])
        #expect(stand.finish(2, at: 1_002.5) == ["3 run", "wake 1003"])
    }

    @Test("the other run is cancelled first, and told so once, also by the next host")
    func cancelOther() throws {
        var stand = try stand(.cancelOther)
        #expect(stand.tick(2) == ["2 waiting", "stop 1", "wake 3"])
        #expect(stand.tick(3) == ["2 coalesced 3", "3 waiting", "wake 4"])
        stand.restart()
        #expect(stand.tick(3.5) == ["stop 1", "wake 4"])
        #expect(stand.finish(1, .cancelled, at: 3.5) == ["3 run", "wake 4"])
    }

    @Test("the other run is terminated and the new one begins at once")
    func terminateOther() throws {
        var stand = try stand(.terminateOther)
        #expect(stand.tick(2) == ["stop 1", "2 run", "wake 3"])
        #expect(stand.finish(1, .cancelled, at: 2.5) == ["wake 3"])
        #expect(stand.machine.running("a") == [ScheduleStand.minute(2)])
    }

    @Test("a run that would begin after its deadline is missed, also one that has waited for it")
    func deadline() throws {
        let policy = SchedulePolicy(catchUp: .all(max: 5), overlap: .bufferAll, deadline: .seconds(90))
        var stand = try ScheduleStand(policy)
        #expect(
            stand.tick(4) == [
                "1 missed deadline (catch_up)", "2 missed deadline (catch_up)", "3 run", "4 waiting",
                "wake 5",
            ]
        )
        _ = stand.tick(5)
        #expect(stand.tick(5.5) == ["wake 5:30"], "just beyond the nanosecond it is too late")
        #expect(
            stand.hear(.tick(now: ScheduleStand.minute(5.5) + .nanoseconds(1))).first == "4 missed deadline"
        )
    }

    @Test("while it is paused its times are skipped; what waited goes on when it is resumed")
    func pausing() throws {
        var stand = try stand(.bufferOne)
        _ = stand.tick(2)
        #expect(stand.hear(.paused(id: "a", note: "the exchange is down")) == [])
        #expect(stand.tick(3) == ["3 skipped paused", "wake 4"])
        stand.restart()
        #expect(stand.machine.state(of: "a")?.pause == "the exchange is down")
        #expect(stand.finish(1, at: 3.5) == ["wake 4"])
        _ = stand.hear(.resumed(id: "a"))
        #expect(stand.tick(3.5) == ["2 run", "wake 4"])
    }

    @Test("so many failures in a row pause it; a success between them does not count them together")
    func pauseOnFailure() throws {
        var stand = try ScheduleStand(SchedulePolicy(pauseOnFailure: 2))
        for (number, end) in [
            (1.0, ScheduleMachine.RunEnd.failed), (2, .succeeded), (3, .failed), (4, .failed),
        ] {
            #expect(stand.tick(number).first == "\(Int(number)) run")
            _ = stand.finish(number, end, at: number)
        }
        #expect(stand.tick(5) == ["5 skipped paused", "wake 6"])
        #expect(stand.store.states["a"]?.pause == "2 runs in a row failed")
        _ = stand.hear(.resumed(id: "a"))
        #expect(stand.tick(6) == ["6 run", "wake 7"])
    }

    @Test("after its last run all are skipped for its limit, over a restart too")
    func remaining() throws {
        var stand = try ScheduleStand(SchedulePolicy(overlap: .allow, remaining: 2))
        for number in 1...2 { #expect(stand.tick(Double(number)).first == "\(number) run") }
        stand.restart()
        #expect(stand.tick(3) == ["3 skipped limit", "wake 4"])
    }

    @Test("excluded times and those outside start and end have their say")
    func limits() throws {
        let cron = try CronExpression("2-3 12 * * *")
        let limits = ScheduleLimits(
            start: ScheduleStand.minute(2),
            end: ScheduleStand.minute(5),
            exclusions: [.cron(cron, zone: .utc)]
        )
        var stand = try ScheduleStand(limits: limits)
        for number in 0...7 { _ = stand.tick(Double(number)) }
        #expect(stand.ledger == ["2 skipped excluded", "3 skipped excluded", "4 run", "5 skipped overlap"])
        let day = CivilDate(2026, 11, 20).map { [$0] } ?? []
        var dated = try ScheduleStand(limits: ScheduleLimits(exclusions: [.dates(Set(day), zone: .utc)]))
        #expect(dated.tick(1) == ["1 skipped excluded", "wake 2"])
        let holidays = ScheduleLimits.Exclusion.calendar(try Market.xnys(), sessions: false)
        var market = try ScheduleStand(limits: ScheduleLimits(exclusions: [holidays]))
        #expect(market.tick(1) == ["1 run", "wake 2"])
        // Saturday.
        while market.tick(1_440).last != "wake 1441" {}
        #expect(market.ledger.last == "1440 skipped excluded")
    }

    @Test("a run by hand has a time of its own, and the overlap policy holds for it")
    func trigger() throws {
        var stand = try ScheduleStand()
        let (half, more) = (ScheduleStand.minute(0.5), ScheduleStand.minute(0.75))
        #expect(stand.hear(.triggered(id: "a", nominal: half, now: half)) == ["0:30 run (trigger)"])
        #expect(
            stand.hear(.triggered(id: "a", nominal: more, now: more)) == ["0:45 skipped overlap (trigger)"]
        )
        #expect(stand.tick(1) == ["1 skipped overlap", "wake 2"])
        #expect(stand.hear(.triggered(id: "nobody", nominal: half, now: half)) == [])
    }

    @Test("a backfill runs what was not run, one after another, and nothing a second time")
    func backfill() throws {
        var stand = try ScheduleStand()
        _ = stand.tick(3)
        #expect(stand.ledger == ["1 coalesced 3 (catch_up)", "2 coalesced 3", "3 run"])
        let times = [-1.0, 1, 2, 3].map { ScheduleStand.minute($0) }
        let lines = stand.hear(.backfilled(id: "a", times: times, now: ScheduleStand.minute(3.5)))
        #expect(lines == ["-1 waiting (backfill)", "1 waiting (backfill)", "2 waiting (backfill)"])
        stand.restart()
        #expect(stand.finish(3, at: 3.5) == ["-1 run (backfill)", "wake 4"])
        #expect(stand.finish(-1, at: 3.5) == ["1 run (backfill)", "wake 4"])
        #expect(stand.finish(1, at: 3.5) == ["2 run (backfill)", "wake 4"])
        #expect(stand.finish(2, at: 4) == ["4 run", "wake 5"])
    }
}
