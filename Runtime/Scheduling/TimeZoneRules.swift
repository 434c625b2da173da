import FunctionCore

/// How a zone's wall clock differs from UTC, over the whole range of `Instant`.
///
/// The value is one sorted table: the transitions of the TZif file, and behind them those its footer rule
/// gives for every year up to 2262, the end of the range. Some 700 entries cost less than the
/// code that would tell the two apart at each look-up. Transitions that leave the offset as it is
/// (a new abbreviation) are dropped, so that each entry is a step of the wall clock.
package struct TimeZoneRules: Sendable, Hashable {
    /// The zone's name in the tz database, such as `America/New_York`.
    package let name: String
    /// Seconds since the epoch of each step of the wall clock, ascending.
    let steps: [Int64]
    /// `offsets[0]` rules before the first step, `offsets[n + 1]` from step `n` on; seconds east of UTC.
    let offsets: [Int32]

    /// Coordinated Universal Time, which needs no file.
    package static let utc = TimeZoneRules(name: "UTC", initialOffset: 0, transitions: [])

    init(name: String, initialOffset: Int32, transitions: [(at: Int64, offset: Int32)]) {
        self.name = name
        var steps: [Int64] = []
        var offsets = [initialOffset]
        for transition in transitions {
            let isBeforeRange = transition.at < Instant(nanoseconds: .min).seconds
            if isBeforeRange || transition.at == steps.last {
                offsets[offsets.count - 1] = transition.offset
            } else if transition.offset != offsets[offsets.count - 1],
                transition.at <= Instant(nanoseconds: .max).seconds
            {
                steps.append(transition.at)
                offsets.append(transition.offset)
            }
        }
        self.steps = steps
        self.offsets = offsets
    }

    /// What a wall clock reading means in a zone.
    package enum Meaning: Sendable, Hashable {
        /// The usual case.
        case once(Instant)
        /// The clock was put back: it showed the reading at both instants, the earlier given first.
        case twice(Instant, Instant)
        /// The clock was put forward over the reading at the given instant.
        case never(skippedAt: Instant)
    }

    /// A step of the wall clock.
    package struct Step: Sendable, Hashable {
        package let instant: Instant
        /// Seconds east of UTC until then.
        package let before: Int
        /// Seconds east of UTC from then on.
        package let after: Int
    }

    /// Seconds east of UTC at an instant.
    package func offset(at instant: Instant) -> Int {
        Int(offsets[segment(at: instant.seconds)])
    }

    /// What the wall clock shows at an instant; fractions of a second are dropped.
    package func civilTime(at instant: Instant) -> CivilTime {
        let seconds = instant.seconds
        return CivilTime(seconds: seconds + Int64(offsets[segment(at: seconds)]))
    }

    /// The instants at which the wall clock shows `time`.
    package func meaning(of time: CivilTime) -> Meaning {
        // No offset exceeds 26 hours, so only the segments this near can hold the reading.
        let first = segment(at: time.seconds - 93_600)
        let last = segment(at: time.seconds + 93_600)
        var found: [Int64] = []
        for index in first...last {
            let candidate = time.seconds - Int64(offsets[index])
            if candidate >= start(of: index) && candidate < end(of: index) {
                found.append(candidate)
            }
        }
        if let earliest = found.first, let latest = found.last {
            return earliest == latest
                ? .once(Instant(saturating: earliest))
                : .twice(Instant(saturating: earliest), Instant(saturating: latest))
        }
        // A gap: the step at which the reading is past on the new side but not yet reached on the old one.
        for index in first..<last
        where time.seconds >= steps[index] + Int64(offsets[index])
            && time.seconds < steps[index] + Int64(offsets[index + 1])
        {
            return .never(skippedAt: Instant(seconds: steps[index]))
        }
        preconditionFailure("a reading is either within a segment of \(name) or in a gap between two")
    }

    /// The instant a wall clock reading names: the first of two, and the end of the gap that skips it.
    package func instant(of time: CivilTime) -> Instant {
        switch meaning(of: time) {
        case .once(let instant), .twice(let instant, _), .never(let instant): instant
        }
    }

    /// The first step of the wall clock after an instant, if there is one.
    package func nextStep(after instant: Instant) -> Step? {
        let index = segment(at: instant.seconds)
        guard index < steps.count else { return nil }
        return Step(
            instant: Instant(seconds: steps[index]),
            before: Int(offsets[index]),
            after: Int(offsets[index + 1])
        )
    }

    /// The index into `offsets` that rules at a second.
    func segment(at seconds: Int64) -> Int {
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle] <= seconds {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    func start(of segment: Int) -> Int64 { segment == 0 ? .min : steps[segment - 1] }
    func end(of segment: Int) -> Int64 { segment == steps.count ? .max : steps[segment] }
}

extension Instant {
    /// The instant at a second, or the end of the range nearest to it.
    init(saturating seconds: Int64) {
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self.init(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : nanoseconds)
    }
}
