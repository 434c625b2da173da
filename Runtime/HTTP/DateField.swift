import FunctionCore

/// The `date` field of responses in the form of RFC 9110, 5.6.7, remade once a second.
package struct DateField: Sendable {
    /// The value alone.
    package private(set) var text = ""
    private(set) var line = ""
    private var second: Int64 = .min

    /// Brings the field to `now`.
    mutating func update(_ now: Instant) {
        guard now.seconds != second else { return }
        second = now.seconds
        text = DateField.text(second)
        line = "date: \(text)\r\n"
    }

    /// `Sat, 21 Nov 2026 02:00:00 GMT`.
    static func text(_ seconds: Int64) -> String {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let second = Int(seconds - days * 86_400)
        let date = Gregorian.date(days: days)
        // 1970-01-01 was a Thursday.
        let weekday = weekdays[Int(((days + 4) % 7 + 7) % 7)]
        let time = "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(weekday), \(two(date.day)) \(months[date.month - 1]) \(date.year) \(time) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
