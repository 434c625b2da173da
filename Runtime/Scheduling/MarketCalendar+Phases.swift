import FunctionCore

/// Phases: what windows and `swiftlet calendar status` go by.
extension MarketCalendar {
    /// The phase at an instant; `nil` where the market is closed.
    package func phase(at instant: Instant) throws(SchedulingError) -> MarketPhase? {
        try check(instant)
        return phaseSpans(from: instant, to: instant + .nanoseconds(1)).first?.phase
    }

    /// The stretches of all phases that touch the time from `start` until before `end`, sorted, none over
    /// another.
    ///
    /// What lies outside of the covered years is left out. They are worked out at each call: a week takes
    /// microseconds, forty years some ten milliseconds.
    package func phaseSpans(from start: Instant, to end: Instant) -> [PhaseSpan] {
        // A session's phases reach a day and a half beyond it at most: `SessionTime` is within a day of it.
        let reach = Duration.seconds(36 * 3_600)
        let first = sessions.partitioningIndex { $0.close + reach > start }
        let last = max(first, sessions.partitioningIndex { $0.open - reach >= end })
        var spans: [PhaseSpan] = []
        for session in sessions[first..<last] {
            for span in phases(of: session) {
                // Where the phases of two sessions meet the later one gives way.
                let begin = max(span.start, spans.last?.end ?? span.start)
                guard begin < span.end else { continue }
                spans.append(PhaseSpan(phase: span.phase, start: begin, end: span.end, session: session.date))
            }
        }
        return spans.filter { $0.end > start && $0.start < end }
    }

    /// The phases of all covered years.
    package var phaseSpans: [PhaseSpan] { phaseSpans(from: start, to: end) }

    /// When a condition holds, over the whole time the calendar answers for: sorted, disjoint, none empty.
    ///
    /// This is what a window's `while:` means. Neighbouring stretches are one: `pre` and `regular` together
    /// begin with the one and end with the other.
    package func spans(while condition: PhaseCondition) -> TimeSpans {
        let covered = start..<end
        switch condition {
        case .open:
            return TimeSpans(sessions.flatMap(\.openRanges), covered: covered)
        case .closed:
            return TimeSpans(sessions.map { $0.open..<$0.close }, covered: covered).inverted
        case .phases(let phases):
            let matching = phaseSpans.filter { phases.contains($0.phase) }
            return TimeSpans(matching.map { $0.start..<$0.end }, covered: covered)
        }
    }

    /// One session's phases, ascending.
    private func phases(of session: Session) -> [PhaseSpan] {
        var beside: [PhaseSpan] = []
        var regular = session.openRanges
        for rule in phaseRules where rule.from.map({ $0 <= session.date }) ?? true {
            let (start, end) = (instant(of: rule.start, session), instant(of: rule.end, session))
            func add(_ start: Instant, _ end: Instant) {
                guard start < end else { return }
                beside.append(PhaseSpan(phase: rule.phase, start: start, end: end, session: session.date))
            }
            add(start, min(end, session.open))
            for range in regular { add(max(start, range.lowerBound), min(end, range.upperBound)) }
            add(max(start, session.close), end)
            guard start < end else { continue }
            regular = regular.flatMap { range in
                [
                    (range.lowerBound, min(range.upperBound, start)),
                    (max(range.lowerBound, end), range.upperBound),
                ].filter { $0.0 < $0.1 }.map { $0.0..<$0.1 }
            }
        }
        beside += regular.map {
            PhaseSpan(phase: .regular, start: $0.lowerBound, end: $0.upperBound, session: session.date)
        }
        if let pause = session.pause {
            beside.append(
                PhaseSpan(
                    phase: .lunch,
                    start: pause.lowerBound,
                    end: pause.upperBound,
                    session: session.date
                )
            )
        }
        return beside.sorted { $0.start < $1.start }
    }

    private func instant(of edge: PhaseRule.Edge, _ session: Session) -> Instant {
        switch edge {
        case .open(let offset): session.open + offset
        case .close(let offset): session.close + offset
        case .time(let time):
            zone.instant(of: CivilTime(seconds: session.date.daysSinceEpoch * 86_400 + time.seconds))
        }
    }
}

extension MarketCalendar.Session {
    /// When it trades: once, or before and after its pause.
    package var openRanges: [Range<Instant>] {
        guard let pause else { return [open..<close] }
        return [open..<pause.lowerBound, pause.upperBound..<close]
    }
}
