import FunctionCore

/// When each window of a rotation is open, worked out for all the years its calendar covers.
///
/// No two windows are ever planned to be open at once; a rotation whose windows would overlap on any single
/// day, for instance a half day, cannot be made. Like the calendar it stands on, a plan refuses to answer
/// outside the time it knows.
package struct RotationPlan: Sendable, Hashable {
    /// One opening of one window.
    package struct Span: Sendable, Hashable {
        package let window: String
        /// When its function is warmed.
        package let arms: Instant
        package let opens: Instant
        /// The cutoff: from here on nothing begins.
        package let closes: Instant
        /// The window's end: what still runs drains.
        package let ends: Instant
        /// When what still runs is cancelled, so that there is time for the checkpoint.
        package let cancels: Instant
        /// The latest end of all, where the holder's token is fenced.
        package let hardStop: Instant
    }

    /// A window's opening or closing, as a preview lists them.
    package struct Event: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            case open
            case close
        }

        package let instant: Instant
        package let window: String
        package let kind: Kind
    }

    package let id: String
    package let windows: [RotationWindow]
    /// A window that opens later than this after its time is an alarm.
    package let gap: Duration
    /// Every span, ascending; none overlaps another.
    package let spans: [Span]
    /// The time the plan can answer for.
    package let covered: Range<Instant>
    package let calendar: MarketCalendar

    /// - Throws: `rotation_invalid`, listing everything that is wrong.
    package init(
        id: String,
        calendar: MarketCalendar,
        windows: [RotationWindow],
        gap: Duration = .seconds(60)
    ) throws(SchedulingError) {
        self.id = id
        self.gap = gap
        self.windows = windows
        self.calendar = calendar
        var problems = windows.flatMap { $0.problems() }
        if windows.isEmpty { problems.append("windows: there are none: add one") }
        if Set(windows.map(\.name)).count != windows.count {
            problems.append("windows: two have the same name: rename one")
        }
        try RotationPlan.check(problems, of: id)
        spans = windows.flatMap { RotationPlan.spans(of: $0, in: calendar) }.sorted { $0.opens < $1.opens }
        covered = RotationPlan.coverage(of: windows, in: calendar)
        let overlap = zip(spans, spans.dropFirst()).first { $0.ends > $1.opens }
        if let (first, second) = overlap {
            problems.append(
                "windows: \(first.window), open from \(first.opens.rfc3339) to \(first.ends.rfc3339), and "
                    + "\(second.window), open from \(second.opens.rfc3339), overlap: move an edge"
            )
        }
        try RotationPlan.check(problems, of: id)
    }

    /// The span that holds an instant; `nil` between two spans.
    package func span(at instant: Instant) throws(SchedulingError) -> Span? {
        guard covered.contains(instant) else { throw calendar.expired(at: instant.rfc3339) }
        let index = spans.partitioningIndex { $0.closes > instant }
        return index < spans.count && spans[index].opens <= instant ? spans[index] : nil
    }

    /// The window's span that holds an instant, or else its next one.
    package func span(of window: String, endingAfter instant: Instant) throws(SchedulingError) -> Span {
        guard covered.contains(instant) else { throw calendar.expired(at: instant.rfc3339) }
        let first = spans.partitioningIndex { $0.closes > instant }
        guard let span = spans[first...].first(where: { $0.window == window }) else {
            throw calendar.expired(at: "the opening of \(window) after \(instant.rfc3339)")
        }
        return span
    }

    /// The next instant after the given one at which any window arms, opens or closes.
    package func nextEdge(after instant: Instant) throws(SchedulingError) -> Instant {
        guard covered.contains(instant) else { throw calendar.expired(at: instant.rfc3339) }
        let index = spans.partitioningIndex { $0.closes > instant }
        // The next but one may arm before the next has closed.
        let edges = spans[index...].prefix(2).flatMap { [$0.arms, $0.opens, $0.closes] }
        return edges.filter { $0 > instant }.min() ?? covered.upperBound
    }

    /// The span whose window is to be warmed at an instant, as it opens soon.
    package func arming(at instant: Instant) throws(SchedulingError) -> Span? {
        guard covered.contains(instant) else { throw calendar.expired(at: instant.rfc3339) }
        let index = spans.partitioningIndex { $0.opens > instant }
        return index < spans.count && spans[index].arms <= instant ? spans[index] : nil
    }

    /// All openings and closings from an instant on and before another, in their order.
    package func timeline(from start: Instant, to end: Instant) throws(SchedulingError) -> [Event] {
        guard covered.contains(start) else { throw calendar.expired(at: start.rfc3339) }
        guard end <= covered.upperBound else { throw calendar.expired(at: end.rfc3339) }
        var events: [Event] = []
        for span in spans[spans.partitioningIndex { $0.closes >= start }...] {
            guard span.opens < end else { break }
            if span.opens >= start {
                events.append(Event(instant: span.opens, window: span.window, kind: .open))
            }
            if span.closes < end {
                events.append(Event(instant: span.closes, window: span.window, kind: .close))
            }
        }
        return events
    }

    private static func spans(of window: RotationWindow, in calendar: MarketCalendar) -> [Span] {
        switch window.base {
        case .session: return calendar.sessions.compactMap { window.span(in: $0.open..<$0.close) }
        case .phase(let condition):
            let times = calendar.spans(while: condition)
            // What the calendar's years cut off has an edge that no session tells.
            let whole = times.spans.filter {
                condition != .closed
                    || ($0.lowerBound > times.covered.lowerBound && $0.upperBound < times.covered.upperBound)
            }
            return whole.compactMap { window.span(in: $0) }
        }
    }

    /// Less than the calendar's years where an edge depends on a session before or after them.
    private static func coverage(
        of windows: [RotationWindow],
        in calendar: MarketCalendar
    ) -> Range<Instant> {
        let offsets = windows.flatMap { [$0.from.offset, $0.to.offset] } + [.zero]
        var start = calendar.start + (offsets.max() ?? .zero)
        var end = calendar.end + (offsets.min() ?? .zero)
        if windows.contains(where: { $0.base == .closed }) {
            if let first = calendar.sessions.first { start = max(start, first.open) }
            if let last = calendar.sessions.last { end = min(end, last.close) }
        }
        return start..<max(start, end)
    }

    private static func check(_ problems: [String], of id: String) throws(SchedulingError) {
        guard !problems.isEmpty else { return }
        throw SchedulingError(.rotationInvalid, "rotation \(id): " + problems.joined(separator: "; "))
    }
}
