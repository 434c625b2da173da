import FunctionCore

/// Works out the sessions of a calendar's years, day by day.
struct SessionTable {
    private let rules: CalendarRules
    private let zone: TimeZoneRules
    private var closed: Set<CivilDate>
    private let earlyCloses: [CivilDate: SessionTime]
    private let lateOpens: [CivilDate: SessionTime]
    private let overrides: [CivilDate: DayOverride]
    private(set) var sessions: [MarketCalendar.Session] = []
    private(set) var problems: [String] = []

    init(rules: CalendarRules, zone: TimeZoneRules, overrides: [DayOverride]) {
        self.rules = rules
        self.zone = zone
        closed = Set(DayRule.days(of: rules.holidays.map(\.day), in: rules.years).map(\.date))
        earlyCloses = SessionTable.times(rules.earlyCloses, rules.years)
        lateOpens = SessionTable.times(rules.lateOpens, rules.years)
        // The last word on a day holds.
        self.overrides = Dictionary(overrides.map { ($0.date, $0) }) { _, last in last }
        let first = Gregorian.days(year: rules.years.lowerBound, month: 1, day: 1)
        let end = Gregorian.days(year: rules.years.upperBound + 1, month: 1, day: 1)
        sessions.reserveCapacity(rules.years.count * 262)
        for day in first..<end { add(CivilDate(daysSinceEpoch: day)) }
        for date in self.overrides.keys.sorted() where !rules.years.contains(date.year) || isClosed(date) {
            problems.append("overrides: there is no session on \(date) by the calendar: remove it")
        }
    }

    /// The special time of each day that has one.
    private static func times(
        _ specials: [CalendarRules.SpecialTime],
        _ years: ClosedRange<Int>
    ) -> [CivilDate: SessionTime] {
        var times: [CivilDate: SessionTime] = [:]
        let listed = specials.filter(\.day.isListed)
        for group in [listed, specials.filter { !$0.day.isListed }] {
            for (index, date) in DayRule.days(of: group.map(\.day), in: years) where times[date] == nil {
                times[date] = group[index].time
            }
        }
        return times
    }

    private func isClosed(_ date: CivilDate) -> Bool {
        closed.contains(date) || !rules.weekdays(on: date).contains(date.weekday)
    }

    private mutating func add(_ date: CivilDate) {
        guard !isClosed(date) else { return }
        let hours = rules.hours(on: date)
        var (openTime, closeTime) = (lateOpens[date] ?? hours.open, earlyCloses[date] ?? hours.close)
        switch overrides[date]?.change {
        case .closed: return
        case .hours(let open, let close): (openTime, closeTime) = (open ?? openTime, close ?? closeTime)
        case nil: break
        }
        guard let open = instant(date, openTime), let close = instant(date, closeTime), open < close else {
            problems.append(
                openTime < closeTime
                    ? "hours: on \(date) the clock of \(zone.name) steps over the open or the close"
                    : "hours: on \(date) the close, \(closeTime), is not after the open, \(openTime)"
            )
            return
        }
        if let last = sessions.last, last.close > open {
            problems.append("hours: the session of \(date) begins before that of \(last.date) ends")
            return
        }
        // A half day that ends with the morning, or begins with the afternoon, has no pause.
        let pause = hours.pause.flatMap { pause -> Range<Instant>? in
            guard openTime < pause.start, pause.end < closeTime,
                let start = instant(date, pause.start), let end = instant(date, pause.end)
            else { return nil }
            return start..<end
        }
        sessions.append(
            MarketCalendar.Session(
                date: date,
                open: open,
                close: close,
                pause: pause,
                isEarlyClose: closeTime < hours.close,
                isLateOpen: openTime > hours.open
            )
        )
    }

    private func instant(_ date: CivilDate, _ time: SessionTime) -> Instant? {
        zone.onlyInstant(of: CivilTime(seconds: date.daysSinceEpoch * 86_400 + time.seconds))
    }
}

extension DayRule {
    fileprivate var isListed: Bool {
        guard case .dates = anchor else { return false }
        return true
    }
}

extension TimeZoneRules {
    /// The instant of a reading that the wall clock shows exactly once.
    func onlyInstant(of time: CivilTime) -> Instant? {
        // Far from any step, which is nearly always, the one offset decides; the bound is that of `meaning`.
        let segment = segment(at: time.seconds - 93_600)
        if end(of: segment) > time.seconds + 93_600 {
            return Instant(seconds: time.seconds - Int64(offsets[segment]))
        }
        guard case .once(let instant) = meaning(of: time) else { return nil }
        return instant
    }
}
