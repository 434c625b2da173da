import FunctionCore

/// Stretches of time, and the time for which they are known.
package struct TimeSpans: Sendable, Hashable {
    /// Ascending, disjoint, with time between any two, none empty; all within `covered`.
    package let spans: [Range<Instant>]
    /// Outside of it nothing is known: neither that a span is there nor that none is.
    package let covered: Range<Instant>

    /// Takes ranges that ascend by their beginnings; those that touch or overlap become one.
    package init(_ ranges: [Range<Instant>], covered: Range<Instant>) {
        var spans: [Range<Instant>] = []
        spans.reserveCapacity(ranges.count)
        for range in ranges.map({ $0.clamped(to: covered) }) where !range.isEmpty {
            if let last = spans.last, range.lowerBound <= last.upperBound {
                spans[spans.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                spans.append(range)
            }
        }
        self.spans = spans
        self.covered = covered
    }

    /// The time between the spans.
    package var inverted: TimeSpans {
        var gaps: [Range<Instant>] = []
        var edge = covered.lowerBound
        for span in spans {
            gaps.append(edge..<span.lowerBound)
            edge = span.upperBound
        }
        gaps.append(edge..<covered.upperBound)
        return TimeSpans(gaps, covered: covered)
    }

    /// What is in either; known where both are.
    package func union(_ other: TimeSpans) -> TimeSpans {
        let both = (spans + other.spans).sorted { $0.lowerBound < $1.lowerBound }
        return TimeSpans(both, covered: covered.clamped(to: other.covered))
    }

    /// What is in both; known where both are.
    package func intersection(_ other: TimeSpans) -> TimeSpans {
        var common: [Range<Instant>] = []
        var (left, right) = (spans[...], other.spans[...])
        while let first = left.first, let second = right.first {
            let start = max(first.lowerBound, second.lowerBound)
            let end = min(first.upperBound, second.upperBound)
            if start < end { common.append(start..<end) }
            if first.upperBound < second.upperBound { left.removeFirst() } else { right.removeFirst() }
        }
        return TimeSpans(common, covered: covered.clamped(to: other.covered))
    }
}
