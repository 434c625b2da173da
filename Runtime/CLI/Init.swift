import Glibc
import HostKit

/// The first process of a container: runs this program once more as its child, passes signals on, and reaps
/// whatever loses its parent.
///
/// The host itself cannot be that process: it waits for its own children one by one, and to wait for any
/// child would take their ends away from it. Default dispositions do not count for process 1, so that a signal
/// without a handler would be lost.
enum Init {
    private static let passed = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    /// Does not return: ends as the child ends.
    static func run() -> Never {
        let signals = Signals.pipe(of: passed + [SIGCHLD])
        let child = start()
        while true {
            var byte: UInt8 = 0
            guard read(signals, &byte, 1) == 1 else { continue }
            if Int32(byte) == SIGCHLD { reap(child) } else { kill(child, Int32(byte)) }
        }
    }

    /// The child has a process group of its own, in the terminal's foreground: what is typed there reaches
    /// it once.
    private static func start() -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, programPath(), nil, &attributes, &arguments, environ)
        guard error == 0 else { leave(70, "the host cannot be started: \(String(cString: strerror(error)))") }
        if isatty(0) == 1 {
            signal(SIGTTOU, SIG_IGN)
            tcsetpgrp(0, child)
        }
        return child
    }

    /// Takes in all that have ended.
    private static func reap(_ child: pid_t) {
        while true {
            var status: Int32 = 0
            let ended = waitpid(-1, &status, WNOHANG)
            guard ended > 0 else { return }
            guard ended == child else { continue }
            let signal = status & 0x7f
            exit(signal == 0 ? (status >> 8) & 0xff : 128 + signal)
        }
    }
}
