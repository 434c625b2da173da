import Console
import FunctionCore
import Testing

@Suite("Rates of the console", .timeLimit(.minutes(1)))
struct RateBookTests {
    private static let start = Monotonic.now

    private func sample(
        _ step: Int,
        _ ended: Double,
        failed: Double = 0,
        _ buckets: [UInt64]
    ) -> RateBook.Sample {
        let counts = RateBook.Counts(ended: ended, failed: failed, buckets: buckets)
        return RateBook.Sample(at: RateBookTests.start + RateBook.step * step, counts: ["f": counts])
    }

    @Test("the rate is that of the last minute, and the history has a step for each sample")
    func rates() {
        var book = RateBook(bounds: [0.1, 1])
        for step in 0..<100 { book.add(sample(step, Double(step * 10), [UInt64(step * 10), 0, 0])) }
        let reading = book.reading(of: "f", now: sample(100, 1000, failed: 3, [1000, 0, 0]))
        #expect(reading.rate == 2 && reading.count == 120 && reading.failed == 3)
        #expect(reading.history.count == RateBook.limit)
        #expect(reading.history.allSatisfy { $0.all == 10 })
        #expect(book.reading(of: nil, now: sample(100, 1000, [1000, 0, 0])).rate == 2)
    }

    @Test("a function that appears late, is unknown, or whose counters begin anew has no absurd rates")
    func gaps() {
        var book = RateBook(bounds: [0.1])
        book.add(RateBook.Sample(at: RateBookTests.start, counts: [:]))
        #expect(book.reading(of: "f", now: sample(1, 5, [5, 0])).count == 5)
        #expect(book.reading(of: "g", now: sample(1, 5, [5, 0])).rate == 0)
        #expect(book.reading(of: nil, now: sample(1, 5, [5, 0])).quantile(0.5) != nil)
        book.add(sample(1, 50, [50, 0]))
        book.add(sample(2, 1, [1, 0]))
        #expect(book.reading(of: "f", now: sample(3, 2, [2, 0])).history.allSatisfy { $0.all >= 0 })
    }

    @Test("quantiles lie within the bucket that holds them, and there are none of nothing")
    func quantiles() {
        var reading = RateBook.Reading()
        #expect(reading.quantile(0.5) == nil)
        reading.bounds = [0.01, 0.1, 1]
        reading.buckets = [0, 10, 0, 0]
        #expect(reading.quantile(0.5) == .nanoseconds(55_000_000))
        reading.buckets = [0, 0, 0, 4]
        #expect(reading.quantile(0.95) == .seconds(1))
    }
}
