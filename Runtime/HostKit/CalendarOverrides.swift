import FunctionCore
import Glibc
import Scheduling

/// The file that says what is different on single days of a calendar, as `swiftlet calendar override` writes
/// it.
package struct CalendarOverrides: Sendable, Hashable {
    package let calendar: String
    /// Ascending, each date once.
    package private(set) var days: [DayOverride]

    package init(calendar: String, days: [DayOverride]) {
        self.calendar = calendar
        self.days = days.sorted { $0.date < $1.date }
    }

    /// Puts a day's override in the place of any there is.
    package mutating func set(_ override: DayOverride) {
        remove(override.date)
        days.append(override)
        days.sort { $0.date < $1.date }
    }

    /// Takes a day's override out; false where there is none.
    @discardableResult
    package mutating func remove(_ date: CivilDate) -> Bool {
        let count = days.count
        days.removeAll { $0.date == date }
        return days.count < count
    }

    /// The file's text.
    package var text: String {
        var text = "# Written by `swiftlet calendar override`; may be edited.\n"
        text += "calendar: \(JSON.string(calendar).text)\ndays:\(days.isEmpty ? " []" : "")\n"
        for day in days {
            var members = ["date: \"\(day.date)\""]
            switch day.change {
            case .closed: members.append("closed: true")
            case .hours(let open, let close):
                if let open { members.append("open: \"\(open)\"") }
                if let close { members.append("close: \"\(close)\"") }
            }
            // A JSON string is a YAML string.
            members.append("reason: \(JSON.string(day.reason).text)")
            text += "  - { \(members.joined(separator: ", ")) }\n"
        }
        return text
    }

    /// Writes the file, and its folder where that is missing; false where it cannot be written.
    package func write(to file: String) -> Bool {
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        for count in [2, 1] { mkdir(parts.dropLast(count).joined(separator: "/"), 0o755) }
        return writeText(text, to: file, mode: 0o644)
    }
}
