/// Reads one field of a cron expression.
///
/// Vixie's dialect is strict: `5/15`, `/15`, `22-2` and `*/0`, which engines read in different ways or not
/// at all, are refused with the spelling that means the same everywhere.
struct CronFieldParser {
    let field: CronField
    let dialect: CronDialect
    let expression: String

    private var range: ClosedRange<Int> { field.range(dialect) }

    func parse(_ text: Substring) throws(SchedulingError) -> CronFieldValues {
        var result = CronFieldValues()
        result.isStar = text.utf8.first == UInt8(ascii: "*") || text == "?"
        if text == "*" {
            insert(range, into: &result.values)
            return result
        }
        // The usual single number, without the lists that splitting makes.
        if let single = number(text), range.contains(single) {
            insert(single...single, into: &result.values)
            return result
        }
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else {
                throw error("\"\(text)\" has an empty item", "write the values with single commas, like 1,15")
            }
            if item == "?" {
                guard text == "?", field.isDay else {
                    throw error("\"?\" may only stand alone in a day field", "write * instead")
                }
                insert(range, into: &result.values)
            } else if item == "L", field == .dayOfWeek, dialect == .quartz {
                // Alone it is the week's last day, and not the month's last such day.
                insert(7...7, into: &result.values)
            } else if let rule = try dayRule(item) {
                result.dayRules.append(rule)
            } else {
                try insert(item, into: &result.values)
            }
        }
        return result
    }

    /// `*`, `n`, `a-b`, each range or star with an optional `/step`.
    private func insert(_ item: Substring, into values: inout CronBits) throws(SchedulingError) {
        if item.first == "H" || item.first == "h" {
            let remedy = "write a value, and spread schedules by jitter: beside the expression"
            throw error("\"\(item)\" stands for a value of the engine's choice and is not read", remedy)
        }
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw error("\"\(item)\" has two steps", "write a single one, like */15")
        }
        let base = parts[0]
        let step = parts.count == 2 ? try step(parts[1]) : 1
        if base == "*" || base.isEmpty && dialect == .quartz && parts.count == 2 {
            return insert(range, step: step, into: &values)
        }
        if let dash = base.firstIndex(of: "-") {
            let first = try value(base[..<dash], in: item)
            let last = try value(base[base.index(after: dash)...], in: item)
            if first <= last { return insert(first...last, step: step, into: &values) }
            guard dialect == .quartz, field != .year else { throw backwards(base, first, last) }
            // Counted on beyond the end, and taken back into the range.
            let span = range.count
            for number in stride(from: first, through: last + span, by: step) {
                let inRange = number > range.upperBound ? number - span : number
                insert(inRange...inRange, into: &values)
            }
            return
        }
        if parts.count == 2, dialect == .vixie {
            let spelled = base.isEmpty ? "*" : "\(base)-\(range.upperBound)"
            throw error(
                "\"\(item)\" has a step without a range",
                "write \(spelled)/\(parts[1]) if that is what is meant"
            )
        }
        let single = try value(base, in: item)
        insert(single...(parts.count == 2 ? range.upperBound : single), step: step, into: &values)
    }

    private func step(_ text: Substring) throws(SchedulingError) -> Int {
        let longest = field == .year ? range.count - 1 : range.upperBound
        guard text.utf8.count <= 3, text.utf8.allSatisfy({ 48...57 ~= $0 }), let step = Int(text),
            1...longest ~= step
        else {
            throw error(
                "the step \"\(text)\" is not within 1 to \(longest)",
                "write a step that divides the field, or use a schedule with every: for longer intervals"
            )
        }
        return step
    }

    private func backwards(_ base: Substring, _ first: Int, _ last: Int) -> SchedulingError {
        let remedy =
            switch field {
            case .dayOfWeek where last == 0: "as the end of a range Sunday is 7: write \(first)-7"
            case .year: "write \(last)-\(first)"
            default: "write two ranges: \(first)-\(range.upperBound),\(range.lowerBound)-\(last)"
            }
        return error("the range \"\(base)\" runs backwards", remedy)
    }

    /// `L`, `L-n`, `LW`, `nW` as days of the month, `d#n`, `dL`, `d#L` as days of the week.
    private func dayRule(_ item: Substring) throws(SchedulingError) -> CronDayRule? {
        switch field {
        case .dayOfMonth: try monthRule(item)
        case .dayOfWeek: try weekRule(item)
        default: nil
        }
    }

    private func monthRule(_ item: Substring) throws(SchedulingError) -> CronDayRule? {
        if item == "L" { return .fromEnd(0) }
        if item == "LW" { return .lastWorkday }
        if item.hasPrefix("L-") {
            guard let days = number(item.dropFirst(2)), 1...30 ~= days else {
                throw error("\"\(item)\" counts no days from 1 to 30", "write one like L-3")
            }
            return .fromEnd(days)
        }
        guard item.hasSuffix("W") else { return nil }
        return .nearestWorkday(try value(item.dropLast(), in: item))
    }

    private func weekRule(_ item: Substring) throws(SchedulingError) -> CronDayRule? {
        if item == "L" {
            throw error("\"L\" alone is read in different ways", "write 6L for the last Saturday")
        }
        let parts = item.split(separator: "#", omittingEmptySubsequences: false)
        if parts.count == 2, parts[1] != "L" {
            let weekday = weekday(try value(parts[0], in: item))
            guard let count = number(parts[1]), 1...5 ~= count else {
                throw error(
                    "\"\(item)\" counts no weeks from 1 to 5",
                    "write one like 5#3, or 5L for the last"
                )
            }
            return .nth(count, weekday: weekday)
        }
        let base = parts.count == 2 ? parts[0] : item.hasSuffix("L") ? item.dropLast() : nil
        guard let base else { return nil }
        return .last(weekday: weekday(try value(base, in: item)))
    }

    /// A number of the field's range, or one of its names in any case.
    private func value(_ text: Substring, in item: Substring) throws(SchedulingError) -> Int {
        if let number = number(text), range.contains(number) { return number }
        let names = field.names
        if text.utf8.count == 3, let index = names.firstIndex(of: text.lowercased()) {
            return index + range.lowerBound
        }
        let words = names.isEmpty ? "" : " or \(names[0].uppercased())-\(names[names.count - 1].uppercased())"
        throw error(
            "\"\(item)\" is not within \(range.lowerBound)-\(range.upperBound)\(words)",
            "write a value, a list, a range or */step"
        )
    }

    private func number(_ text: Substring) -> Int? {
        guard 1...4 ~= text.utf8.count, text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return Int(text)
    }

    private func insert(_ wanted: ClosedRange<Int>, step: Int = 1, into values: inout CronBits) {
        for number in stride(from: wanted.lowerBound, through: wanted.upperBound, by: step) {
            switch field {
            case .dayOfWeek: values.insert(weekday(number))
            case .year: values.insert(number - range.lowerBound)
            default: values.insert(number)
            }
        }
    }

    /// A weekday of the dialect as 0 for Sunday to 6.
    private func weekday(_ number: Int) -> Int {
        dialect == .quartz ? number - 1 : number % 7
    }

    private func error(_ rule: String, _ remedy: String) -> SchedulingError {
        SchedulingError(.cronInvalid, "cron \"\(expression)\", field \(field.rawValue): \(rule): \(remedy)")
    }
}
