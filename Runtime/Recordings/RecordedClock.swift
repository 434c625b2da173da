import FunctionCore
import Synchronization

/// Gives the readings of a recording one after the other; when there are no more, the last one.
package final class RecordedClock: Sendable {
    private let readings: [Int64]
    private let next = Atomic<Int>(0)

    package init(_ readings: [Int64]) {
        self.readings = readings
    }

    @Sendable
    package func read() -> Instant {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return Instant(nanoseconds: index < readings.count ? readings[index] : readings.last ?? 0)
    }
}
