import Scheduling
import Testing

@Suite("DayRule", .timeLimit(.minutes(1)))
struct DayRuleTests {
    /// The closed weekdays of a year by rules, as `MM-DD`.
    private func closed(_ year: Int, _ rules: [DayRule]) throws -> [String] {
        let calendar = try MarketCalendar(
            rules: CalendarRules(
                name: "TEST",
                zone: "UTC",
                years: year...year,
                hours: [
                    .init(
                        open: #require(SessionTime(parsing: "09:00")),
                        close: #require(SessionTime(parsing: "17:00"))
                    )
                ],
                holidays: rules.map { .init(name: "", day: $0) }
            ),
            zone: .utc
        )
        let open = Set(calendar.sessions.map(\.date))
        let first = try #require(CivilDate(year, 1, 1))
        return (0..<365).map { first.adding(days: $0) }
            .filter { (1...5).contains($0.weekday) && !open.contains($0) }
            .map { String($0.description.dropFirst(5)) }
    }

    private func rule(_ text: String, _ observance: DayRule.Observance = .none) throws -> DayRule {
        let (anchor, offset) = try #require(DayRule.Anchor.parse(text))
        return DayRule(anchor, offset: offset, observance: observance)
    }

    @Test(
        "a rule's text gives its day",
        arguments: [
            ("12-25", 2026, "12-25"), ("3rd mon jan", 2026, "01-19"), ("last mon may", 2027, "05-31"),
            ("4th thu nov", 2026, "11-26"), ("4th thu nov+1", 2026, "11-27"), ("easter-2", 2026, "04-03"),
            ("easter+1", 2038, "04-26"), ("easter+50", 2007, "05-28"), ("mon before 05-25", 2026, "05-18"),
            ("mon before 05-25", 2027, "05-24"), ("1st mon sep", 2025, "09-01"), ("02-29", 2028, "02-29"),
        ]
    )
    func texts(text: String, year: Int, day: String) throws {
        #expect(try closed(year, [rule(text)]) == [day])
    }

    @Test("a text that is no rule is refused")
    func refused() {
        for text in [
            "", "13-01", "5th mon jan", "3rd mon", "easter-99", "mon after 05-25", "3rd day jan", "12-25-1",
        ] {
            #expect(DayRule.Anchor.parse(text) == nil, "\(text)")
        }
    }

    @Test("Easter is where the church's tables have it, the earliest and latest of the years included")
    func easter() throws {
        let sundays = [
            1990: "04-16", 2000: "04-24", 2008: "03-24", 2011: "04-25", 2019: "04-22", 2024: "04-01",
            2025: "04-21", 2035: "03-26", 2038: "04-26", 2040: "04-02",
        ]
        for (year, monday) in sundays { #expect(try closed(year, [rule("easter+1")]) == [monday]) }
    }

    @Test(
        "what falls on a weekend is observed as the rule says",
        arguments: [
            // 2026-07-04 is a Saturday, 2027-07-04 a Sunday.
            (DayRule.Observance.none, [], []),
            (.nearestWeekday, ["07-03"], ["07-05"]),
            (.nextMonday, ["07-06"], ["07-05"]),
            (.sundayToMonday, [], ["07-05"]),
            (.nextFree, ["07-06"], ["07-05"]),
            (.sundayToNextFree, [], ["07-05"]),
            (.previousWeekday, ["07-03"], ["07-02"]),
        ] as [(DayRule.Observance, [String], [String])]
    )
    func observance(observance: DayRule.Observance, saturday: [String], sunday: [String]) throws {
        #expect(try closed(2026, [rule("07-04", observance)]) == saturday)
        #expect(try closed(2027, [rule("07-04", observance)]) == sunday)
    }

    @Test("what moves to the next free day passes over holidays that stay")
    func nextFree() throws {
        let christmas = try [rule("12-25", .nextFree), rule("12-26", .nextFree)]
        // Saturday and Sunday; Sunday and Monday; both weekdays.
        #expect(try closed(2021, christmas) == ["12-27", "12-28"])
        #expect(try closed(2022, christmas) == ["12-26", "12-27"])
        #expect(try closed(2025, christmas) == ["12-25", "12-26"])
        let golden = try ["05-03", "05-04", "05-05"].map { try rule($0, .sundayToNextFree) }
        #expect(try closed(2026, golden) == ["05-04", "05-05", "05-06"])
    }

    @Test("a day may be observed in the year before, and a rule holds in its years only")
    func years() throws {
        #expect(try closed(2027, [rule("01-01", .nearestWeekday)]) == ["01-01", "12-31"])
        #expect(try closed(2026, [DayRule(.fixed(month: 6, day: 19), years: 2027...2030)]) == [])
        #expect(
            try closed(2028, [DayRule(.fixed(month: 6, day: 19), years: 2027...2030, except: [2028])]) == []
        )
        #expect(try closed(2028, [DayRule(.fixed(month: 6, day: 19), weekdays: [2])]) == [])
        #expect(try closed(2028, [DayRule(.fixed(month: 6, day: 19), weekdays: [1])]) == ["06-19"])
    }
}
