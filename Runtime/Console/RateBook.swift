import FunctionCore

/// What the counters said every few seconds of the last minutes, for rates, errors and latencies.
///
/// Bounded: so many samples a function; functions that are gone go with their last sample.
package struct RateBook: Sendable {
    /// What one function's counters said; they never fall.
    package struct Counts: Sendable, Hashable {
        package var ended: Double
        package var failed: Double
        /// How many took at most as long as the bound of the same place; beyond the last bound one more.
        package var buckets: [UInt64]

        package init(ended: Double, failed: Double, buckets: [UInt64]) {
            self.ended = ended
            self.failed = failed
            self.buckets = buckets
        }

        static func - (left: Counts, right: Counts?) -> Counts {
            guard let right else { return left }
            return Counts(
                ended: max(0, left.ended - right.ended),
                failed: max(0, left.failed - right.failed),
                // Before the first invocation there are none.
                buckets: right.buckets.isEmpty
                    ? left.buckets : zip(left.buckets, right.buckets).map { $0 > $1 ? $0 - $1 : 0 }
            )
        }

        static func + (left: Counts, right: Counts) -> Counts {
            Counts(
                ended: left.ended + right.ended,
                failed: left.failed + right.failed,
                buckets: left.buckets.isEmpty ? right.buckets : zip(left.buckets, right.buckets).map(+)
            )
        }
    }

    /// What all counters said at one moment.
    package struct Sample: Sendable {
        package var at: Monotonic
        package var counts: [String: Counts]

        package init(at: Monotonic, counts: [String: Counts]) {
            self.at = at
            self.counts = counts
        }
    }

    /// What the samples of a span come to.
    package struct Reading: Sendable {
        package var count = 0
        package var failed = 0
        /// A second.
        package var rate = 0.0
        package var buckets: [UInt64] = []
        package var bounds: [Double] = []
        /// One pair a step, the newest last.
        package var history: [(all: Double, failed: Double)] = []

        package init() {}

        /// The duration that this share of the invocations stayed below; within a bucket as if they were spread
        /// evenly.
        package func quantile(_ share: Double) -> Duration? {
            let total = buckets.reduce(0, +)
            guard total > 0 else { return nil }
            let rank = share * Double(total)
            var below = 0.0
            for (index, count) in buckets.enumerated() where count > 0 {
                if below + Double(count) >= rank {
                    let low = index == 0 ? 0 : bounds[min(index, bounds.count) - 1]
                    let high = index < bounds.count ? bounds[index] : low
                    let seconds = low + (high - low) * max(0, (rank - below) / Double(count))
                    return .nanoseconds(Int64(seconds * 1e9))
                }
                below += Double(count)
            }
            return nil
        }
    }

    /// How far apart samples are.
    package static let step = Duration.seconds(5)
    /// How many there are: five minutes.
    package static let limit = 61
    /// What counts as now: a minute.
    private static let recent = 12

    private let bounds: [Double]
    private var samples: [Sample] = []

    /// `bounds` are those of the buckets, in seconds.
    package init(bounds: [Double]) {
        self.bounds = bounds
    }

    /// Takes what all counters say now.
    package mutating func add(_ sample: Sample) {
        samples.append(sample)
        if samples.count > RateBook.limit { samples.removeFirst() }
    }

    /// One function's, with `now` as the newest sample; nil for all functions together.
    package func reading(of function: String?, now: Sample) -> Reading {
        let samples = self.samples + [now]
        let series = samples.map { sample in
            if let function { return sample.counts[function] }
            return sample.counts.values.reduce(Counts(ended: 0, failed: 0, buckets: []), +)
        }
        var reading = Reading()
        reading.bounds = bounds
        guard let newest = series.last ?? nil else { return reading }
        let back = min(RateBook.recent, series.count - 1)
        let first = series.count - 1 - back
        let recent = newest - series[first]
        reading.count = Int(recent.ended)
        reading.failed = Int(recent.failed)
        reading.buckets = recent.buckets
        let seconds = (now.at - samples[first].at).milliseconds / 1000
        reading.rate = seconds > 0 ? recent.ended / seconds : 0
        reading.history = zip(series.dropFirst(), series).map { later, earlier in
            guard let later else { return (0, 0) }
            let change = later - earlier
            return (change.ended, change.failed)
        }
        return reading
    }
}
