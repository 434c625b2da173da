/// A market's hours, holidays and early closes, as its data file lists them.
///
/// The dates are explicit: exchanges close on days no rule foresees, and what a file lists can be read,
/// checked against the exchange's own notice, and corrected without a new program.
package struct CalendarRules: Sendable, Hashable {
    /// A day that ends before the regular close.
    package struct EarlyClose: Sendable, Hashable {
        package let date: CivilDate
        package let close: TimeOfDay
        package let name: String

        package init(date: CivilDate, close: TimeOfDay, name: String) {
            self.date = date
            self.close = close
            self.name = name
        }
    }

    /// A weekday on which the market does not open.
    package struct Holiday: Sendable, Hashable {
        package let date: CivilDate
        package let name: String

        package init(date: CivilDate, name: String) {
            self.date = date
            self.name = name
        }
    }

    /// The market's identifier code, such as `XNYS`.
    package let name: String
    /// The zone its hours are given in.
    package let zone: String
    /// Regular hours, Monday to Friday.
    package let open: TimeOfDay
    package let close: TimeOfDay
    package let holidays: [Holiday]
    package let earlyCloses: [EarlyClose]
    /// The years the lists are complete for; beyond them the calendar refuses to answer.
    package let years: ClosedRange<Int>

    package init(
        name: String,
        zone: String,
        open: TimeOfDay,
        close: TimeOfDay,
        holidays: [Holiday],
        earlyCloses: [EarlyClose],
        years: ClosedRange<Int>
    ) {
        self.name = name
        self.zone = zone
        self.open = open
        self.close = close
        self.holidays = holidays
        self.earlyCloses = earlyCloses
        self.years = years
    }

    /// All that contradicts itself in the data, each with its remedy; empty if it is sound.
    package func problems() -> [String] {
        var problems: [String] = []
        if years.lowerBound < 1900 || years.upperBound > 2199 || years.count > 200 {
            problems.append(
                "years: \(years.lowerBound) to \(years.upperBound) leave 1900 to 2199: narrow them"
            )
        }
        if open >= close {
            problems.append("close: \(close) is not after the open, \(open): correct one of them")
        }
        for (field, dates) in [("holidays", holidays.map(\.date)), ("earlyCloses", earlyCloses.map(\.date))] {
            var seen: Set<CivilDate> = []
            for date in dates {
                if !seen.insert(date).inserted {
                    problems.append("\(field): \(date) is listed twice: remove one")
                }
                if !years.contains(date.year) {
                    problems.append(
                        "\(field): \(date) lies outside the years \(years.lowerBound) to "
                            + "\(years.upperBound): widen the years or remove it"
                    )
                }
                if date.weekday == 0 || date.weekday == 6 {
                    problems.append(
                        "\(field): \(date) falls on a weekend, when the market is closed: remove it"
                    )
                }
            }
        }
        let closed = Set(holidays.map(\.date))
        for day in earlyCloses {
            if closed.contains(day.date) {
                problems.append("earlyCloses: \(day.date) is a holiday too: remove it from one of the lists")
            }
            if day.close <= open || day.close >= close {
                problems.append(
                    "earlyCloses: \(day.date) closes at \(day.close): write a time within \(open)-\(close)"
                )
            }
        }
        return problems
    }
}
