import FunctionCore
import Scheduling
import Testing

@Suite("SessionSchedule", .timeLimit(.minutes(1)))
struct SessionScheduleTests {
    private func times(
        _ time: SessionSchedule.Time,
        _ selection: SessionSchedule.Selection = .all,
        after start: String,
        count: Int
    ) throws -> [String] {
        let schedule = SessionSchedule(calendar: try Market.xnys(), time: time, selection: selection)
        var cursor = at(start)
        return try (0..<count).map { _ in
            cursor = try schedule.next(after: cursor).instant
            return cursor.rfc3339
        }
    }

    @Test("so long after the open and before the close, over a holiday and an early close")
    func edges() throws {
        #expect(
            try times(.at(SessionEdge(parsing: "open+5m")), after: "2026-11-25T14:35:00Z", count: 2)
                == ["2026-11-27T14:35:00Z", "2026-11-30T14:35:00Z"]
        )
        #expect(
            try times(.at(SessionEdge(parsing: "close-10m")), after: "2026-11-25T00:00:00Z", count: 3)
                == ["2026-11-25T20:50:00Z", "2026-11-27T17:50:00Z", "2026-11-30T20:50:00Z"]
        )
    }

    @Test("again and again while it is open, and not at the close")
    func whileOpen() throws {
        let minute = SessionSchedule.Time.every(
            .seconds(60),
            from: SessionEdge(.open),
            until: SessionEdge(.close)
        )
        let schedule = SessionSchedule(calendar: try Market.xnys(), time: minute)
        var cursor = at("2026-11-27T00:00:00Z")
        var count = 0
        while cursor < at("2026-11-28T00:00:00Z") {
            let next = try schedule.next(after: cursor)
            cursor = next.instant
            if cursor < at("2026-11-28T00:00:00Z") {
                count += 1
                #expect(next.closes == at("2026-11-27T18:00:00Z"))
            }
        }
        // The half day has three and a half hours.
        #expect(count == 210)
        #expect(cursor == at("2026-11-30T14:30:00Z"))
    }

    @Test(
        "sessions are chosen by their number in the month and the week, and by holidays",
        arguments: [
            ("first of month", ["2026-11-02", "2026-12-01"]),
            ("3 of month", ["2026-11-04", "2026-12-03"]),
            ("last of month", ["2026-10-30", "2026-11-30"]),
            ("-2 of month", ["2026-10-29", "2026-11-27"]),
            ("last of week", ["2026-10-30", "2026-11-06", "2026-11-13"]),
            ("first of week", ["2026-11-02", "2026-11-09"]),
            ("before holiday", ["2026-11-25", "2026-12-24", "2026-12-31"]),
            ("after holiday", ["2026-11-27", "2026-12-28", "2027-01-04"]),
        ]
    )
    func selections(text: String, dates: [String]) throws {
        let selection = try #require(SessionSchedule.Selection(parsing: text))
        #expect(SessionSchedule.Selection(parsing: selection.description) == selection)
        let found = try times(
            .at(SessionEdge(.open)),
            selection,
            after: "2026-10-29T00:00:00Z",
            count: dates.count
        )
        #expect(found.map { String($0.prefix(10)) } == dates)
    }

    @Test(
        "what names no sessions is refused",
        arguments: ["", "month", "0 of month", "8 of week", "x of week"]
    )
    func refusals(text: String) {
        #expect(SessionSchedule.Selection(parsing: text) == nil)
    }

    @Test("where the calendar ends, so does the answer, loudly")
    func expired() throws {
        let error = #expect(throws: SchedulingError.self) {
            _ = try times(.at(SessionEdge(.open)), after: "2028-12-29T23:00:00Z", count: 1)
        }
        #expect(error?.code == .calendarExpired)
    }
}
