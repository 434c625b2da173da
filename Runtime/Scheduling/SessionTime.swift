/// A time on a market's wall clock, on a session's date or on a day beside it.
///
/// A session whose label is not the date it opens on is written so: `17:00-1d`.
package struct SessionTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Days from the session's date: -1, 0 or 1.
    package let day: Int
    package let time: TimeOfDay

    package init(_ time: TimeOfDay, day: Int = 0) {
        self.time = time
        self.day = day
    }

    /// Reads `09:30`, `17:00-1d` or `00:00+1d`.
    package init?(parsing text: some StringProtocol) {
        for (suffix, day) in [("-1d", -1), ("+1d", 1)] where text.hasSuffix(suffix) {
            guard let time = TimeOfDay(parsing: text.dropLast(3)) else { return nil }
            self.init(time, day: day)
            return
        }
        guard let time = TimeOfDay(parsing: text) else { return nil }
        self.init(time)
    }

    /// Seconds from the midnight on which the session's date begins, by the wall clock.
    var seconds: Int64 { Int64(day) * 86_400 + Int64(time.secondOfDay) }

    package static func < (left: SessionTime, right: SessionTime) -> Bool { left.seconds < right.seconds }

    package var description: String {
        day == 0 ? "\(time)" : "\(time)\(day < 0 ? "-" : "+")1d"
    }
}
