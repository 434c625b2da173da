/// How an expression is read.
package enum CronDialect: String, Sendable, Hashable, CaseIterable {
    /// Vixie's cron and the open cron specification: weekdays 0 to 7 from Sunday, a day matches by either of
    /// two restricted day fields, and what engines read in different ways is refused.
    case vixie
    /// Quartz: six or seven fields, weekdays 1 to 7 from Sunday, `?` in exactly one day field, `n/step`, and
    /// ranges that run over the end.
    case quartz
}

/// One of the fields of a cron expression: its name, its range and its words.
enum CronField: String {
    case second
    case minute
    case hour
    case dayOfMonth = "day of month"
    case month
    case dayOfWeek = "day of week"
    case year

    /// The fields of an expression by their number, in their order.
    static func layout(_ count: Int) -> [CronField]? {
        let five: [CronField] = [.minute, .hour, .dayOfMonth, .month, .dayOfWeek]
        switch count {
        case 5: return five
        case 6: return [.second] + five
        case 7: return [.second] + five + [.year]
        default: return nil
        }
    }

    /// What the field may hold; for Vixie's cron 7 is Sunday a second time.
    func range(_ dialect: CronDialect) -> ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: dialect == .quartz ? 1...7 : 0...7
        case .year: 1970...CronExpression.lastYear
        }
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// English abbreviations in the order of their numbers, from the range's start.
    var names: [String] {
        switch self {
        case .month: CronField.months
        case .dayOfWeek: CronField.weekdays
        default: []
        }
    }

    var isDay: Bool { self == .dayOfMonth || self == .dayOfWeek }
}

/// What one field asks for: a set of values, and for the two day fields rules that depend on the month.
struct CronFieldValues: Sendable, Hashable {
    /// The values; Sunday is 0, a year is counted from 1970.
    var values = CronBits()
    /// Whether the text starts with `*` (or is `?`): Vixie's flag, by which `*/2` counts as a star too.
    var isStar = false
    var dayRules: [CronDayRule] = []
}
