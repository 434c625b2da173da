import Console
import FunctionCore
import NIOCore
import Observe
import Storage
import Synchronization

/// Samples of the counters for the console, taken every few seconds for as long as the host runs.
final class ConsoleRates: Sendable {
    private let metrics: Metrics
    private let book = Mutex(RateBook(bounds: HistogramSeries.bounds))

    init(_ metrics: Metrics) {
        self.metrics = metrics
    }

    /// Samples until the task is cancelled.
    func run(on loop: any EventLoop) async {
        let wake = WakeSignal()
        let timer = Timer(loop: loop) { wake.wake() }
        let wakes = wake.wakes()
        wake.wake()
        for await _ in wakes {
            let sample = sample()
            book.withLock { $0.add(sample) }
            timer.set(RateBook.step)
        }
        timer.cancel()
    }

    /// Of one function, or of nil for all together.
    func readings(of functions: [String?]) -> [RateBook.Reading] {
        let now = sample()
        let book = self.book.withLock { $0 }
        return functions.map { book.reading(of: $0, now: now) }
    }

    private func sample() -> RateBook.Sample {
        var counts: [String: RateBook.Counts] = [:]
        for (labels, buckets) in metrics.buckets(of: "swiftlet_invocation_seconds") where labels.count == 1 {
            counts[labels[0]] = RateBook.Counts(ended: 0, failed: 0, buckets: buckets)
        }
        for (labels, count) in metrics.numbers(of: "swiftlet_invocations_total") where labels.count == 3 {
            let isGood = ["ok", "cancelled"].contains(labels[2])
            let known = counts[labels[0]] ?? RateBook.Counts(ended: 0, failed: 0, buckets: [])
            counts[labels[0]] = RateBook.Counts(
                ended: known.ended + count,
                failed: known.failed + (isGood ? 0 : count),
                buckets: known.buckets
            )
        }
        return RateBook.Sample(at: .now, counts: counts)
    }
}
