import FunctionCore

/// Times told by the sessions of a market: so long after the open, so long before the close, or again and
/// again while it is open.
///
/// Early closes and holidays are the calendar's; daylight saving time never shows, as opens and closes are
/// instants.
package struct SessionSchedule: Sendable, Hashable {
    /// When within a session.
    package enum Time: Sendable, Hashable {
        /// Once.
        case at(SessionEdge)
        /// From an edge on, in an interval, before another edge; not in the session's pause.
        case every(Duration, from: SessionEdge, until: SessionEdge)
    }

    /// Which sessions.
    package enum Selection: Sendable, Hashable {
        case all
        /// The n-th of its month; counted from the end where negative.
        case ofMonth(Int)
        /// The n-th of its week, which begins on Monday; counted from the end where negative.
        case ofWeek(Int)
        /// The last one before a weekday without a session.
        case beforeHoliday
        /// The first one after a weekday without a session.
        case afterHoliday
    }

    package let calendar: MarketCalendar
    package let time: Time
    package let selection: Selection

    package init(calendar: MarketCalendar, time: Time, selection: Selection = .all) {
        self.calendar = calendar
        self.time = time
        self.selection = selection
    }

    /// The schedule in words.
    package var text: String {
        let when =
            switch time {
            case .at(let edge): "at \(edge)"
            case .every(let interval, let from, let until):
                "every \(EverySchedule.text(of: interval)) from \(from) until \(until)"
            }
        return "sessions \(calendar.name) \(selection) \(when)"
    }

    /// Whether its times lie between open and close, as far as its edges tell.
    package var isWithin: Bool {
        switch time {
        case .at(let edge): edge.anchor == .open ? edge.offset >= .zero : edge.offset < .zero
        case .every(_, let from, let until):
            (from.anchor == .close || from.offset >= .zero)
                && (until.anchor == .open || until.offset <= .zero)
        }
    }

    /// The first nominal time after an instant, with the close of its session.
    /// - Throws: `calendar_expired` where the calendar does not reach so far.
    package func next(after instant: Instant) throws(SchedulingError) -> (instant: Instant, closes: Instant) {
        _ = try calendar.isOpen(at: instant)
        let sessions = calendar.sessions
        // Edges keep the order of their sessions, as their distance is the same in each.
        let first = sessions.partitioningIndex { lastEdge(of: $0) > instant }
        for index in first..<sessions.count where isSelected(index) {
            let session = sessions[index]
            if let found = next(in: session, after: instant) { return (found, session.close) }
        }
        throw calendar.expired(at: "the next time after \(instant.rfc3339) of a schedule")
    }

    private func lastEdge(of session: MarketCalendar.Session) -> Instant {
        switch time {
        case .at(let edge): session.instant(of: edge)
        case .every(_, _, let until): session.instant(of: until)
        }
    }

    private func next(in session: MarketCalendar.Session, after instant: Instant) -> Instant? {
        switch time {
        case .at(let edge):
            let time = session.instant(of: edge)
            return time > instant ? time : nil
        case .every(let interval, let from, let until):
            let grid = EverySchedule(interval: interval, anchor: session.instant(of: from))
            var time = grid.next(after: instant)
            if let pause = session.pause, let inPause = time, pause.contains(inPause) {
                time = grid.next(after: pause.upperBound - .nanoseconds(1))
            }
            return time.flatMap { $0 < session.instant(of: until) ? $0 : nil }
        }
    }

    /// Whether the session with this index is one of those wanted.
    private func isSelected(_ index: Int) -> Bool {
        let sessions = calendar.sessions
        switch selection {
        case .all: return true
        case .ofMonth(let number):
            return isNumber(number, at: index) {
                ($0.date.year, $0.date.month) == (sessions[index].date.year, sessions[index].date.month)
            }
        case .ofWeek(let number):
            let week = SessionSchedule.week(sessions[index])
            return isNumber(number, at: index) { SessionSchedule.week($0) == week }
        case .beforeHoliday:
            return index + 1 < sessions.count && isGap(sessions[index], sessions[index + 1])
        case .afterHoliday:
            return index > 0 && isGap(sessions[index - 1], sessions[index])
        }
    }

    /// Whether a session is the n-th of those around it that belong together.
    private func isNumber(
        _ number: Int,
        at index: Int,
        _ belongs: (MarketCalendar.Session) -> Bool
    ) -> Bool {
        let step = number > 0 ? -1 : 1
        var others = 0
        var other = index + step
        while calendar.sessions.indices.contains(other), belongs(calendar.sessions[other]) {
            others += 1
            other += step
        }
        return others + 1 == abs(number)
    }

    /// Monday-based weeks since the epoch, which was a Thursday.
    private static func week(_ session: MarketCalendar.Session) -> Int64 {
        (session.date.daysSinceEpoch + 3).floorDivided(by: 7)
    }

    /// Whether a weekday without a session lies between two sessions.
    private func isGap(_ left: MarketCalendar.Session, _ right: MarketCalendar.Session) -> Bool {
        var day = left.date.daysSinceEpoch + 1
        while day < right.date.daysSinceEpoch {
            if 1...5 ~= CivilDate.weekday(daysSinceEpoch: day) { return true }
            day += 1
        }
        return false
    }
}

extension SessionSchedule.Selection: CustomStringConvertible {
    /// Reads `all`, `last of month`, `3 of week`, `-2 of month`, `before holiday`, `after holiday`.
    package init?(parsing text: some StringProtocol) {
        let words = text.split(separator: " ")
        switch words.map({ String($0) }) {
        case ["all"]: self = .all
        case ["before", "holiday"]: self = .beforeHoliday
        case ["after", "holiday"]: self = .afterHoliday
        case let words where words.count == 3 && words[1] == "of":
            let names = ["first": 1, "last": -1]
            guard let number = names[words[0]] ?? Int(words[0]), number != 0 else { return nil }
            switch words[2] {
            case "month" where abs(number) <= 23: self = .ofMonth(number)
            case "week" where abs(number) <= 7: self = .ofWeek(number)
            default: return nil
            }
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .all: "all"
        case .ofMonth(let number): "\(number) of month"
        case .ofWeek(let number): "\(number) of week"
        case .beforeHoliday: "before holiday"
        case .afterHoliday: "after holiday"
        }
    }
}

extension MarketCalendar.Session {
    /// The instant of an edge, told by this session's open or close.
    fileprivate func instant(of edge: SessionEdge) -> Instant {
        (edge.anchor == .open ? open : close) + edge.offset
    }
}
