/// A market's hours, holidays and special times, as its data file tells them.
///
/// A file lists rules where there are rules and dates where days are decreed or were announced: what it says
/// can be read, checked against the exchange's own notice, and corrected without a new program.
package struct CalendarRules: Sendable, Hashable {
    /// The hours of a session, from a date on.
    package struct Hours: Sendable, Hashable {
        /// The first date they hold for; `nil` is from the beginning.
        package let from: CivilDate?
        package let open: SessionTime
        package let close: SessionTime
        /// The pause within, in which the market does not trade.
        package let pause: Pause?

        package init(from: CivilDate? = nil, open: SessionTime, close: SessionTime, pause: Pause? = nil) {
            self.from = from
            self.open = open
            self.close = close
            self.pause = pause
        }
    }

    /// A pause within a session.
    package struct Pause: Sendable, Hashable {
        package let start: SessionTime
        package let end: SessionTime

        package init(start: SessionTime, end: SessionTime) {
            self.start = start
            self.end = end
        }
    }

    /// The weekdays with a session, from a date on.
    package struct Week: Sendable, Hashable {
        package let from: CivilDate?
        /// 0 is Sunday.
        package let weekdays: Set<Int>

        package init(from: CivilDate? = nil, weekdays: Set<Int>) {
            self.from = from
            self.weekdays = weekdays
        }
    }

    /// Days on which the market does not open.
    package struct Holiday: Sendable, Hashable {
        package let name: String
        package let day: DayRule

        package init(name: String, day: DayRule) {
            self.name = name
            self.day = day
        }
    }

    /// Days on which the session ends before, or begins after, the regular time.
    package struct SpecialTime: Sendable, Hashable {
        package let name: String
        package let day: DayRule
        package let time: SessionTime

        package init(name: String, day: DayRule, time: SessionTime) {
            self.name = name
            self.day = day
            self.time = time
        }
    }

    /// The market's identifier code, such as `XNYS`.
    package let name: String
    /// Which edition of the data it is; changes with every correction.
    package let version: String
    /// Where the data is from.
    package let sources: [String]
    /// The zone its times are given in.
    package let zone: String
    /// The years it is complete for; beyond them the calendar refuses to answer.
    package let years: ClosedRange<Int>
    /// Ascending by their first date.
    package let weeks: [Week]
    /// Ascending by their first date.
    package let hours: [Hours]
    package let holidays: [Holiday]
    /// Where several fall on a day, one with dates goes before one with a rule, and then the earlier one.
    package let earlyCloses: [SpecialTime]
    package let lateOpens: [SpecialTime]
    package let phases: [PhaseRule]

    package init(
        name: String,
        version: String = "",
        sources: [String] = [],
        zone: String,
        years: ClosedRange<Int>,
        weeks: [Week] = [],
        hours: [Hours],
        holidays: [Holiday] = [],
        earlyCloses: [SpecialTime] = [],
        lateOpens: [SpecialTime] = [],
        phases: [PhaseRule] = []
    ) {
        self.name = name
        self.version = version
        self.sources = sources
        self.zone = zone
        self.years = years
        self.weeks = weeks
        self.hours = hours
        self.holidays = holidays
        self.earlyCloses = earlyCloses
        self.lateOpens = lateOpens
        self.phases = phases
    }

    /// The hours that hold on a date.
    func hours(on date: CivilDate) -> Hours {
        hours.last { $0.from.map { $0 <= date } ?? true } ?? hours[0]
    }

    /// The weekdays with a session in the week of a date.
    func weekdays(on date: CivilDate) -> Set<Int> {
        weeks.last { $0.from.map { $0 <= date } ?? true }?.weekdays ?? [1, 2, 3, 4, 5]
    }
}
