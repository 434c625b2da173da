import FunctionCore
import Scheduling
import Testing

@Suite("EverySchedule", .timeLimit(.minutes(1)))
struct EveryScheduleTests {
    @Test(
        "an interval is read in days, hours, minutes and seconds",
        arguments: [
            ("15s", 15), ("5m", 300), ("1h", 3_600), ("1h30m", 5_400), ("1d", 86_400), ("90m", 5_400),
            ("1d2h3m4s", 93_784), ("366d", 31_622_400),
        ]
    )
    func parsing(text: String, seconds: Int) throws {
        #expect(try EverySchedule.interval(parsing: text) == .seconds(seconds))
    }

    @Test(
        "what is no interval, or none from a second to 366 days, is refused",
        arguments: [
            "", "0s", "5", "m", "5m5", "5x", "30m1h", "5m5m", "-5m", "+5m", "1.5h", "5 m", "367d", "١s",
            "99999999999999999999999s", "5M", "500ms", "0h",
        ]
    )
    func refusals(text: String) {
        let error = #expect(throws: SchedulingError.self) { try EverySchedule.interval(parsing: text) }
        #expect(error?.code == .intervalInvalid)
    }

    @Test("nominal times are the anchor's multiples, whenever it is asked")
    func multiples() {
        let anchor = at("2026-11-20T14:30:07Z")
        let schedule = EverySchedule(interval: .seconds(900), anchor: anchor)
        #expect(schedule.next(after: at("2020-01-01T00:00:00Z")) == anchor)
        #expect(schedule.next(after: anchor - .nanoseconds(1)) == anchor)
        #expect(schedule.next(after: anchor) == anchor + .seconds(900))
        #expect(schedule.next(after: anchor + .seconds(899)) == anchor + .seconds(900))
        #expect(schedule.next(after: anchor + .seconds(9_000)) == anchor + .seconds(9_900))
        let hourly = EverySchedule(interval: .seconds(3_600))
        #expect(hourly.next(after: at("2026-11-01T05:59:59.5Z")) == at("2026-11-01T06:00:00Z"))
    }

    @Test("an interval ends quietly at the end of time")
    func endOfRange() {
        let schedule = EverySchedule(interval: .seconds(60), anchor: Instant(nanoseconds: .min))
        #expect(schedule.next(after: Instant(nanoseconds: .max)) == nil)
        #expect(schedule.next(after: Instant(nanoseconds: .max - 1)) == nil)
        #expect(EverySchedule(interval: .seconds(60)).next(after: Instant(nanoseconds: .max)) == nil)
    }
}
