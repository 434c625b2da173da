import FunctionCore

extension CronExpression {
    /// No nominal time lies in or after the year behind this one; the search for one that never comes ends
    /// here.
    package static let lastYear = 2199

    /// 2200-01-01T00:00:00 in seconds since the epoch.
    private static let horizon: Int64 = 7_258_118_400

    /// Gaps longer than this many seconds (a zone that skips a whole day) fire nothing.
    private static let longestFilledGap: Int64 = 3 * 3_600

    /// More seconds than any two offsets of a zone differ by, with room.
    private static let reach: Int64 = 3 * 86_400

    /// The first nominal time after an instant, in a zone; `nil` if there is none up to the end of
    /// `CronExpression.lastYear`.
    ///
    /// The instants between two steps of the wall clock are searched as plain wall clock time; what happens
    /// at a step is decided between two searches. Applied to its own result it yields each nominal time once,
    /// strictly ascending.
    package func next(after instant: Instant, zone: TimeZoneRules) -> Instant? {
        guard hasDates else { return nil }
        let earliest = instant.seconds + 1
        return daylight == .utc ? next(from: earliest, .utc) : next(from: earliest, zone)
    }

    private func next(from earliest: Int64, _ zone: TimeZoneRules) -> Instant? {
        var segment = zone.segment(at: earliest)
        while segment < zone.offsets.count, zone.start(of: segment) < CronExpression.horizon {
            let offset = Int64(zone.offsets[segment])
            let step = zone.start(of: segment)
            let start = max(earliest, step)
            if segment > 0, let madeUp = madeUp(from: start, after: segment, zone) { return madeUp }
            var first = start + offset
            if isFixed, daylight != .both, segment > 0 {
                // Readings the clock has shown before it was put back are not fired a second time.
                first = max(first, step + Int64(zone.offsets[segment - 1]))
            }
            let limit = min(zone.end(of: segment), CronExpression.horizon) + offset
            // Sought beyond the segment's end: what is found there tells how many segments have none.
            guard let reading = firstReading(from: first, before: CronExpression.horizon + offset) else {
                // Behind the last reading only those remain that the clock is about to repeat.
                if limit - first > CronExpression.reach { return nil }
                segment += 1
                continue
            }
            if reading < limit { return Instant(seconds: reading - offset) }
            segment += 1
            if limit - first > CronExpression.reach, reading - limit > 2 * CronExpression.reach {
                segment = max(segment, zone.segment(at: reading - offset - CronExpression.reach))
            }
        }
        return nil
    }

    /// What a fixed expression fires for the readings that the step in front of a segment skips.
    private func madeUp(from start: Int64, after segment: Int, _ zone: TimeZoneRules) -> Instant? {
        guard isFixed, daylight != .skip else { return nil }
        let step = zone.start(of: segment)
        let before = step + Int64(zone.offsets[segment - 1])
        let after = step + Int64(zone.offsets[segment])
        let gap = after - before
        guard gap > 0, gap <= CronExpression.longestFilledGap, start < step + gap else { return nil }
        guard daylight == .shift else {
            guard start == step else { return nil }
            return firstReading(from: before, before: after) == nil ? nil : Instant(seconds: step)
        }
        // Read by the offset of before, a skipped reading is as much later as the gap is long.
        guard let skipped = firstReading(from: before + start - step, before: after) else { return nil }
        let shifted = step + skipped - before
        let usual = firstReading(from: after + start - step, before: after + shifted - step)
        return Instant(seconds: usual.map { step + $0 - after } ?? shifted)
    }

    /// The first reading that matches, at or after `earliest` and before `limit`, in seconds of the wall
    /// clock.
    ///
    /// Years, months and days that cannot match are stepped over whole, so that the search takes at most 12
    /// steps a year; `limit` bounds it for expressions that do not match any more.
    func firstReading(from earliest: Int64, before limit: Int64) -> Int64? {
        guard earliest < limit else { return nil }
        let startDay = earliest.floorDivided(by: 86_400)
        var (year, month, day) = Gregorian.date(days: startDay)
        var time = Int(earliest - startDay * 86_400)
        var first = startDay - Int64(day - 1)
        while true {
            let candidateYear = self.year(from: year)
            guard let candidateYear else { return nil }
            if candidateYear == year, months & (1 << UInt64(month)) != 0 {
                var candidates = matchingDays(of: month, year: year, firstDay: first) & (~0 << UInt64(day))
                while candidates != 0 {
                    let candidate = candidates.trailingZeroBitCount
                    if let found = firstTime(from: candidate == day ? time : 0) {
                        let reading = (first + Int64(candidate - 1)) * 86_400 + Int64(found)
                        return reading < limit ? reading : nil
                    }
                    candidates &= candidates - 1
                }
            }
            let later = candidateYear == year ? months & (~0 << UInt64(month + 1)) : 0
            if later != 0 {
                month = later.trailingZeroBitCount
            } else {
                year = max(candidateYear, year + 1)
                month = months.trailingZeroBitCount
            }
            (day, time) = (1, 0)
            first = Gregorian.days(year: year, month: month, day: 1)
            guard first * 86_400 < limit else { return nil }
        }
    }

    /// The first second of the day that matches, from the given one on.
    private func firstTime(from time: Int) -> Int? {
        let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60)
        if hours & (1 << UInt64(hour)) != 0 {
            if minutes & (1 << UInt64(minute)) != 0 {
                let rest = seconds & (~0 << UInt64(second))
                if rest != 0 { return time - second + rest.trailingZeroBitCount }
            }
            let rest = minutes & (~0 << UInt64(minute + 1))
            if rest != 0 {
                return hour * 3_600 + rest.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
            }
        }
        let later = hours & (~0 << UInt64(hour + 1))
        guard later != 0 else { return nil }
        return later.trailingZeroBitCount * 3_600 + minutes.trailingZeroBitCount * 60
            + seconds.trailingZeroBitCount
    }
}
