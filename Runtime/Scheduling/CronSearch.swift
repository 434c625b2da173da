import FunctionCore

extension CronExpression {
    /// No nominal time lies in or after this year; the search for one that never comes ends here.
    package static let lastYear = 2199

    /// Gaps longer than this many seconds (a zone that skips a whole day) fire nothing.
    private static let longestFilledGap: Int64 = 3 * 3_600

    /// The first nominal time after an instant, in a zone; `nil` if there is none up to the end of
    /// `CronExpression.lastYear`.
    ///
    /// The instants between two steps of the wall clock are searched as plain wall clock time; what happens
    /// at a step is decided between two searches. Applied to its own result it yields each nominal time once,
    /// strictly ascending.
    package func next(after instant: Instant, zone: TimeZoneRules) -> Instant? {
        let horizon = Gregorian.days(year: CronExpression.lastYear + 1, month: 1, day: 1) * 86_400
        let earliest = instant.seconds + 1
        var segment = zone.segment(at: earliest)
        while segment < zone.offsets.count, zone.start(of: segment) < horizon {
            let offset = Int64(zone.offsets[segment])
            let start = max(earliest, zone.start(of: segment))
            if segment > 0, start == zone.start(of: segment), collapses(intoStartOf: segment, of: zone) {
                return Instant(seconds: start)
            }
            var firstReading = start + offset
            if isFixed, segment > 0 {
                // Readings the clock has shown before it was put back are not fired a second time.
                firstReading = max(firstReading, zone.start(of: segment) + Int64(zone.offsets[segment - 1]))
            }
            let limit = min(zone.end(of: segment), horizon) + offset
            if firstReading < limit, let reading = self.firstReading(from: firstReading, before: limit) {
                return Instant(seconds: reading - offset)
            }
            segment += 1
        }
        return nil
    }

    /// Whether the step that begins a segment skips a reading which a fixed expression must make up for.
    private func collapses(intoStartOf segment: Int, of zone: TimeZoneRules) -> Bool {
        let step = zone.start(of: segment)
        let before = step + Int64(zone.offsets[segment - 1])
        let after = step + Int64(zone.offsets[segment])
        guard isFixed, after > before, after - before <= CronExpression.longestFilledGap else { return false }
        return firstReading(from: before, before: after) != nil
    }
}
