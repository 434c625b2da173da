import Glibc
import Processes
import Synchronization

/// SIGINT, SIGTERM, SIGHUP and SIGUSR2 as a stream.
///
/// A handler writes their numbers into a pipe, a thread reads them. To block them and `sigwait` would not do:
/// the main thread of an asynchronous `main` rests in dispatch's `sigsuspend` with nothing blocked, so that the
/// signal's default action would end the process there and then.
final class Signals: Sendable {
    /// The writing end, for the handler; -1 until `take`.
    private static let pipeEnd = Atomic<Int32>(-1)
    /// The numbers, in their order; the newest eight that nobody has looked at yet.
    let stream: AsyncStream<Int32>
    private let feed: AsyncStream<Int32>.Continuation
    private let isEnding = Atomic<Bool>(false)
    private let lastAct = Mutex<@Sendable () -> Void>({})

    private init() {
        (stream, feed) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(8))
    }

    /// Takes the signals from here on.
    ///
    /// A SIGHUP that the caller ignores, as under nohup, stays ignored.
    static func take() -> Signals {
        let reading = pipe(of: [SIGINT, SIGTERM, SIGUSR2] + (isIgnored(SIGHUP) ? [] : [SIGHUP]))
        let signals = Signals()
        startThread("signals") { signals.read(from: reading) }
        return signals
    }

    /// Has the numbers of these signals written into a pipe, whose reading end it returns; once in a process.
    static func pipe(of numbers: [Int32]) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        // With a pipe that cannot be made the signals would be lost, and nothing else could be opened either.
        guard Glibc.pipe(&ends) == 0 else { preconditionFailure("no descriptor is left for the signals") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        pipeEnd.store(ends[1], ordering: .releasing)
        for number in numbers {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { Signals.note($0) }
            action.sa_flags = Int32(SA_RESTART)
            sigaction(number, &action, nil)
        }
        return ends[0]
    }

    /// Runs in the handler: what it calls may be called there, and it leaves `errno` as it was.
    private static func note(_ number: Int32) {
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(pipeEnd.load(ordering: .acquiring), &byte, 1)
        errno = before
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        // SAFETY: only the address is compared. SIG_IGN is 1 in the handler's place; no function lies there.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// From now on SIGINT and SIGTERM end the process at once, whatever is still under way, but for `last`.
    func exitOnNext(_ last: @escaping @Sendable () -> Void = {}) {
        lastAct.withLock { $0 = last }
        isEnding.store(true, ordering: .releasing)
    }

    /// Takes signals again as before `exitOnNext`.
    func goOn() {
        isEnding.store(false, ordering: .releasing)
    }

    private func read(from descriptor: Int32) -> Never {
        while true {
            var byte: UInt8 = 0
            guard Glibc.read(descriptor, &byte, 1) == 1 else { continue }
            if isEnding.load(ordering: .acquiring), [UInt8(SIGINT), UInt8(SIGTERM)].contains(byte) {
                lastAct.withLock { $0 }()
                _exit(130)
            }
            feed.yield(Int32(byte))
        }
    }
}
