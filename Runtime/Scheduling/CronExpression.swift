import FunctionCore

/// A cron expression of five, six or seven fields, as Vixie's cron and the open cron specification read them,
/// or as Quartz does.
///
/// Minute, hour, day of month, month, day of week; with a second in front if there are six, and with a year
/// behind as well if there are seven. Values, lists, ranges, `*`, steps on stars and ranges, names of months
/// and days, 7 as Sunday, `?` in the day fields, `L`, `L-n`, `LW`, `nW`, `d#n`, `dL`, `d#L`, the macros
/// `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually` and `@reboot`, and
/// `CRON_TZ=ZONE` in front. If both day fields are restricted, a day needs to match only one of them; a
/// field that starts with `*`, such as `*/2`, does not count as restricted, and the day must match both.
package struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// The text it was read from.
    package let description: String
    /// The zone that a prefix `CRON_TZ=` names.
    package var zoneName: String? { CronText.zone(in: description).map { String($0) } }
    /// What it does where the wall clock is put forward or back.
    package let daylight: CronDaylightPolicy
    /// Whether none of second, minute and hour starts with `*`.
    package let isFixed: Bool
    /// Whether it is `@reboot`, which names no time.
    package let isReboot: Bool
    /// Whether any date matches; one that no calendar shows, such as 30 February, is valid and never comes.
    package private(set) var hasDates = true

    let seconds: UInt64
    let minutes: UInt64
    // As narrow as can be: there may be a hundred thousand.
    private let hourBits: UInt32
    private let dayBits: UInt32
    private let monthBits: UInt16
    /// Counted from 1970, in words of 64; empty for every year.
    private let years: [UInt64]
    private let dayRules: [CronDayRule]
    /// The week's pattern six times over, so that a month's can be read from any weekday on.
    private let weeks: UInt64
    private let weekdayRules: [CronDayRule]
    private let mustMatchBoth: Bool

    var hours: UInt64 { UInt64(hourBits) }
    var months: UInt64 { UInt64(monthBits) }

    /// Reads an expression.
    ///
    /// - Throws: `cron_invalid` with the field, the value and what is allowed.
    package init(
        _ text: String,
        dialect: CronDialect = .vixie,
        daylight: CronDaylightPolicy = .cron
    ) throws(SchedulingError) {
        let parts = try CronText(text, dialect)
        description = text
        self.daylight = daylight
        var fields: [CronFieldValues] = []
        fields.reserveCapacity(parts.fields.count)
        for (field, part) in zip(parts.layout, parts.fields) {
            let parser = CronFieldParser(field: field, dialect: parts.dialect, expression: text)
            fields.append(try parser.parse(part))
        }
        let first = fields.count == 5 ? 0 : 1
        let (date, week) = (fields[first + 2], fields[first + 4])
        seconds = first == 0 ? 1 : fields[0].values.low
        minutes = fields[first].values.low
        hourBits = UInt32(truncatingIfNeeded: fields[first + 1].values.low)
        dayBits = UInt32(truncatingIfNeeded: date.values.low)
        dayRules = date.dayRules
        monthBits = UInt16(truncatingIfNeeded: fields[first + 3].values.low)
        weeks = (0..<6).reduce(0) { $0 | week.values.low << UInt64($1 * 7) }
        weekdayRules = week.dayRules
        years = fields.count == 7 && parts.fields[6] != "*" ? fields[6].values.all : []
        mustMatchBoth = date.isStar || week.isStar
        isFixed = !fields[...(first + 1)].contains { $0.isStar }
        isReboot = parts.isReboot
        hasDates = !isReboot && matchesSomeDate()
    }

    /// Why it never comes, for one that has no dates.
    package var warning: String? {
        guard !hasDates else { return nil }
        if isReboot {
            return "cron \"\(description)\" names no time of the clock: the schedule never runs"
        }
        return "cron \"\(description)\" never comes: no month it names has such a day"
            + (years.isEmpty ? "" : " in such a year")
    }

    /// The name of the zone whose clock is read: the one given beside the expression, the one in front of it,
    /// or UTC.
    ///
    /// - Throws: `cron_invalid` if both are there and differ.
    package func zoneName(agreeingWith explicit: String?) throws(SchedulingError) -> String {
        guard let zoneName, let explicit, zoneName != explicit else { return explicit ?? zoneName ?? "UTC" }
        throw SchedulingError(
            .cronInvalid,
            "cron \"\(description)\" names the zone \(zoneName), and \(explicit) is set beside it: take one out"
        )
    }

    /// The matching days of a month; bit n stands for day n.
    func matchingDays(of month: Int, year: Int, firstDay: Int64) -> UInt64 {
        let length = Gregorian.days(inMonth: month, of: year)
        let firstWeekday = CivilDate.weekday(daysSinceEpoch: firstDay)
        let all = (UInt64(1) << UInt64(length + 1)) - 2
        var byDate = UInt64(dayBits)
        for rule in dayRules {
            if let day = rule.day(length: length, firstWeekday: firstWeekday) { byDate |= 1 << UInt64(day) }
        }
        var byWeekday = (weeks >> UInt64(firstWeekday)) << 1
        for rule in weekdayRules {
            if let day = rule.day(length: length, firstWeekday: firstWeekday) {
                byWeekday |= 1 << UInt64(day)
            }
        }
        return all & (mustMatchBoth ? byDate & byWeekday : byDate | byWeekday)
    }

    /// Any 28 years of one century have every length of February with every weekday of 1 January.
    private func matchesSomeDate() -> Bool {
        var year = years.isEmpty ? 2000 : 1970
        let last = years.isEmpty ? 2027 : CronExpression.lastYear
        while let candidate = self.year(from: year), candidate <= last {
            var rest = months
            while rest != 0 {
                let month = rest.trailingZeroBitCount
                let first = Gregorian.days(year: candidate, month: month, day: 1)
                if matchingDays(of: month, year: candidate, firstDay: first) != 0 { return true }
                rest &= rest - 1
            }
            year = candidate + 1
        }
        return false
    }

    /// The first matching year from the given one on.
    func year(from year: Int) -> Int? {
        guard !years.isEmpty else { return year }
        return CronBits(years).first(from: year - 1970).map { $0 + 1970 }
    }
}

