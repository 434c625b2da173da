/// What is wrong with a schedule, a zone or a calendar.
///
/// The message names the field, the rule and the remedy, and holds nothing secret: it is written to be
/// printed next to the file and line it came from.
package struct SchedulingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of fault; its text is safe as a metric label.
    package enum Code: String, Sendable, Hashable {
        case cronInvalid = "cron_invalid"
        case intervalInvalid = "interval_invalid"
        case timeInvalid = "time_invalid"
        case zoneUnknown = "zone_unknown"
        case zoneUnreadable = "zone_unreadable"
        case calendarInvalid = "calendar_invalid"
        case calendarExpired = "calendar_expired"
        case rotationInvalid = "rotation_invalid"
        case scheduleInvalid = "schedule_invalid"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
