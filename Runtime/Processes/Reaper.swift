import CShims
import Glibc
import Synchronization

/// Waits for all children on one thread, by pidfd.
///
/// SIGCHLD is left alone, and nobody's child is reaped by accident.
final class Reaper: Sendable {
    static let shared = Reaper()

    private struct Watched {
        var pidfd: Int32
        var onEnd: @Sendable () -> Void
        var onExit: @Sendable (ExitStatus) -> Void
    }

    private let arrivals = Mutex<[Watched]>([])
    private let wakeRead: Int32
    private let wakeWrite: Int32

    private init() {
        var ends: [Int32] = [0, 0]
        let error = swiftlet_pipe(&ends, true)
        precondition(error == 0, "no descriptors are left for the reaper's pipe")
        wakeRead = ends[0]
        wakeWrite = ends[1]
        startThread("reaper") { [self] in run() }
    }

    /// When the process behind `pidfd` has ended: calls `onEnd` while its number is still its own, reaps it,
    /// and calls `onExit`.
    ///
    /// Each once. Takes over the descriptor.
    func watch(
        pidfd: Int32,
        onEnd: @escaping @Sendable () -> Void,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) {
        arrivals.withLock { $0.append(Watched(pidfd: pidfd, onEnd: onEnd, onExit: onExit)) }
        var byte: UInt8 = 0
        // A full pipe is a wake-up already under way.
        _ = write(wakeWrite, &byte, 1)
    }

    private func run() -> Never {
        var watched: [Watched] = []
        while true {
            var polls = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            polls += watched.map { pollfd(fd: $0.pidfd, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, nfds_t(polls.count), -1) > 0 else { continue }
            if polls[0].revents != 0 { drainWakeups() }
            for index in watched.indices.reversed() where polls[index + 1].revents != 0 {
                watched[index].onEnd()
                guard let status = reap(watched[index].pidfd) else { continue }
                let ended = watched.remove(at: index)
                close(ended.pidfd)
                ended.onExit(status)
            }
            watched += arrivals.withLock { arrivals in
                defer { arrivals = [] }
                return arrivals
            }
        }
    }

    private func drainWakeups() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(wakeRead, &bytes, bytes.count) > 0 {}
    }

    private func reap(_ pidfd: Int32) -> ExitStatus? {
        var signalled = false
        var code: Int32 = 0
        switch swiftlet_reap(pidfd, &signalled, &code) {
        case 0: return nil
        case 1: return signalled ? .signalled(code) : .exited(code)
        // Somebody else has reaped it. How it ended is lost; that it ended is not, and poll would say so for
        // ever.
        default: return .exited(-1)
        }
    }
}
