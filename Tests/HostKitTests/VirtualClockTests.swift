import FunctionCore
import HostKit
import Synchronization
import Testing
import WorkerPool

@Suite(.timeLimit(.minutes(1)))
struct VirtualClockTests {
    @Test("a clock that was never set is the real one")
    func real() {
        let clock = VirtualClock()
        #expect(!clock.isVirtual)
        #expect(clock.reading.speed == 1)
        let first = clock.now
        #expect(clock.now >= first)
        #expect(first > at("2024-01-01T00:00:00Z"))
    }

    @Test("a clock that stands still shows what it was set to, and moves by what it is advanced")
    func standingStill() {
        let clock = standing("2026-11-20T14:25:00Z")
        #expect(clock.isVirtual)
        #expect(clock.now == at("2026-11-20T14:25:00Z"))
        clock.advance(.seconds(90))
        #expect(clock.now == at("2026-11-20T14:26:30Z"))
        clock.advance(.seconds(-3600))
        #expect(clock.now == at("2026-11-20T13:26:30Z"))
        clock.set(at("2030-01-01T00:00:00Z"))
        #expect(clock.now == at("2030-01-01T00:00:00Z"))
        #expect(clock.reading.speed == 0)
    }

    @Test("a fast clock runs ahead, and goes on from where it was when its speed changes")
    func speed() {
        let clock = standing("2026-11-20T14:25:00Z")
        clock.setSpeed(100_000)
        let real = Monotonic.now
        var now = clock.now
        while clock.now - at("2026-11-20T14:25:00Z") < .seconds(100) {}
        now = clock.now
        let passed = Monotonic.now - real
        #expect(passed < .seconds(1))
        clock.setSpeed(0)
        #expect(clock.now >= now)
        let rest = clock.now
        #expect(clock.now == rest)
    }

    @Test("speed keeps to its range, and a clock at the end of time stays there")
    func limits() {
        let clock = standing("2026-11-20T14:25:00Z")
        clock.setSpeed(-5)
        #expect(clock.reading.speed == 0)
        clock.setSpeed(1e9)
        #expect(clock.reading.speed == 100_000)
        clock.set(Instant(nanoseconds: .max))
        #expect(clock.now == Instant(nanoseconds: .max))
        clock.advance(.seconds(3600))
        #expect(clock.now == Instant(nanoseconds: .max))
    }

    @Test("the real wait for an instant is scaled, zero for one that is past, and none while it stands still")
    func realWait() throws {
        let clock = standing("2026-11-20T14:25:00Z")
        #expect(clock.realWait(until: clock.now + .seconds(1)) == nil)
        clock.setSpeed(60)
        let wait = try #require(clock.realWait(until: clock.now + .seconds(600)))
        #expect(wait > .seconds(9) && wait <= .seconds(10))
        #expect(clock.realWait(until: clock.now - .seconds(5)) == .zero)
        clock.setSpeed(0.001)
        let long = try #require(clock.realWait(until: Instant(nanoseconds: .max)))
        #expect(long > .seconds(1_000_000))
    }

    @Test("listeners hear of each change, after it is in force")
    func listeners() {
        let clock = standing("2026-11-20T14:25:00Z")
        let heard = Mutex<[Instant]>([])
        // A weak reference would be enough, but the clock outlives the test in any case.
        clock.onChange { heard.withLock { $0.append(clock.now) } }
        clock.set(at("2026-11-21T00:00:00Z"))
        clock.advance(.seconds(1))
        clock.setSpeed(0)
        let expected = ["2026-11-21T00:00:00Z", "2026-11-21T00:00:01Z", "2026-11-21T00:00:01Z"].map(at)
        #expect(heard.withLock { $0 } == expected)
    }
}
