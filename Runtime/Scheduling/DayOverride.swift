/// What is different on one day, announced after the calendar's data was made.
package struct DayOverride: Sendable, Hashable {
    /// What happens on the day.
    package enum Change: Sendable, Hashable {
        case closed
        /// A time that is `nil` stays as the calendar says.
        case hours(open: SessionTime?, close: SessionTime?)
    }

    package let date: CivilDate
    package let change: Change
    package let reason: String

    package init(date: CivilDate, change: Change, reason: String) {
        self.date = date
        self.change = change
        self.reason = reason
    }
}
