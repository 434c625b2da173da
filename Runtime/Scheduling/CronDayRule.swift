/// A day that is found from the month's end or from a weekday.
enum CronDayRule: Sendable, Hashable {
    /// `L` and `L-n`: so many days before the month's last.
    case fromEnd(Int)
    /// `LW`: the last weekday, Monday to Friday.
    case lastWorkday
    /// `15W`: the Monday to Friday nearest to the day within its month.
    case nearestWorkday(Int)
    /// `5#3`: the third Friday.
    case nth(Int, weekday: Int)
    /// `5L`: the last Friday.
    case last(weekday: Int)

    /// The day of a month with `length` days, whose first is a `firstWeekday`; `nil` if it has none such.
    func day(length: Int, firstWeekday: Int) -> Int? {
        func weekday(_ day: Int) -> Int { (firstWeekday + day - 1) % 7 }
        switch self {
        case .fromEnd(let days):
            return length > days ? length - days : nil
        case .lastWorkday:
            return CronDayRule.nearestWorkday(length).day(length: length, firstWeekday: firstWeekday)
        case .nearestWorkday(let day):
            guard day <= length else { return nil }
            switch weekday(day) {
            case 6: return day > 1 ? day - 1 : 3
            case 0: return day < length ? day + 1 : day - 2
            default: return day
            }
        case .nth(let count, let wanted):
            let day = 1 + (wanted - firstWeekday + 7) % 7 + (count - 1) * 7
            return day <= length ? day : nil
        case .last(let wanted):
            return length - (weekday(length) - wanted + 7) % 7
        }
    }
}
