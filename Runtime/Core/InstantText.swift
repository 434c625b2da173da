extension Instant {
    /// Reads a timestamp as RFC 3339 writes it, such as `2026-11-27T18:00:00Z` or
    /// `2026-11-27T13:00:00.5-05:00`.
    ///
    /// The offset is required: a local time without one names no instant. Digits of the fraction beyond the
    /// ninth are dropped. A leap second (`:60`) is refused, as an `Instant` cannot hold one. The result is
    /// `nil` if `text` is no valid timestamp, or lies outside the years 1678 to 2262.
    ///
    /// - Parameter text: The timestamp, with nothing before or after it.
    public init?(rfc3339 text: some StringProtocol) {
        var reader = TimestampReader(bytes: Array(text.utf8))
        guard
            let year = reader.number(digits: 4), reader.skip("-"),
            let month = reader.number(digits: 2), reader.skip("-"),
            let day = reader.number(digits: 2), reader.skip("T", "t"),
            let hour = reader.number(digits: 2), reader.skip(":"),
            let minute = reader.number(digits: 2), reader.skip(":"),
            let second = reader.number(digits: 2),
            let fraction = reader.fraction(),
            let offset = reader.offset(), reader.isAtEnd,
            1...12 ~= month, 1...Gregorian.days(inMonth: month, of: year) ~= day,
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Gregorian.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second - offset)
        // Before the epoch a fraction is added to a negative count of seconds; counting it from the next
        // second keeps the product inside Int64 at the very start of the range.
        let isNegative = seconds < 0 && fraction > 0
        let (whole, overflow) = (isNegative ? seconds + 1 : seconds).multipliedReportingOverflow(
            by: 1_000_000_000
        )
        let rest = isNegative ? fraction - 1_000_000_000 : fraction
        let (nanoseconds, overflowAgain) = whole.addingReportingOverflow(rest)
        guard !overflow, !overflowAgain else { return nil }
        self.init(nanoseconds: nanoseconds)
    }

    /// The instant as RFC 3339 writes it, in UTC: `2026-11-27T18:00:00Z`.
    ///
    /// A fraction appears only when it is not zero, in 3, 6 or 9 digits, whichever is the least that loses
    /// nothing.
    public var rfc3339: String {
        let seconds = self.seconds
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let second = Int(seconds - days * 86_400)
        let date = Gregorian.date(days: days)
        var text: [UInt8] = []
        text.reserveCapacity(30)
        text.append(date.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.append(date.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.append(date.day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.append(second / 3_600, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(second / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(second % 60, digits: 2)
        // Wrapping, as `seconds` lies up to a second before the earliest instant.
        let fraction = Int(nanoseconds &- seconds &* 1_000_000_000)
        if fraction != 0 {
            text.append(UInt8(ascii: "."))
            if fraction % 1_000_000 == 0 {
                text.append(fraction / 1_000_000, digits: 3)
            } else if fraction % 1_000 == 0 {
                text.append(fraction / 1_000, digits: 6)
            } else {
                text.append(fraction, digits: 9)
            }
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }
}

/// The proleptic Gregorian calendar as arithmetic on days since 1970-01-01.
///
/// Both directions count in years that begin in March, so that the leap day is the last of its year, and
/// in eras of 400 years, which all have the same 146,097 days.
package enum Gregorian {
    /// Whether `year` has a 29 February.
    package static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The number of days of a month from 1 to 12.
    package static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to the given date; the date must exist.
    package static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }

    /// The date that lies `days` after 1970-01-01.
    package static func date(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Reads the parts of a timestamp from left to right.
private struct TimestampReader {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    /// Exactly `digits` decimal digits.
    mutating func number(digits: Int) -> Int? {
        guard position + digits <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + digits] {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        position += digits
        return value
    }

    /// Steps over one of the given characters.
    mutating func skip(_ characters: Unicode.Scalar...) -> Bool {
        guard position < bytes.count, characters.contains(Unicode.Scalar(bytes[position])) else {
            return false
        }
        position += 1
        return true
    }

    /// Nanoseconds of an optional fraction; `nil` if there is a point without a digit.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        var value: Int64 = 0
        var scale: Int64 = 100_000_000
        let start = position
        while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
            value += Int64(bytes[position] - UInt8(ascii: "0")) * scale
            scale /= 10
            position += 1
        }
        return position > start ? value : nil
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int? {
        if skip("Z", "z") { return 0 }
        let isWest = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        guard
            skip("+", "-"), let hours = number(digits: 2), skip(":"),
            let minutes = number(digits: 2), hours < 24, minutes < 60
        else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isWest ? -seconds : seconds
    }
}

extension [UInt8] {
    /// Appends `number` in decimal, with zeros in front up to `digits`.
    fileprivate mutating func append(_ number: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