/// The parts of an expression's text: the zone in front, and the fields.
struct CronText {
    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@reboot": "0 0 1 1 *",
    ]

    var fields: [Substring]
    let layout: [CronField]
    var dialect: CronDialect
    var isReboot = false

    /// The zone that stands in front.
    static func zone(in text: String) -> Substring? {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard start.hasPrefix("CRON_TZ=") else { return nil }
        return start.dropFirst(8).prefix { $0 != " " && $0 != "\t" }
    }

    init(_ text: String, _ dialect: CronDialect) throws(SchedulingError) {
        func wrong(_ fault: String) -> SchedulingError {
            SchedulingError(.cronInvalid, "cron \"\(text)\"\(fault)")
        }
        self.dialect = dialect
        fields = text.split { $0 == " " || $0 == "\t" }
        if CronText.zone(in: text) != nil {
            fields.removeFirst()
        } else if let first = fields.first, first.hasPrefix("TZ=") {
            throw wrong(": \(first) is not read: write CRON_\(first)")
        }
        if let macro = fields.first, macro.hasPrefix("@") {
            guard fields.count == 1, let expansion = CronText.macros[macro.lowercased()] else {
                throw wrong(
                    ": \(fields.joined(separator: " ")) is no macro: write one of @hourly, @daily, @weekly, "
                        + "@monthly, @yearly, or for an interval use every: with a value like 15m"
                )
            }
            isReboot = macro.lowercased() == "@reboot"
            fields = expansion.split(separator: " ")
            self.dialect = .vixie
        } else if dialect == .quartz {
            fields = fields.map { Substring($0.uppercased()) }
        }
        guard let layout = CronField.layout(fields.count), self.dialect == .vixie || fields.count > 5 else {
            let five = "five, for minute, hour, day of month, month and day of week, "
            throw wrong(
                " has \(fields.count) field\(fields.count == 1 ? "" : "s"): write "
                    + (dialect == .quartz ? "" : five)
                    + "six with seconds in front, or seven with the year behind as well"
                    + (dialect == .quartz ? "; five are for dialect: vixie" : "")
            )
        }
        self.layout = layout
        if self.dialect == .quartz, (fields[3] == "?") == (fields[5] == "?") {
            throw wrong(
                ", fields day of month and day of week: Quartz wants \"?\" in exactly one of them: write it "
                    + "in the one that does not matter"
            )
        }
    }
}
