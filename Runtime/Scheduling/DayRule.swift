import FunctionCore

/// Which days a holiday or a special time falls on, year after year.
///
/// A rule gives one date a year: an anchor, some days added, and, where that falls on a weekend, the day on
/// which it is observed instead. What no rule foresees is a list of dates.
package struct DayRule: Sendable, Hashable {
    /// What a year's date is found from.
    ///
    /// Weekdays count from 0, Sunday.
    package enum Anchor: Sendable, Hashable {
        /// `12-25`
        case fixed(month: Int, day: Int)
        /// `3rd mon jan`, `last mon may` (-1)
        case nth(Int, weekday: Int, month: Int)
        /// `mon before 05-25`: the last such weekday earlier than the date.
        case before(weekday: Int, month: Int, day: Int)
        /// `easter`: Sunday, by the Gregorian reckoning.
        case easter
        /// Given one by one.
        case dates([CivilDate])
    }

    /// Where a date goes that falls on a weekend.
    package enum Observance: String, Sendable, Hashable, CaseIterable {
        /// It stays, and closes nothing.
        case none
        /// Saturday to the Friday before, Sunday to the Monday after.
        case nearestWeekday = "nearest-weekday"
        /// Saturday and Sunday to the Monday after.
        case nextMonday = "next-monday"
        /// Sunday to the Monday after; Saturday stays.
        case sundayToMonday = "sunday-to-monday"
        /// Saturday and Sunday to the next weekday that is no holiday of itself.
        case nextFree = "next-free"
        /// Sunday to the next weekday that is no holiday of itself; Saturday stays.
        case sundayToNextFree = "sunday-to-next-free"
        /// Saturday and Sunday to the Friday before.
        case previousWeekday = "previous-weekday"
    }

    package let anchor: Anchor
    package let offset: Int
    package let observance: Observance
    /// The years it is in force; `nil` is all.
    package let years: ClosedRange<Int>?
    /// Single years in which it is not.
    package let except: [Int]
    /// Only where the date, before it is moved, falls on one of these; `nil` is all.
    package let weekdays: Set<Int>?

    package init(
        _ anchor: Anchor,
        offset: Int = 0,
        observance: Observance = .none,
        years: ClosedRange<Int>? = nil,
        except: [Int] = [],
        weekdays: Set<Int>? = nil
    ) {
        self.anchor = anchor
        self.offset = offset
        self.observance = observance
        self.years = years
        self.except = except
        self.weekdays = weekdays
    }

    /// The dates of a year before any of them is moved off a weekend.
    func nominalDates(in year: Int) -> [CivilDate] {
        guard years?.contains(year) ?? true, !except.contains(year) else { return [] }
        return anchorDates(in: year).map { offset == 0 ? $0 : $0.adding(days: offset) }
            .filter { weekdays?.contains($0.weekday) ?? true }
    }

    private func anchorDates(in year: Int) -> [CivilDate] {
        switch anchor {
        case .fixed(let month, let day):
            return CivilDate(year, month, day).map { [$0] } ?? []
        case .nth(let count, let weekday, let month):
            let length = Gregorian.days(inMonth: month, of: year)
            guard count > 0, let first = CivilDate(year, month, 1) else {
                guard let last = CivilDate(year, month, length) else { return [] }
                return [last.adding(days: -((last.weekday - weekday + 7) % 7))]
            }
            let day = 1 + (weekday - first.weekday + 7) % 7 + (count - 1) * 7
            return CivilDate(year, month, day).map { [$0] } ?? []
        case .before(let weekday, let month, let day):
            guard let date = CivilDate(year, month, day) else { return [] }
            return [date.adding(days: -((date.weekday - weekday + 6) % 7 + 1))]
        case .easter:
            return [CivilDate.easter(year)]
        case .dates(let dates):
            return dates.filter { $0.year == year }
        }
    }

    /// Where a date is observed; `isTaken` tells the days that are holidays of themselves.
    func observed(_ date: CivilDate, isTaken: (CivilDate) -> Bool) -> CivilDate {
        let isSaturday = date.weekday == 6
        guard isSaturday || date.weekday == 0 else { return date }
        let monday = date.adding(days: isSaturday ? 2 : 1)
        let friday = date.adding(days: isSaturday ? -1 : -2)
        switch observance {
        case .none: return date
        case .nearestWeekday: return isSaturday ? friday : monday
        case .nextMonday: return monday
        case .sundayToMonday: return isSaturday ? date : monday
        case .previousWeekday: return friday
        case .sundayToNextFree where isSaturday: return date
        case .nextFree, .sundayToNextFree:
            var free = monday
            // A run of holidays is a few days; the bound is there for a file that closes every day.
            while isTaken(free) || !(1...5).contains(free.weekday), free < date.adding(days: 31) {
                free = free.adding(days: 1)
            }
            return free
        }
    }
}

extension DayRule {
    /// All days that rules give in the years, those of the years beside them that move into them included.
    static func days(of rules: [DayRule], in years: ClosedRange<Int>) -> [(rule: Int, date: CivilDate)] {
        var days: [(rule: Int, date: CivilDate)] = []
        var taken: Set<CivilDate> = []
        var moving: [(rule: Int, date: CivilDate)] = []
        for year in (years.lowerBound - 1)...(years.upperBound + 1) {
            for (index, rule) in rules.enumerated() {
                for date in rule.nominalDates(in: year) {
                    if date.weekday == 0 || date.weekday == 6, rule.observance != .none {
                        moving.append((index, date))
                    } else {
                        days.append((index, date))
                        taken.insert(date)
                    }
                }
            }
        }
        for (index, date) in moving {
            let observed = rules[index].observed(date) { taken.contains($0) }
            taken.insert(observed)
            days.append((index, observed))
        }
        return days.filter { years.contains($0.date.year) }
    }
}
