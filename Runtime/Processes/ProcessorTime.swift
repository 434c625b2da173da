import FunctionCore
import Glibc

/// The processor time that a process has used so far, all its threads together; nil where there is none of that
/// number.
///
/// The kernel's clock of the process: one call, exact to the microsecond, where /proc counts in hundredths of a
/// second.
package func processorTime(of pid: Int32) -> Duration? {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
}
