import FunctionCore
import Scheduling
import Testing

@Suite("MarketCalendar", .timeLimit(.minutes(1)))
struct MarketCalendarTests {
    @Test("forty-one years have as many sessions as the exchange held or announced")
    func sessionsPerYear() throws {
        let calendar = try Market.xnys(1990...2030)
        let expected = [
            253, 253, 254, 253, 252, 252, 254, 253, 252, 252, 252, 248, 252, 252, 252, 252, 251, 251, 253,
            252, 252,
            252, 250, 252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250, 251, 251, 251, 251,
            251,
        ]
        let byYear = Dictionary(grouping: calendar.sessions) { $0.date.year }
        #expect((1990...2030).map { byYear[$0]?.count ?? 0 } == expected)
        #expect(try XNYSReference.rules(years: 1990...2030).holidays.count == 375)
        #expect(calendar.sessions.count { $0.isEarlyClose } == 88)
    }

    @Test(
        "the days that trap a naive rule are right",
        arguments: [
            ("2025-01-09", "closed"), ("2026-07-03", "closed"), ("2026-07-02", "20:00"),
            ("2027-06-18", "closed"),
            ("2027-12-24", "closed"), ("2027-12-23", "21:00"), ("2027-12-31", "21:00"),
            ("2028-01-03", "21:00"),
            ("2026-11-26", "closed"), ("2026-11-27", "18:00"), ("2026-12-24", "18:00"),
            ("2025-07-03", "17:00"),
            ("2028-07-03", "17:00"), ("2026-11-28", "closed"), ("2027-07-05", "closed"),
            ("2027-07-02", "20:00"),
            ("2026-06-19", "closed"), ("2026-04-03", "closed"), ("2025-12-24", "18:00"),
            ("2028-02-29", "21:00"),
        ]
    )
    func traps(date: String, close: String) throws {
        let day = try #require(CivilDate(parsing: date))
        let session = try Market.xnys().session(on: day)
        #expect(session.map { String($0.close.rfc3339.dropFirst(11).prefix(5)) } ?? "closed" == close)
        #expect(session == nil || session?.isEarlyClose == (close == "18:00" || close == "17:00"))
    }

    @Test("sessions follow the clock of New York over a change to summer time")
    func summerTime() throws {
        let calendar = try Market.xnys()
        #expect(try calendar.nextOpen(after: at("2027-03-12T00:00:00Z")) == at("2027-03-12T14:30:00Z"))
        #expect(try calendar.nextOpen(after: at("2027-03-12T14:30:00Z")) == at("2027-03-15T13:30:00Z"))
        #expect(try calendar.nextClose(after: at("2026-11-26T12:00:00Z")) == at("2026-11-27T18:00:00Z"))
    }

    @Test("a session counts from its open on and ends with its close")
    func edges() throws {
        let calendar = try Market.xnys()
        #expect(try !calendar.isOpen(at: at("2026-11-20T14:29:59.999999999Z")))
        #expect(try calendar.isOpen(at: at("2026-11-20T14:30:00Z")))
        #expect(try calendar.isOpen(at: at("2026-11-20T20:59:59.999999999Z")))
        #expect(try !calendar.isOpen(at: at("2026-11-20T21:00:00Z")))
        let during = try calendar.session(atOrAfter: at("2026-11-20T15:00:00Z"))
        let after = try calendar.session(atOrAfter: at("2026-11-20T21:00:00Z"))
        #expect(during.date.description == "2026-11-20" && after.date.description == "2026-11-23")
    }

    @Test("a time outside the covered years is refused and never taken for closed")
    func expiry() throws {
        let calendar = try Market.xnys()
        let questions: [() throws -> Void] = [
            { _ = try calendar.isOpen(at: at("2029-01-02T15:00:00Z")) },
            { _ = try calendar.isOpen(at: at("2025-01-01T04:59:59Z")) },
            { _ = try calendar.nextOpen(after: at("2028-12-29T15:00:00Z")) },
            { _ = try calendar.nextClose(after: at("2028-12-29T21:00:00Z")) },
            { _ = try calendar.session(atOrAfter: at("2028-12-30T00:00:00Z")) },
            { _ = try calendar.session(on: try #require(CivilDate(2029, 1, 2))) },
        ]
        for question in questions {
            let error = #expect(throws: SchedulingError.self) { try question() }
            #expect(error?.code == .calendarExpired)
            #expect(error?.message.contains("2025 to 2028") == true)
        }
        #expect(try !calendar.isOpen(at: at("2028-12-31T15:00:00Z")))
    }

    @Test("data that contradicts itself is refused, with all of its faults at once")
    func contradictions() throws {
        let day = { (text: String) in try #require(CivilDate(parsing: text)) }
        let rules = CalendarRules(
            name: "TEST",
            zone: "America/New_York",
            open: try #require(TimeOfDay(9, 30)),
            close: try #require(TimeOfDay(16, 0)),
            holidays: [
                .init(date: try day("2026-12-25"), name: "a"), .init(date: try day("2026-12-25"), name: "b"),
                .init(date: try day("2026-11-28"), name: "c"), .init(date: try day("2030-01-01"), name: "d"),
            ],
            earlyCloses: [
                .init(date: try day("2026-12-25"), close: try #require(TimeOfDay(13, 0)), name: "e"),
                .init(date: try day("2026-12-24"), close: try #require(TimeOfDay(17, 0)), name: "f"),
            ],
            years: 2026...2026
        )
        #expect(rules.problems().count == 5)
        let error = #expect(throws: SchedulingError.self) { try MarketCalendar(rules: rules, zone: .utc) }
        #expect(error?.code == .calendarInvalid)
        for hint in [
            "twice", "weekend", "outside the years", "holiday too", "closes at 17:00", "load that zone",
        ] {
            #expect(error?.message.contains(hint) == true, "\(hint)")
        }
    }

    @Test("hours within a gap of the wall clock are a fault of the data")
    func hoursInGap() throws {
        let rules = CalendarRules(
            name: "NIGHT",
            zone: "Africa/Cairo",
            open: try #require(TimeOfDay(0, 30)),
            close: try #require(TimeOfDay(16, 0)),
            holidays: [],
            earlyCloses: [],
            years: 2026...2026
        )
        let error = #expect(throws: SchedulingError.self) {
            try MarketCalendar(rules: rules, zone: .load("Africa/Cairo"))
        }
        #expect(error?.message.contains("2026-04-24") == true)
    }

    @Test("dates and times of day are read in one form only")
    func forms() {
        for text in ["2026-2-03", "2026-02-30", "26-02-03", "2026/02/03", "2026-02-03 ", "+026-02-03", ""] {
            #expect(CivilDate(parsing: text) == nil)
        }
        for text in ["9:30", "24:00", "09:60", "0930", "09:30:60", "+9:30", "09:30:00:00", ""] {
            #expect(TimeOfDay(parsing: text) == nil)
        }
        #expect(TimeOfDay(parsing: "09:30:05")?.description == "09:30:05")
        #expect(CivilDate(parsing: "2026-02-03")?.weekday == 2)
        #expect(CivilDate(daysSinceEpoch: -1).description == "1969-12-31")
    }
}
