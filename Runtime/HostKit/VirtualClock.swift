import FunctionCore
import Glibc
import Invocations
import Synchronization
import WorkerPool

/// The host's wall clock: the real one, or one that was set, and runs at a speed of its own.
///
/// Threading: any. Whoever must know of a jump listens with `onChange`.
package final class VirtualClock: HostClock {
    private struct State {
        var reading: ClockReading
        var listeners: [@Sendable () -> Void] = []
        var isVirtual = false
    }

    private let state: Mutex<State>

    /// The real wall clock.
    package init() {
        state = Mutex(State(reading: VirtualClock.real()))
    }

    private static func real() -> ClockReading {
        ClockReading(wall: realNow(), monotonic: .now, speed: 1)
    }

    static func realNow() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package var now: Instant {
        let reading = state.withLock { $0.isVirtual ? $0.reading : nil }
        return reading.map { VirtualClock.now($0) } ?? VirtualClock.realNow()
    }

    private static func now(_ reading: ClockReading) -> Instant {
        let elapsed = (Monotonic.now - reading.monotonic).nanoseconds
        // At full speed the range of an instant is through within a day: there the clock stays.
        let scaled = reading.speed == 1 ? elapsed : Int64(min(Double(elapsed) * reading.speed, 9e18))
        return reading.wall + .nanoseconds(scaled)
    }

    /// What workers are given.
    ///
    /// A real clock is read anew at each call, so that a step of the machine's clock is followed.
    package var reading: ClockReading {
        state.withLock { state in
            if !state.isVirtual { state.reading = VirtualClock.real() }
            return state.reading
        }
    }

    /// Whether the clock was set or runs at another speed than the real one.
    package var isVirtual: Bool { state.withLock { $0.isVirtual } }

    /// Sets the clock; it goes on from there at its speed.
    package func set(_ instant: Instant) {
        change { $0.wall = instant }
    }

    /// Moves the clock, forwards or back.
    package func advance(_ duration: Duration) {
        change { $0.wall = $0.wall + duration }
    }

    /// Sets how many seconds pass in a real one: 0 stands still, at most 100,000.
    package func setSpeed(_ speed: Double) {
        change { $0.speed = min(max(speed, 0), 100_000) }
    }

    /// For how long in real time to wait until `instant`; nil while the clock stands still.
    package func realWait(until instant: Instant) -> Duration? {
        let reading = self.reading
        guard reading.speed > 0 else { return nil }
        let left = max(.zero, instant - VirtualClock.now(reading))
        return .nanoseconds(Int64(min(Double(left.nanoseconds) / reading.speed, 9e18)))
    }

    /// Calls `listener` after each change.
    package func onChange(_ listener: @escaping @Sendable () -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    private func change(_ body: (inout ClockReading) -> Void) {
        let listeners = state.withLock { state in
            let reading = state.isVirtual ? state.reading : VirtualClock.real()
            var next = ClockReading(wall: VirtualClock.now(reading), monotonic: .now, speed: reading.speed)
            body(&next)
            state.reading = next
            state.isVirtual = true
            return state.listeners
        }
        for listener in listeners { listener() }
    }
}
