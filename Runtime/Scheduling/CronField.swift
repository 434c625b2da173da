/// One of the five fields of a cron expression: its name, its range and its words.
enum CronField: String {
    case minute
    case hour
    case dayOfMonth = "day of month"
    case month
    case dayOfWeek = "day of week"

    /// What the field may hold; 7 is Sunday a second time.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// English abbreviations in the order of their numbers, from the range's start.
    var names: [String] {
        switch self {
        case .month:
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        default: []
        }
    }

    /// A number of the field's range, or one of its names in any case.
    func value(_ text: some StringProtocol) -> Int? {
        if let index = names.firstIndex(of: text.lowercased()) { return index + range.lowerBound }
        guard 1...2 ~= text.utf8.count, text.utf8.allSatisfy({ 48...57 ~= $0 }), let number = Int(text)
        else { return nil }
        return range.contains(number) ? number : nil
    }
}

/// What one field asks for: a set of values, and for the two day fields rules that depend on the month.
struct CronFieldValues: Sendable, Hashable {
    /// Bit n stands for the value n; Sunday is bit 0 only.
    var values: UInt64 = 0
    /// Whether the text starts with `*` (or is `?`): Vixie's flag, by which `*/2` counts as a star too.
    var isStar = false
    var dayRules: [CronDayRule] = []
}

/// A day that is found from the month's end or from a weekday.
enum CronDayRule: Sendable, Hashable {
    /// `L` and `L-n`: so many days before the month's last.
    case fromEnd(Int)
    /// `LW`: the last weekday, Monday to Friday.
    case lastWorkday
    /// `15W`: the Monday to Friday nearest to the day within its month.
    case nearestWorkday(Int)
    /// `5#3`: the third Friday.
    case nth(Int, weekday: Int)
    /// `5L`: the last Friday.
    case last(weekday: Int)

    /// The day of a month with `length` days, whose first is a `firstWeekday`; `nil` if it has none such.
    func day(length: Int, firstWeekday: Int) -> Int? {
        func weekday(_ day: Int) -> Int { (firstWeekday + day - 1) % 7 }
        switch self {
        case .fromEnd(let days):
            return length > days ? length - days : nil
        case .lastWorkday:
            return CronDayRule.nearestWorkday(length).day(length: length, firstWeekday: firstWeekday)
        case .nearestWorkday(let day):
            guard day <= length else { return nil }
            switch weekday(day) {
            case 6: return day > 1 ? day - 1 : 3
            case 0: return day < length ? day + 1 : day - 2
            default: return day
            }
        case .nth(let count, let wanted):
            let day = 1 + (wanted - firstWeekday + 7) % 7 + (count - 1) * 7
            return day <= length ? day : nil
        case .last(let wanted):
            return length - (weekday(length) - wanted + 7) % 7
        }
    }
}

/// Reads one field of a cron expression.
///
/// The dialect is strict: `5/15`, `/15`, `22-2` and `*/0`, which engines read in different ways or not at
/// all, are refused with the spelling that means the same everywhere.
struct CronFieldParser {
    let field: CronField
    let expression: String

