import FunctionCore
import Scheduling
import Testing

@Suite("Calendars put together", .timeLimit(.minutes(1)))
struct CalendarExpressionTests {
    private static let newYork = Result { try Market.xnys(2026...2026) }

    /// London's year 2026.
    private static let london = Result {
        let time = { (text: String) in try #require(SessionTime(parsing: text)) }
        let days = ["01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"]
        let halfDays = ["12-24", "12-31"]
        return try MarketCalendar(
            rules: CalendarRules(
                name: "LONDON",
                zone: "Europe/London",
                years: 2026...2026,
                hours: [.init(open: time("08:00"), close: time("16:30"))],
                holidays: [
                    .init(
                        name: "",
                        day: DayRule(.dates(days.compactMap { CivilDate(parsing: "2026-" + $0) }))
                    )
                ],
                earlyCloses: [
                    .init(
                        name: "",
                        day: DayRule(.dates(halfDays.compactMap { CivilDate(parsing: "2026-" + $0) })),
                        time: time("12:30")
                    )
                ]
            ),
            zone: .load("Europe/London")
        )
    }

    private func calendar(_ name: String) throws(SchedulingError) -> MarketCalendar {
        do {
            return try (name == "XNYS" ? Self.newYork : Self.london).get()
        } catch {
            throw SchedulingError(.calendarInvalid, "\(error)")
        }
    }

    private let both: [CalendarExpression] = [.market("XNYS", while: .open), .market("LONDON", while: .open)]

    @Test("New York and London trade together for two hours, three in the weeks between their clock changes")
    func overlap() throws {
        let spans = try CalendarExpression.allOf(both).spans(calendar).spans
        let lengths = Dictionary(grouping: spans) {
            Int(($0.upperBound - $0.lowerBound).components.seconds) / 3_600
        }
        #expect(lengths.mapValues(\.count) == [2: 225, 3: 20])
        for day in ["2026-12-24", "2026-12-31"] {
            #expect(!spans.contains { $0.lowerBound.rfc3339.hasPrefix(day) })
        }
    }

    @Test("any, all and none of markets agree with each market at every quarter of an hour")
    func agreement() throws {
        let any = try CalendarExpression.anyOf(both).spans(calendar)
        let all = try CalendarExpression.allOf(both).spans(calendar)
        let none = try CalendarExpression.noneOf(both).spans(calendar)
        let (newYork, london) = try (calendar("XNYS"), calendar("LONDON"))
        func holds(_ spans: TimeSpans, _ instant: Instant) -> Bool {
            spans.spans.contains { $0.contains(instant) }
        }
        var instant = at("2026-10-20T00:00:00Z")
        while instant < at("2026-11-10T00:00:00Z") {
            let (left, right) = try (newYork.isOpen(at: instant), london.isOpen(at: instant))
            #expect(holds(any, instant) == (left || right))
            #expect(holds(all, instant) == (left && right))
            #expect(holds(none, instant) == !(left || right))
            instant = instant + .seconds(900)
        }
        #expect(none.inverted == any)
        #expect(any.covered == at("2026-01-01T05:00:00Z")..<at("2027-01-01T00:00:00Z"))
    }

    @Test("what is put together is a calendar of its own, with a session for each span")
    func composed() throws {
        let spans = try CalendarExpression.anyOf(both).spans(calendar)
        let calendar = try MarketCalendar(
            name: "both",
            version: "",
            spans: spans,
            zone: calendar("XNYS").zone
        )
        let session = try calendar.session(atOrAfter: at("2026-11-20T12:00:00Z"))
        #expect(session.open == at("2026-11-20T08:00:00Z") && session.close == at("2026-11-20T21:00:00Z"))
        #expect(session.date.description == "2026-11-20")
        #expect(try calendar.phase(at: at("2026-11-20T12:00:00Z")) == .regular)
        let error = #expect(throws: SchedulingError.self) {
            try calendar.isOpen(at: at("2027-01-04T12:00:00Z"))
        }
        #expect(error?.code == .calendarExpired)
    }

    @Test("an empty list of markets is refused")
    func empty() {
        #expect(throws: SchedulingError.self) { try CalendarExpression.anyOf([]).spans(calendar) }
    }
}
