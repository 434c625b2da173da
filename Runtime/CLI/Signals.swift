import Glibc
import Processes

/// SIGINT and SIGTERM, taken by a thread of its own instead of a handler.
struct Signals: Sendable {
    /// Blocks the signals in this thread and in all that it starts; call it before any thread is started.
    static func block() -> Signals {
        signal(SIGPIPE, SIG_IGN)
        var set = Signals.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return Signals()
    }

    /// Waits for the first signal.
    func wait() async {
        await withCheckedContinuation { continuation in
            startThread("signals") {
                Signals.next()
                continuation.resume()
            }
        }
    }

    /// Ends the process at the next signal, whatever is still under way.
    static func exitOnNext() {
        startThread("signals") {
            next()
            _exit(130)
        }
    }

    private static func next() {
        var set = Signals.set
        var number: Int32 = 0
        sigwait(&set, &number)
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGHUP)
        return set
    }
}
