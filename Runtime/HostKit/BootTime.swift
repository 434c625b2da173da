import FunctionCore
import Glibc

/// The machine's clock that goes on while the machine is suspended, as `Monotonic` does not.
///
/// What others count on while this machine sleeps is measured by it: a lease, and the wall clock's steps.
struct BootTime: Sendable, Hashable, Comparable {
    /// Nanoseconds of CLOCK_BOOTTIME.
    let nanoseconds: Int64

    static var now: BootTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return BootTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    static func < (left: BootTime, right: BootTime) -> Bool { left.nanoseconds < right.nanoseconds }
    static func + (point: BootTime, duration: Duration) -> BootTime {
        BootTime(nanoseconds: point.nanoseconds &+ duration.nanoseconds)
    }
    static func - (left: BootTime, right: BootTime) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }
}
