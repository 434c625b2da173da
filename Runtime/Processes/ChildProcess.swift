import CShims
import Glibc
import Synchronization

/// A running child in a process group of its own, which ends when the child does.
///
/// Its end is a fact reported once, by a pidfd; nobody else waits for it.
package final class ChildProcess: Sendable {
    package let pid: Int32
    private let alive = Mutex(true)

    private init(pid: Int32) {
        self.pid = pid
    }

    /// Starts a child.
    ///
    /// `onExit` is called once, on the reaper's thread, and must not block.
    package static func spawn(
        _ spec: ChildSpec,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) throws(SpawnError) -> ChildProcess {
        guard let path = findExecutable(spec.executable) else {
            throw SpawnError(
                executable: spec.executable,
                reason: "there is no such program, or it may not be executed"
            )
        }
        var pid: pid_t = 0
        let child = Array(spec.descriptors.keys)
        let parent = child.compactMap { spec.descriptors[$0] }
        let error = withCStrings([path] + spec.arguments) { arguments in
            withCStrings(spec.environment.map { "\($0.key)=\($0.value)" }) { environment in
                swiftlet_spawn(
                    &pid,
                    path,
                    arguments,
                    environment,
                    child,
                    parent,
                    Int32(child.count),
                    spec.directory
                )
            }
        }
        guard error == 0 else {
            throw SpawnError(executable: path, reason: String(cString: strerror(error)))
        }
        guard let process = watch(pid, onExit: onExit) else {
            throw SpawnError(
                executable: path,
                reason: "the kernel gives no pidfd (\(String(cString: strerror(errno)))); Linux 5.4 is needed"
            )
        }
        return process
    }

    /// Takes over a child of this process that another one has forked; nil where that cannot be, and it is gone.
    package static func adopt(
        _ pid: Int32,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) -> ChildProcess? {
        // It does so itself as well; whoever comes first makes the group before anybody signals it.
        setpgid(pid, pid)
        return watch(pid, onExit: onExit)
    }

    private static func watch(
        _ pid: Int32,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) -> ChildProcess? {
        let pidfd = swiftlet_pidfd_open(pid)
        guard pidfd >= 0 else {
            let error = errno
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            errno = error
            return nil
        }
        let process = ChildProcess(pid: pid)
        Reaper.shared.watch(pidfd: pidfd, onEnd: { process.endGroup() }, onExit: onExit)
        return process
    }

    /// What the child leaves behind in its group ends with it.
    ///
    /// Nobody has reaped it yet, so the group's number is its own.
    private func endGroup() {
        alive.withLock { alive in
            if alive { _ = kill(-pid, SIGKILL) }
            alive = false
        }
    }

    /// Signals the child and all of its process group.
    ///
    /// Does nothing once it has ended, so no stranger is ever hit.
    package func signal(_ signal: Int32) {
        alive.withLock { alive in
            if alive { _ = kill(-pid, signal) }
        }
    }
}

/// Calls `body` with a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { pointers.forEach { free($0) } }
    return body(pointers)
}
