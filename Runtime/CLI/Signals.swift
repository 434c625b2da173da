import Glibc
import Processes
import Synchronization

/// SIGINT, SIGTERM and SIGHUP as something that a task can wait for.
///
/// A handler writes them into a pipe. To block them and `sigwait` would not do: the main thread of an
/// asynchronous `main` rests in dispatch's `sigsuspend` with nothing blocked, so that the signal's default
/// action would end the process there and then.
struct Signals: Sendable {
    /// The writing end, for the handler; -1 until `take`.
    private static let pipeEnd = Atomic<Int32>(-1)
    private let reading: Int32

    /// Takes the signals from here on.
    ///
    /// A SIGHUP that the caller ignores, as under nohup, stays ignored.
    static func take() -> Signals {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        // With a pipe that cannot be made the signals would be lost, and nothing else could be opened either.
        guard pipe(&ends) == 0 else { preconditionFailure("no descriptor is left for the signals") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        pipeEnd.store(ends[1], ordering: .releasing)
        for number in [SIGINT, SIGTERM, SIGHUP] where number != SIGHUP || !isIgnored(number) {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in Signals.note() }
            action.sa_flags = Int32(SA_RESTART)
            sigaction(number, &action, nil)
        }
        return Signals(reading: ends[0])
    }

    /// Runs in the handler: what it calls may be called there, and it leaves `errno` as it was.
    private static func note() {
        let before = errno
        var byte: UInt8 = 1
        _ = write(pipeEnd.load(ordering: .acquiring), &byte, 1)
        errno = before
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        // SAFETY: only the address is compared. SIG_IGN is 1 in the handler's place; no function lies there.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// Waits for the next signal.
    func wait() async {
        await withCheckedContinuation { continuation in
            startThread("signals") {
                next()
                continuation.resume()
            }
        }
    }

    /// Ends the process at the next signal, whatever is still under way.
    func exitOnNext() {
        startThread("signals") {
            next()
            _exit(130)
        }
    }

    private func next() {
        var byte: UInt8 = 0
        while read(reading, &byte, 1) < 0, errno == EINTR {}
    }
}