    func parse(_ text: Substring) throws(SchedulingError) -> CronFieldValues {
        var result = CronFieldValues()
        result.isStar = text.hasPrefix("*") || text == "?"
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else {
                throw error("\"\(text)\" has an empty item", "write the values with single commas, like 1,15")
            }
            if item == "?" {
                guard text == "?", field == .dayOfMonth || field == .dayOfWeek else {
                    throw error("\"?\" may only stand alone in a day field", "write * instead")
                }
                result.values |= bits(field.range)
            } else if let rule = try dayRule(item) {
                result.dayRules.append(rule)
            } else {
                result.values |= try values(item)
            }
        }
        return result
    }

    /// `*`, `n`, `a-b`, each range or star with an optional `/step`.
    private func values(_ item: Substring) throws(SchedulingError) -> UInt64 {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw error("\"\(item)\" has two steps", "write a single one, like */15")
        }
        let base = parts[0]
        let range: ClosedRange<Int>
        if base == "*" {
            range = field.range
        } else if let dash = base.firstIndex(of: "-") {
            let first = try value(base[..<dash], in: item)
            let last = try value(base[base.index(after: dash)...], in: item)
            guard first <= last else {
                throw error(
                    "the range \"\(base)\" runs backwards",
                    field == .dayOfWeek && last == 0
                        ? "as the end of a range Sunday is 7: write \(first)-7"
                        : "write two ranges: \(first)-\(field.range.upperBound),"
                            + "\(field.range.lowerBound)-\(last)"
                )
            }
            range = first...last
        } else if parts.count == 2 {
            let first = base.isEmpty ? "*" : "\(base)-\(field.range.upperBound)"
            throw error(
                "\"\(item)\" has a step without a range",
                "write \(first)/\(parts[1]) if that is what is meant"
            )
        } else {
            let single = try value(base, in: item)
            range = single...single
        }
        guard parts.count == 2 else { return bits(range) }
        guard parts[1].utf8.count <= 2, parts[1].utf8.allSatisfy({ 48...57 ~= $0 }), let step = Int(parts[1]),
            1...field.range.upperBound ~= step
        else {
            throw error(
                "the step \"\(parts[1])\" is not within 1 to \(field.range.upperBound)",
                "write a step that divides the field, or use a schedule with every: for longer intervals"
            )
        }
        return bits(range, step: step)
    }

    /// `L`, `L-n`, `LW`, `nW` as days of the month, `d#n`, `dL`, `d#L` as days of the week.
    private func dayRule(_ item: Substring) throws(SchedulingError) -> CronDayRule? {
        switch field {
        case .dayOfMonth:
            if item == "L" { return .fromEnd(0) }
            if item == "LW" { return .lastWorkday }
            if item.hasPrefix("L-") {
                guard let days = field.value(item.dropFirst(2)), days <= 30 else {
                    throw error("\"\(item)\" counts no days from 1 to 30", "write one like L-3")
                }
                return .fromEnd(days)
            }
            guard item.hasSuffix("W") else { return nil }
            return .nearestWorkday(try value(item.dropLast(), in: item))
        case .dayOfWeek:
            if item == "L" {
                throw error("\"L\" alone is read in different ways", "write 6L for the last Saturday")
            }
            let parts = item.split(separator: "#", omittingEmptySubsequences: false)
            if parts.count == 2, parts[1] != "L" {
                let weekday = try value(parts[0], in: item) % 7
                guard let count = Int(parts[1]), 1...5 ~= count else {
                    throw error(
                        "\"\(item)\" counts no weeks from 1 to 5",
                        "write one like 5#3, or 5L for the last"
                    )
                }
                return .nth(count, weekday: weekday)
            }
            let base = parts.count == 2 ? parts[0] : item.hasSuffix("L") ? item.dropLast() : nil
            guard let base else { return nil }
            return .last(weekday: try value(base, in: item) % 7)
        default:
            return nil
        }
    }

    private func value(_ text: Substring, in item: Substring) throws(SchedulingError) -> Int {
        if let value = field.value(text) { return value }
        let range = "\(field.range.lowerBound)-\(field.range.upperBound)"
        let names = field.names
        let words = names.isEmpty ? "" : " or \(names[0].uppercased())-\(names[names.count - 1].uppercased())"
        throw error("\"\(item)\" is not within \(range)\(words)", "write a value, a list, a range or */step")
    }

    private func bits(_ range: ClosedRange<Int>, step: Int = 1) -> UInt64 {
        var bits: UInt64 = 0
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
            bits |= 1 << UInt64(field == .dayOfWeek ? value % 7 : value)
        }
        return bits
    }

    private func error(_ rule: String, _ remedy: String) -> SchedulingError {
        SchedulingError(.cronInvalid, "cron \"\(expression)\", field \(field.rawValue): \(rule): \(remedy)")
    }
}
