import FunctionCore

/// The sessions of one market, as instants.
///
/// All sessions of the covered years are worked out when the calendar is made, some 250 a year, and kept
/// sorted; each question is a binary search. A question about a time outside these years throws
/// `calendar_expired`: taking it for "closed" would silently end all trading with the file's last year.
package struct MarketCalendar: Sendable, Hashable {
    /// One trading day: open from `open`, closed again from `close` on.
    package struct Session: Sendable, Hashable {
        package let date: CivilDate
        package let open: Instant
        package let close: Instant
        /// Whether it closes before the regular hour.
        package let isEarlyClose: Bool
    }

    package let rules: CalendarRules
    /// Every session of the covered years, ascending.
    package let sessions: [Session]
    /// The first instant the calendar answers for: midnight before the first covered year.
    package let start: Instant
    /// The first instant it no longer answers for: midnight after the last covered year.
    package let end: Instant

    /// - Throws: `calendar_invalid`, listing everything that is wrong with the rules.
    package init(rules: CalendarRules, zone: TimeZoneRules) throws(SchedulingError) {
        var problems = rules.problems()
        if zone.name != rules.zone {
            problems.append("zone: the hours are given in \(rules.zone), not \(zone.name): load that zone")
        }
        try MarketCalendar.check(problems, of: rules)
        self.rules = rules
        let firstDay = Gregorian.days(year: rules.years.lowerBound, month: 1, day: 1)
        let endDay = Gregorian.days(year: rules.years.upperBound + 1, month: 1, day: 1)
        start = zone.instant(of: CivilTime(seconds: firstDay * 86_400))
        end = zone.instant(of: CivilTime(seconds: endDay * 86_400))
        let holidays = Set(rules.holidays.map { $0.date.daysSinceEpoch })
        let earlyCloses = rules.earlyCloses.map { ($0.date.daysSinceEpoch, $0.close) }
        let earlyClose = Dictionary(earlyCloses) { first, _ in first }
        var sessions: [Session] = []
        for day in firstDay..<endDay where !holidays.contains(day) {
            let date = CivilDate(daysSinceEpoch: day)
            guard 1...5 ~= date.weekday else { continue }
            guard
                case .once(let open) = zone.meaning(of: CivilTime(date, rules.open)),
                case .once(let close) = zone.meaning(of: CivilTime(date, earlyClose[day] ?? rules.close))
            else {
                problems.append(
                    "hours: on \(date) the clock of \(zone.name) steps over the open or the close"
                )
                continue
            }
            sessions.append(
                Session(date: date, open: open, close: close, isEarlyClose: earlyClose[day] != nil)
            )
        }
        self.sessions = sessions
        try MarketCalendar.check(problems, of: rules)
    }

    /// The session of a date, or `nil` on a weekend or a holiday.
    package func session(on date: CivilDate) throws(SchedulingError) -> Session? {
        guard rules.years.contains(date.year) else { throw expired(at: date.description) }
        let index = sessions.partitioningIndex { $0.date >= date }
        return index < sessions.count && sessions[index].date == date ? sessions[index] : nil
    }

    /// Whether a session is on; its first instant counts, its close does not.
    package func isOpen(at instant: Instant) throws(SchedulingError) -> Bool {
        try check(instant)
        let index = sessions.partitioningIndex { $0.close > instant }
        return index < sessions.count && sessions[index].open <= instant
    }

    /// The session that is on, or else the next one.
    package func session(atOrAfter instant: Instant) throws(SchedulingError) -> Session {
        try check(instant)
        let index = sessions.partitioningIndex { $0.close > instant }
        guard index < sessions.count else { throw expired(at: instant.rfc3339) }
        return sessions[index]
    }

    /// The first opening later than an instant.
    package func nextOpen(after instant: Instant) throws(SchedulingError) -> Instant {
        try check(instant)
        let index = sessions.partitioningIndex { $0.open > instant }
        guard index < sessions.count else { throw expired(at: instant.rfc3339) }
        return sessions[index].open
    }

    /// The first close later than an instant.
    package func nextClose(after instant: Instant) throws(SchedulingError) -> Instant {
        try session(atOrAfter: instant).close
    }

    /// The fault of asking for what the covered years do not hold.
    func expired(at time: String) -> SchedulingError {
        let (first, last) = (rules.years.lowerBound, rules.years.upperBound)
        return SchedulingError(
            .calendarExpired,
            "calendar \(rules.name) covers \(first) to \(last) and cannot answer for \(time): "
                + "add the following year's holidays and early closes to its file"
        )
    }

    private func check(_ instant: Instant) throws(SchedulingError) {
        guard instant >= start, instant < end else { throw expired(at: instant.rfc3339) }
    }

    private static func check(_ problems: [String], of rules: CalendarRules) throws(SchedulingError) {
        guard !problems.isEmpty else { return }
        throw SchedulingError(
            .calendarInvalid,
            "calendar \(rules.name): " + problems.joined(separator: "; ")
        )
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element satisfies the condition, in a collection where all after it do too.
    func partitioningIndex(where condition: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
