import FunctionCore
import Scheduling
import Testing

@Suite("Phases of a calendar", .timeLimit(.minutes(1)))
struct CalendarPhaseTests {
    private static func time(_ text: String) -> SessionTime {
        guard let time = SessionTime(parsing: text) else { preconditionFailure("\(text) is no time") }
        return time
    }

    private static func date(_ text: String) -> CivilDate {
        guard let date = CivilDate(parsing: text) else { preconditionFailure("\(text) is no date") }
        return date
    }

    /// Tokyo's hours, a half day without an afternoon, and phases around.
    private func tokyo(_ overrides: [DayOverride] = []) throws -> MarketCalendar {
        typealias Phases = CalendarPhaseTests
        let pause = CalendarRules.Pause(start: Phases.time("11:30"), end: Phases.time("12:30"))
        let longer = CalendarRules.Hours(
            from: Phases.date("2026-11-05"),
            open: Phases.time("09:00"),
            close: Phases.time("15:30"),
            pause: pause
        )
        let rules = CalendarRules(
            name: "TOKYO",
            zone: "Asia/Tokyo",
            years: 2026...2026,
            hours: [.init(open: Phases.time("09:00"), close: Phases.time("15:00"), pause: pause), longer],
            earlyCloses: [
                .init(name: "", day: DayRule(.dates([Phases.date("2026-12-30")])), time: Phases.time("11:30"))
            ],
            phases: [
                PhaseRule(.pre, start: .time(Phases.time("08:00")), end: .open(.zero)),
                PhaseRule(.post, start: .close(.zero), end: .close(.seconds(3_600))),
                PhaseRule(
                    .overnight,
                    start: .time(Phases.time("17:00")),
                    end: .time(Phases.time("08:30+1d"))
                ),
            ]
        )
        return try MarketCalendar(rules: rules, zone: .load("Asia/Tokyo"), overrides: overrides)
    }

    /// New York's trading day as a futures market has it.
    private func chicago() throws -> MarketCalendar {
        let rules = CalendarRules(
            name: "CHICAGO",
            zone: "America/Chicago",
            years: 2026...2026,
            hours: [
                .init(open: CalendarPhaseTests.time("17:00-1d"), close: CalendarPhaseTests.time("17:00"))
            ],
            phases: [PhaseRule(.overnight, start: .open(.zero), end: .time(CalendarPhaseTests.time("08:30")))]
        )
        return try MarketCalendar(rules: rules, zone: .load("America/Chicago"))
    }

    @Test(
        "each instant has one phase or none",
        arguments: [
            ("2026-11-04T08:29", "overnight"), ("2026-11-04T08:30", "pre"), ("2026-11-04T09:00", "regular"),
            ("2026-11-04T11:30", "lunch"),
            ("2026-11-04T12:30", "regular"), ("2026-11-04T15:00", "post"), ("2026-11-04T16:00", "closed"),
            ("2026-11-04T17:00", "overnight"), ("2026-11-05T08:29", "overnight"), ("2026-11-05T08:30", "pre"),
            ("2026-11-05T15:00", "regular"), ("2026-11-05T15:30", "post"), ("2026-12-30T11:30", "post"),
            ("2026-12-30T12:45", "closed"), ("2026-11-07T08:00", "overnight"), ("2026-11-07T09:00", "closed"),
        ]
    )
    func phases(time: String, phase: String) throws {
        let calendar = try tokyo()
        let instant = calendar.zone.instant(of: wall(time))
        #expect(try calendar.phase(at: instant)?.rawValue ?? "closed" == phase)
    }

    @Test(
        "the list of phases is sorted and disjoint, and the earlier session's phase ends the later one's begin"
    )
    func list() throws {
        for calendar in try [tokyo(), chicago()] {
            let spans = calendar.phaseSpans
            #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.end <= $1.start })
            #expect(spans.allSatisfy { $0.start < $0.end })
            let regular = spans.filter { $0.phase == .regular || $0.phase == .overnight }
            #expect(Set(regular.map(\.session)).count == calendar.sessions.count)
        }
    }

    @Test("a pause is neither open nor closed, and closed holds before and after the session")
    func conditions() throws {
        let calendar = try tokyo()
        let noon = calendar.zone.instant(of: wall("2026-11-04T12:00"))
        let evening = calendar.zone.instant(of: wall("2026-11-04T18:00"))
        func holds(_ condition: PhaseCondition, _ instant: Instant) -> Bool {
            calendar.spans(while: condition).spans.contains { $0.contains(instant) }
        }
        #expect(try !calendar.isOpen(at: noon))
        #expect(!holds(.open, noon) && !holds(.closed, noon) && holds(.phases([.lunch]), noon))
        #expect(holds(.closed, evening) && holds(.phases([.overnight]), evening))
        let joined = calendar.spans(while: .phases([.pre, .regular]))
        #expect(joined.spans.first?.lowerBound == calendar.zone.instant(of: wall("2026-01-01T08:00")))
        #expect(joined.spans.first?.upperBound == calendar.zone.instant(of: wall("2026-01-01T11:30")))
    }

    @Test("a session that opens on the day before bears the later date, and summer time moves its open")
    func label() throws {
        let calendar = try chicago()
        let monday = try #require(try calendar.session(on: CalendarPhaseTests.date("2026-03-09")))
        #expect(monday.open == at("2026-03-08T22:00:00Z") && monday.close == at("2026-03-09T22:00:00Z"))
        let friday = try #require(try calendar.session(on: CalendarPhaseTests.date("2026-03-06")))
        #expect(friday.open == at("2026-03-05T23:00:00Z") && friday.close == at("2026-03-06T23:00:00Z"))
        #expect(try calendar.phase(at: at("2026-03-09T13:29:59Z")) == .overnight)
        #expect(try calendar.phase(at: at("2026-03-09T13:30:00Z")) == .regular)
        // Whether Thursday evening belongs to 2027's first session the data does not tell.
        #expect(throws: SchedulingError.self) { try calendar.isOpen(at: at("2026-12-31T23:30:00Z")) }
    }

    @Test("a day's override closes it or changes its hours, and one without a session is a fault")
    func overrides() throws {
        let day = CalendarPhaseTests.date("2026-11-04")
        let closed = DayOverride(date: day, change: .closed, reason: "storm")
        #expect(try tokyo([closed]).session(on: day) == nil)
        let late = DayOverride.Change.hours(open: CalendarPhaseTests.time("12:45"), close: nil)
        let shortened = try tokyo([DayOverride(date: day, change: late, reason: "")]).session(on: day)
        #expect(shortened?.isLateOpen == true && shortened?.isEarlyClose == false && shortened?.pause == nil)
        let sunday = DayOverride(date: day.adding(days: 4), change: .closed, reason: "")
        let error = #expect(throws: SchedulingError.self) { try tokyo([sunday]) }
        #expect(error?.message.contains("2026-11-08") == true)
    }
}
