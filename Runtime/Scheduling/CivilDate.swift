import FunctionCore

/// A date as a calendar on the wall shows it, without a zone.
package struct CivilDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int

    /// The given date, or `nil` if no calendar shows it, such as 30 February.
    package init?(_ year: Int, _ month: Int, _ day: Int) {
        guard 1...12 ~= month, 1...Gregorian.days(inMonth: month, of: year) ~= day else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date that lies `days` after 1970-01-01.
    package init(daysSinceEpoch days: Int64) {
        (year, month, day) = Gregorian.date(days: days)
    }

    /// Reads `2026-11-27`, exactly so.
    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard
            parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
            let year = UInt16(parts[0]), let month = UInt8(parts[1]), let day = UInt8(parts[2]),
            text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") })
        else { return nil }
        self.init(Int(year), Int(month), Int(day))
    }

    package var daysSinceEpoch: Int64 {
        Gregorian.days(year: year, month: month, day: day)
    }

    /// 0 is Sunday, 6 is Saturday.
    package var weekday: Int {
        CivilDate.weekday(daysSinceEpoch: daysSinceEpoch)
    }

    /// 0 is Sunday, 6 is Saturday; 1970-01-01 was a Thursday.
    package static func weekday(daysSinceEpoch days: Int64) -> Int {
        let remainder = Int((days + 4) % 7)
        return remainder < 0 ? remainder + 7 : remainder
    }

    package func adding(days: Int) -> CivilDate {
        CivilDate(daysSinceEpoch: daysSinceEpoch + Int64(days))
    }

    package static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    package var description: String {
        "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}

/// A time of day as a clock on the wall shows it, to the second.
package struct TimeOfDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 0 to 86,399.
    package let secondOfDay: Int

    /// The given time, or `nil` if no clock shows it.
    package init?(_ hour: Int, _ minute: Int, _ second: Int = 0) {
        guard 0..<24 ~= hour, 0..<60 ~= minute, 0..<60 ~= second else { return nil }
        secondOfDay = hour * 3_600 + minute * 60 + second
    }

    /// Reads `09:30` or `09:30:00`.
    package init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.count == 2 && !part.utf8.contains(UInt8(ascii: "+")) ? UInt8(part) : nil
        }
        guard numbers.count == parts.count, 2...3 ~= numbers.count else { return nil }
        self.init(Int(numbers[0]), Int(numbers[1]), numbers.count == 3 ? Int(numbers[2]) : 0)
    }

    package static func < (left: TimeOfDay, right: TimeOfDay) -> Bool {
        left.secondOfDay < right.secondOfDay
    }

    package var description: String {
        let text = "\(padded(secondOfDay / 3_600, 2)):\(padded(secondOfDay / 60 % 60, 2))"
        return secondOfDay % 60 == 0 ? text : text + ":\(padded(secondOfDay % 60, 2))"
    }
}

/// A date and a time of day without a zone; which instant it names, if any, only a zone can say.
package struct CivilTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00 of the same wall clock, as if every day had 86,400 of them.
    package let seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package init(_ date: CivilDate, _ time: TimeOfDay) {
        seconds = date.daysSinceEpoch * 86_400 + Int64(time.secondOfDay)
    }

    package var date: CivilDate {
        CivilDate(daysSinceEpoch: seconds.floorDivided(by: 86_400))
    }

    package var hour: Int { secondOfDay / 3_600 }
    package var minute: Int { secondOfDay / 60 % 60 }
    package var second: Int { secondOfDay % 60 }

    package static func < (left: CivilTime, right: CivilTime) -> Bool {
        left.seconds < right.seconds
    }

    package var description: String {
        "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    }

    private var secondOfDay: Int {
        Int(seconds - seconds.floorDivided(by: 86_400) * 86_400)
    }
}

extension Int64 {
    /// The quotient rounded down, also below zero; `divisor` is positive.
    func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// `number` in decimal with zeros in front.
func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}
