import FunctionCore

/// A cron expression of five fields, as Vixie's cron and the open cron specification read them.
///
/// Minute, hour, day of month, month, day of week; values, lists, ranges, `*`, steps on stars and ranges,
/// names of months and days, 7 as Sunday, `?` in the day fields, `L`, `L-n`, `LW`, `nW`, `d#n`, `dL`, and
/// the macros `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually`. If both
/// day fields are restricted, a day needs to match only one of them; a field that starts with `*`, such as
/// `*/2`, does not count as restricted, and the day must match both.
///
/// An expression is *fixed* when neither minute nor hour starts with `*`, otherwise a *frequency*. Where
/// the wall clock is put forward, the times a fixed expression would lose fire once, at the first instant
/// after the gap, if the gap is 3 hours or less; those of a frequency vanish. Where it is put back, a fixed
/// expression fires at the first of two equal readings, a frequency at both.
package struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// The text it was read from.
    package let description: String
    /// Whether neither the minute nor the hour starts with `*`.
    package let isFixed: Bool

    private let minutes: UInt64
    private let hours: UInt64
    private let months: UInt64
    private let days: CronFieldValues
    private let weekdays: CronFieldValues

    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    package init(_ text: String) throws(SchedulingError) {
        let trimmed = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        let fields: [Substring]
        if trimmed.count == 1, trimmed[0].hasPrefix("@") {
            guard let expansion = CronExpression.macros[trimmed[0].lowercased()] else {
                throw SchedulingError(
                    .cronInvalid,
                    "cron \"\(text)\": \(trimmed[0]) is no macro: write one of @hourly, @daily, @weekly, "
                        + "@monthly, @yearly, or for an interval use every: with a value like 15m"
                )
            }
            fields = expansion.split(separator: " ")
        } else {
            fields = trimmed
        }
        if let first = fields.first, first.hasPrefix("CRON_TZ=") || first.hasPrefix("TZ=") {
            throw SchedulingError(
                .cronInvalid,
                "cron \"\(text)\": an expression carries no zone here: remove \(first) and set the "
                    + "schedule's zone"
            )
        }
        guard fields.count == 5 else {
            throw SchedulingError(
                .cronInvalid,
                "cron \"\(text)\" has \(fields.count) fields: write five, for minute, hour, day of month, "
                    + "month and day of week; for seconds use every: with a value like 15s"
            )
        }
        description = text
        let minute = try CronFieldParser(field: .minute, expression: text).parse(fields[0])
        let hour = try CronFieldParser(field: .hour, expression: text).parse(fields[1])
        days = try CronFieldParser(field: .dayOfMonth, expression: text).parse(fields[2])
        months = try CronFieldParser(field: .month, expression: text).parse(fields[3]).values
        weekdays = try CronFieldParser(field: .dayOfWeek, expression: text).parse(fields[4])
        minutes = minute.values
        hours = hour.values
        isFixed = !minute.isStar && !hour.isStar
    }

    /// The first reading that matches, at or after `earliest` and before `limit`, in seconds of the wall
    /// clock.
    ///
    /// Months and days that cannot match are stepped over whole, so that the search takes at most 12 steps
    /// a year; `limit` bounds it for expressions that never match, such as 30 February.
    func firstReading(from earliest: Int64, before limit: Int64) -> Int64? {
        var start = earliest
        if start % 60 != 0 { start += 60 - (start - start.floorDivided(by: 60) * 60) }
        let startDay = start.floorDivided(by: 86_400)
        var (year, month, day) = Gregorian.date(days: startDay)
        var minuteOfDay = Int((start - startDay * 86_400) / 60)
        while true {
            if months & (1 << UInt64(month)) == 0 {
                (year, month, day, minuteOfDay) = CronExpression.monthAfter(year, month)
            } else {
                let first = Gregorian.days(year: year, month: month, day: 1)
                var candidates = matchingDays(of: month, year: year, firstDay: first) & (~0 << UInt64(day))
                while candidates != 0 {
                    let candidate = candidates.trailingZeroBitCount
                    if let minute = firstMinute(from: candidate == day ? minuteOfDay : 0) {
                        let reading = (first + Int64(candidate - 1)) * 86_400 + Int64(minute) * 60
                        return reading < limit ? reading : nil
                    }
                    candidates &= candidates - 1
                }
                (year, month, day, minuteOfDay) = CronExpression.monthAfter(year, month)
            }
            guard Gregorian.days(year: year, month: month, day: 1) * 86_400 < limit else { return nil }
        }
    }

    /// The first minute of the day that matches, from the given one on.
    private func firstMinute(from minuteOfDay: Int) -> Int? {
        let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
        if hours & (1 << UInt64(hour)) != 0 {
            let rest = minutes & (~0 << UInt64(minute))
            if rest != 0 { return hour * 60 + rest.trailingZeroBitCount }
        }
        let later = hours & (~0 << UInt64(hour + 1))
        guard later != 0, minutes != 0 else { return nil }
        return later.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount
    }

    /// The matching days of a month; bit n stands for day n.
    private func matchingDays(of month: Int, year: Int, firstDay: Int64) -> UInt64 {
        let length = Gregorian.days(inMonth: month, of: year)
        let firstWeekday = CivilDate.weekday(daysSinceEpoch: firstDay)
        let all = (UInt64(1) << UInt64(length + 1)) - 2
        var byDate = days.values
        for rule in days.dayRules {
            if let day = rule.day(length: length, firstWeekday: firstWeekday) { byDate |= 1 << UInt64(day) }
        }
        // The week's pattern, repeated, is read from the weekday of the month's first.
        let week = weekdays.values & 0x7F
        let weeks = week | week << 7 | week << 14 | week << 21 | week << 28 | week << 35
        var byWeekday = (weeks >> UInt64(firstWeekday)) << 1
        for rule in weekdays.dayRules {
            if let day = rule.day(length: length, firstWeekday: firstWeekday) {
                byWeekday |= 1 << UInt64(day)
            }
        }
        return all & (days.isStar || weekdays.isStar ? byDate & byWeekday : byDate | byWeekday)
    }

    private static func monthAfter(_ year: Int, _ month: Int) -> (Int, Int, Int, Int) {
        month == 12 ? (year + 1, 1, 1, 0) : (year, month + 1, 1, 0)
    }
}
