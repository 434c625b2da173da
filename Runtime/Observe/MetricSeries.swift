import FunctionCore
import Synchronization

/// One number of a counter or a gauge.
///
/// Threading: any, without a lock.
package final class NumberSeries: Sendable {
    private let bits = Atomic<UInt64>(0)

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    package func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(
                expected: old,
                desired: new,
                ordering: .relaxed
            )
            if exchanged { return }
            old = original
        }
    }
}

/// The durations of one series of a histogram.
///
/// Threading: any, without a lock; a reading may miss an update that is under way.
package final class HistogramSeries: Sendable {
    /// Upper bounds of the buckets in seconds.
    package static let bounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    private static let nanoseconds = bounds.map { Int64($0 * 1e9) }

    /// What a series holds at one moment.
    struct Reading {
        var buckets: [UInt64]
        var count: UInt64
        /// In seconds.
        var sum: Double
    }

    /// The last one is for what is over all bounds.
    private let buckets = InlineArray<18, Atomic<UInt64>> { _ in Atomic(0) }
    private let sum = Atomic<Int64>(0)

    package func observe(_ duration: Duration) {
        let nanoseconds = duration.nanoseconds
        var index = 0
        while index < HistogramSeries.bounds.count, nanoseconds > HistogramSeries.nanoseconds[index] {
            index += 1
        }
        buckets[index].add(1, ordering: .relaxed)
        sum.add(nanoseconds, ordering: .relaxed)
    }

    var reading: Reading {
        let all = (0..<18).map { buckets[$0].load(ordering: .relaxed) }
        return Reading(
            buckets: all.dropLast(),
            count: all.reduce(0, +),
            sum: Double(sum.load(ordering: .relaxed)) / 1e9
        )
    }
}
