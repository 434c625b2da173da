import FunctionCore

/// A metric's averages over its recent past, weighted by time.
///
/// Samples are put together in buckets of a sixteenth of the short window, so that the memory has a bound
/// however often samples come.
struct MetricWindow: Sendable {
    private struct Bucket {
        var begin: Monotonic
        var end: Monotonic
        var weight: Double
        var sum: Double
    }

    private let span: Duration
    private let grain: Duration
    private var buckets: [Bucket] = []

    init(span: Duration, shortest: Duration) {
        self.span = span
        self.grain = shortest / 16
    }

    /// Takes in what the metric was for the time `elapsed` up to `now`.
    mutating func add(_ value: Double, for elapsed: Duration, at now: Monotonic) {
        // The first sample has no time before it, and is nevertheless all that is known.
        let weight = max(Double(elapsed.nanoseconds), 1)
        if let last = buckets.indices.last, now - buckets[last].begin < grain {
            buckets[last].end = now
            buckets[last].weight += weight
            buckets[last].sum += value * weight
        } else {
            buckets.append(Bucket(begin: now, end: now, weight: weight, sum: value * weight))
        }
        if let first = buckets.firstIndex(where: { now - $0.end < span }), first > 0 {
            buckets.removeFirst(first)
        }
    }

    /// The average over the last `window`, or over what is known of it.
    func average(over window: Duration, at now: Monotonic) -> Double {
        var weight = 0.0
        var sum = 0.0
        for bucket in buckets.reversed() {
            guard now - bucket.end < window else { break }
            weight += bucket.weight
            sum += bucket.sum
        }
        return weight > 0 ? sum / weight : 0
    }
}

/// The highest of the numbers given within a window.
struct RecentMaximum: Sendable {
    // Each entry is lower than the one before it, so there are never more than there are numbers.
    private var entries: [(at: Monotonic, value: Int)] = []

    /// Takes in a number and tells the highest within `window`.
    mutating func add(_ value: Int, at now: Monotonic, window: Duration) -> Int {
        while let last = entries.last, last.value <= value { entries.removeLast() }
        entries.append((now, value))
        let first = entries.firstIndex { now - $0.at < window } ?? entries.count - 1
        entries.removeFirst(first)
        return entries[0].value
    }
}
