import CShims
import FunctionCore
import Glibc

/// Ends the process when its host is gone, though a synchronous handler may be in a loop on the thread that
/// reads the channel.
///
/// A thread that sleeps in `poll` for all of the worker's life; the parent-death signal is no alternative, as
/// it comes when the host's spawning *thread* ends.
func watchForHangUp(_ descriptor: Int32) {
    // SAFETY: the pointer carries a number, and is never followed.
    let argument = UnsafeMutableRawPointer(bitPattern: Int(descriptor))
    // Without the thread the host still kills what overruns, as long as it lives.
    startThread(argument) { argument in
        swiftlet_name_thread("hang-up")
        let descriptor = Int32(truncatingIfNeeded: Int(bitPattern: argument))
        while true {
            // Nothing is asked for: POLLHUP comes unasked, and what there is to read wakes nobody here.
            var channel = pollfd(fd: descriptor, events: 0, revents: 0)
            if poll(&channel, 1, -1) > 0 { _exit(0) }
        }
    }
}

/// Starts a thread that nobody waits for, unless told otherwise with a stack that does not count for much.
func startThread(
    _ argument: UnsafeMutableRawPointer?,
    stack: Int = 64 * 1024,
    _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // The usual 8 MiB of stack would count against the worker's memory.
    pthread_attr_setstacksize(&attributes, stack)
    var thread = pthread_t()
    _ = pthread_create(&thread, &attributes, body, argument)
    pthread_attr_destroy(&attributes)
}
