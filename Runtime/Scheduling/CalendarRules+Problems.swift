extension CalendarRules {
    /// All that contradicts itself in the data, each with its remedy; empty if it is sound.
    package func problems() -> [String] {
        var problems: [String] = []
        if years.lowerBound < 1900 || years.upperBound > 2199 || years.count > 200 {
            problems.append(
                "years: \(years.lowerBound) to \(years.upperBound) leave 1900 to 2199: narrow them"
            )
        }
        problems += hoursProblems() + weekProblems()
        let holidayDates = explicit(holidays.map(\.day))
        problems += dateProblems("holidays", holidayDates)
        problems += dateProblems("earlyCloses", explicit(earlyCloses.map(\.day)))
        problems += dateProblems("lateOpens", explicit(lateOpens.map(\.day)))
        guard !hours.isEmpty else { return problems }
        let closed = Set(holidayDates)
        for (field, times) in [("earlyCloses", earlyCloses), ("lateOpens", lateOpens)] {
            for special in times {
                problems += faults(of: special, field, closed)
            }
        }
        return problems
    }

    private func faults(of special: SpecialTime, _ field: String, _ closed: Set<CivilDate>) -> [String] {
        guard case .dates(let dates) = special.day.anchor else { return [] }
        let verb = field == "lateOpens" ? "opens" : "closes"
        return dates.flatMap { date in
            let hours = hours(on: date)
            var problems: [String] = []
            if closed.contains(date) {
                problems.append("\(field): \(date) is a holiday too: remove it from one of the lists")
            }
            if special.time <= hours.open || special.time >= hours.close {
                let within = "\(hours.open) to \(hours.close)"
                problems.append("\(field): \(date) \(verb) at \(special.time): write a time within \(within)")
            }
            return problems
        }
    }

    private func hoursProblems() -> [String] {
        var problems: [String] = []
        if hours.isEmpty { problems.append("hours: there are none: write open and close") }
        if !isAscending(hours.map(\.from)) {
            problems.append("hours: they are not in the order of their dates: the first has no `from`")
        }
        for hours in hours {
            if hours.open >= hours.close {
                problems.append(
                    "close: \(hours.close) is not after the open, \(hours.open): correct one of them"
                )
            }
            if let pause = hours.pause,
                !(hours.open < pause.start && pause.start < pause.end && pause.end < hours.close)
            {
                let times = "\(pause.start) to \(pause.end)"
                problems.append("break: \(times) is not within \(hours.open) to \(hours.close): correct it")
            }
        }
        return problems
    }

    private func weekProblems() -> [String] {
        var problems: [String] = []
        if !isAscending(weeks.map(\.from)) {
            problems.append("week: the entries are not in the order of their dates: the first has no `from`")
        }
        if weeks.contains(where: \.weekdays.isEmpty) {
            problems.append("week: there is no day in it: write such as [mon, tue, wed, thu, fri]")
        }
        return problems
    }

    private func isAscending(_ dates: [CivilDate?]) -> Bool {
        guard let first = dates.first else { return true }
        let rest = dates.dropFirst().compactMap(\.self)
        return first == nil && rest.count == dates.count - 1
            && zip(rest, rest.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// The dates that are listed and stay where they are.
    private func explicit(_ rules: [DayRule]) -> [CivilDate] {
        rules.flatMap { rule -> [CivilDate] in
            guard case .dates(let dates) = rule.anchor, rule.observance == .none else { return [] }
            return dates
        }
    }

    private func dateProblems(_ field: String, _ dates: [CivilDate]) -> [String] {
        var problems: [String] = []
        var seen: Set<CivilDate> = []
        for date in dates {
            if !seen.insert(date).inserted {
                problems.append("\(field): \(date) is listed twice: remove one")
            }
            if !years.contains(date.year) {
                problems.append(
                    "\(field): \(date) lies outside the years \(years.lowerBound) to "
                        + "\(years.upperBound): widen the years or remove it"
                )
            }
            if !weekdays(on: date).contains(date.weekday) {
                problems.append(
                    "\(field): \(date) falls on a weekend, when the market is closed: remove it"
                )
            }
        }
        return problems
    }
}
