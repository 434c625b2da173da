import FunctionCore

/// The sessions of one market, as instants.
///
/// All sessions of the covered years are worked out when the calendar is made, some 250 a year, and kept
/// sorted; each question is a binary search. A question about a time outside these years throws
/// `calendar_expired`: taking it for "closed" would silently end all trading with the file's last year.
package struct MarketCalendar: Sendable, Hashable {
    /// One trading day: open from `open`, closed again from `close` on.
    package struct Session: Sendable, Hashable {
        /// The session's label; with some markets it opens on the day before.
        package let date: CivilDate
        package let open: Instant
        package let close: Instant
        /// The pause within, in which the market does not trade.
        package let pause: Range<Instant>?
        /// Whether it closes before the regular hour.
        package let isEarlyClose: Bool
        /// Whether it opens after the regular hour.
        package let isLateOpen: Bool
    }

    /// The market's identifier code.
    package let name: String
    /// Which edition of the data it is made from.
    package let version: String
    /// Where that data is from.
    package let sources: [String]
    /// The years it answers for.
    package let years: ClosedRange<Int>
    /// The zone its labels are dates of.
    package let zone: TimeZoneRules
    /// When its phases beside the regular one are.
    package let phaseRules: [PhaseRule]
    /// Every session of the covered years, ascending.
    package let sessions: [Session]
    /// The first instant the calendar answers for: midnight before the first covered year.
    package let start: Instant
    /// The first instant it no longer answers for.
    ///
    /// That is midnight after the last covered year, or before it, where the next year's first session would
    /// open.
    package let end: Instant

    /// - Throws: `calendar_invalid`, listing everything that is wrong with the rules or the overrides.
    package init(
        rules: CalendarRules,
        zone: TimeZoneRules,
        overrides: [DayOverride] = []
    ) throws(SchedulingError) {
        var problems = rules.problems()
        if zone.name != rules.zone {
            problems.append("zone: the hours are given in \(rules.zone), not \(zone.name): load that zone")
        }
        try MarketCalendar.check(problems, of: rules.name)
        let table = SessionTable(rules: rules, zone: zone, overrides: overrides)
        try MarketCalendar.check(table.problems, of: rules.name)
        name = rules.name
        version = rules.version
        sources = rules.sources
        years = rules.years
        self.zone = zone
        phaseRules = rules.phases
        sessions = table.sessions
        let firstDay = Gregorian.days(year: years.lowerBound, month: 1, day: 1)
        let endDay = Gregorian.days(year: years.upperBound + 1, month: 1, day: 1)
        start = zone.instant(of: CivilTime(seconds: firstDay * 86_400))
        let open = rules.hours(on: CivilDate(daysSinceEpoch: endDay)).open
        end = zone.instant(of: CivilTime(seconds: endDay * 86_400 + min(0, open.seconds)))
    }

    /// A calendar whose sessions are the spans of others put together.
    ///
    /// A session's label is the date on which its span begins; a date may have several.
    package init(name: String, version: String, spans: TimeSpans, zone: TimeZoneRules) {
        self.name = name
        self.version = version
        sources = []
        self.zone = zone
        (start, end) = (spans.covered.lowerBound, spans.covered.upperBound)
        let last = zone.civilTime(at: end - .nanoseconds(1)).date.year
        years = zone.civilTime(at: start).date.year...last
        phaseRules = []
        sessions = spans.spans.map { span in
            Session(
                date: zone.civilTime(at: span.lowerBound).date,
                open: span.lowerBound,
                close: span.upperBound,
                pause: nil,
                isEarlyClose: false,
                isLateOpen: false
            )
        }
    }

    /// The session of a date, or `nil` on a weekend or a holiday.
    package func session(on date: CivilDate) throws(SchedulingError) -> Session? {
        guard years.contains(date.year) else { throw expired(at: date.description) }
        let index = sessions.partitioningIndex { $0.date >= date }
        return index < sessions.count && sessions[index].date == date ? sessions[index] : nil
    }

    /// The sessions of a range of dates.
    package func sessions(of dates: ClosedRange<CivilDate>) throws(SchedulingError) -> ArraySlice<Session> {
        for date in [dates.lowerBound, dates.upperBound] where !years.contains(date.year) {
            throw expired(at: date.description)
        }
        let first = sessions.partitioningIndex { $0.date >= dates.lowerBound }
        let end = sessions.partitioningIndex { $0.date > dates.upperBound }
        return sessions[first..<end]
    }

    /// Whether the market trades: within a session and outside of its pause.
    ///
    /// A session's first instant counts, its close does not; so it is with the pause.
    package func isOpen(at instant: Instant) throws(SchedulingError) -> Bool {
        try check(instant)
        let index = sessions.partitioningIndex { $0.close > instant }
        guard index < sessions.count, sessions[index].open <= instant else { return false }
        return !(sessions[index].pause?.contains(instant) ?? false)
    }

    /// The session that is on, or else the next one.
    package func session(atOrAfter instant: Instant) throws(SchedulingError) -> Session {
        try check(instant)
        let index = sessions.partitioningIndex { $0.close > instant }
        guard index < sessions.count else { throw expired(at: instant.rfc3339) }
        return sessions[index]
    }

    /// The first opening of a session later than an instant; the end of a pause is none.
    package func nextOpen(after instant: Instant) throws(SchedulingError) -> Instant {
        try check(instant)
        let index = sessions.partitioningIndex { $0.open > instant }
        guard index < sessions.count else { throw expired(at: instant.rfc3339) }
        return sessions[index].open
    }

    /// The first close of a session later than an instant; the start of a pause is none.
    package func nextClose(after instant: Instant) throws(SchedulingError) -> Instant {
        try session(atOrAfter: instant).close
    }

    /// The fault of asking for what the covered years do not hold.
    func expired(at time: String) -> SchedulingError {
        SchedulingError(
            .calendarExpired,
            "calendar \(name) covers \(years.lowerBound) to \(years.upperBound) and cannot answer for "
                + "\(time): add the missing years to its file"
        )
    }

    func check(_ instant: Instant) throws(SchedulingError) {
        guard instant >= start, instant < end else { throw expired(at: instant.rfc3339) }
    }

    private static func check(_ problems: [String], of name: String) throws(SchedulingError) {
        guard !problems.isEmpty else { return }
        throw SchedulingError(.calendarInvalid, "calendar \(name): " + problems.joined(separator: "; "))
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
