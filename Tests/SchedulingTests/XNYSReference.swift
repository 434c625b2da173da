import FunctionCore
import Scheduling
import Testing

/// The New York Stock Exchange's days as rules: an account apart from the data file, which must agree with
/// it.
///
/// The rules hold for 1990 to 2030, as far as they can be known today.
enum XNYSReference {
    /// Closures no rule foresees: funerals of presidents, attacks, storms.
    private static let adHocClosures: [(String, String)] = [
        ("1994-04-27", "National day of mourning"),
        ("2001-09-11", "September 11 attacks"), ("2001-09-12", "September 11 attacks"),
        ("2001-09-13", "September 11 attacks"), ("2001-09-14", "September 11 attacks"),
        ("2004-06-11", "National day of mourning"), ("2007-01-02", "National day of mourning"),
        ("2012-10-29", "Hurricane Sandy"), ("2012-10-30", "Hurricane Sandy"),
        ("2018-12-05", "National day of mourning"), ("2025-01-09", "National day of mourning"),
    ]

    static func holidays(in year: Int) -> [CalendarRules.Holiday] {
        var days: [(CivilDate?, String)] = []
        let newYear = date(year, 1, 1)
        // On a Saturday it is not made up for: the year's books close on the last trading day before.
        if newYear.weekday != 6 { days.append((nearestWeekday(newYear), "New Year's Day")) }
        if year >= 1998 { days.append((nth(3, 1, of: 1, year), "Martin Luther King Jr. Day")) }
        days.append((nth(3, 1, of: 2, year), "Washington's Birthday"))
        days.append((easter(year).adding(days: -2), "Good Friday"))
        days.append((last(1, of: 5, year), "Memorial Day"))
        if year >= 2022 {
            days.append((nearestWeekday(date(year, 6, 19)), "Juneteenth National Independence Day"))
        }
        days.append((nearestWeekday(date(year, 7, 4)), "Independence Day"))
        days.append((nth(1, 1, of: 9, year), "Labor Day"))
        days.append((nth(4, 4, of: 11, year), "Thanksgiving Day"))
        days.append((nearestWeekday(date(year, 12, 25)), "Christmas Day"))
        days += adHocClosures.map { (CivilDate(parsing: $0.0), $0.1) }.filter { $0.0?.year == year }
        return days.compactMap { day, name in day.map { .init(date: $0, name: name) } }
            .sorted { $0.date < $1.date }
    }

    static func earlyCloses(in year: Int) -> [CalendarRules.SpecialTime] {
        let closed = Set(holidays(in: year).map(\.date))
        var days: [(CivilDate, String)] = []
        let thirdOfJuly = date(year, 7, 3)
        let isHalfDay =
            switch thirdOfJuly.weekday {
            case 1, 2, 4: year >= 1995
            case 3: year >= 2013
            default: false
            }
        if isHalfDay { days.append((thirdOfJuly, "Day before Independence Day")) }
        let fifthOfJuly = date(year, 7, 5)
        if 1995...2012 ~= year, fifthOfJuly.weekday == 5 {
            days.append((fifthOfJuly, "Day after Independence Day"))
        }
        if year >= 1992 { days.append((nth(4, 4, of: 11, year).adding(days: 1), "Day after Thanksgiving")) }
        let christmasEve = date(year, 12, 24)
        if 1...4 ~= christmasEve.weekday { days.append((christmasEve, "Christmas Eve")) }
        days += [date(1997, 12, 26), date(1999, 12, 31), date(2003, 12, 26)].filter { $0.year == year }
            .map { ($0, "By announcement") }
        return days.filter { !closed.contains($0.0) }.sorted { $0.0 < $1.0 }.compactMap { day, name in
            TimeOfDay(year < 1993 ? 14 : 13, 0).map { .init(date: day, close: $0, name: name) }
        }
    }

    static func rules(years: ClosedRange<Int>) throws -> CalendarRules {
        try CalendarRules(
            name: "XNYS",
            zone: "America/New_York",
            open: #require(TimeOfDay(9, 30)),
            close: #require(TimeOfDay(16, 0)),
            holidays: years.flatMap(holidays),
            earlyCloses: years.flatMap(earlyCloses),
            years: years
        )
    }

    private static func date(_ year: Int, _ month: Int, _ day: Int) -> CivilDate {
        guard let date = CivilDate(year, month, day) else { preconditionFailure("no such day in \(month)") }
        return date
    }

    /// Saturday is observed on the Friday before, Sunday on the Monday after.
    private static func nearestWeekday(_ date: CivilDate) -> CivilDate {
        switch date.weekday {
        case 6: date.adding(days: -1)
        case 0: date.adding(days: 1)
        default: date
        }
    }

    private static func nth(_ count: Int, _ weekday: Int, of month: Int, _ year: Int) -> CivilDate {
        let first = date(year, month, 1)
        return first.adding(days: (weekday - first.weekday + 7) % 7 + (count - 1) * 7)
    }

    private static func last(_ weekday: Int, of month: Int, _ year: Int) -> CivilDate {
        let end = date(year, month, Gregorian.days(inMonth: month, of: year))
        return end.adding(days: -((end.weekday - weekday + 7) % 7))
    }

    /// Easter Sunday, by way of the ecclesiastical full moon.
    private static func easter(_ year: Int) -> CivilDate {
        let golden = year % 19
        let century = year / 100
        let epact = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30
        let moon = epact - (epact / 28) * (1 - (29 / (epact + 1)) * ((21 - golden) / 11))
        let weekday = (year + year / 4 + moon + 2 - century + century / 4) % 7
        let sunday = moon - weekday
        let month = 3 + (sunday + 40) / 44
        return date(year, month, sunday + 28 - 31 * (month / 4))
    }
}
