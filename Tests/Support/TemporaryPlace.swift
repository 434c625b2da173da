import Glibc
import Processes

/// A directory of a test's own.
///
/// What still runs in it, and itself, go when the test process dies.
package final class TemporaryPlace: Sendable {
    package let path: String
    private let lifeline: Int32
    private let keeper: ChildProcess

    /// Ends a host by its lock file and a Redis by its pid file, if they are what they seem to be.
    private static let script = """
        cat > /dev/null
        end() { read pid < "$1" && [ "$(cat /proc/$pid/comm)" = "$2" ] && kill $pid; }
        end "$0/data/host.lock" swiftlet
        sleep 1
        end "$0/data/redis/redis.pid" redis-server
        sleep 1
        umount -l "$0/data" 2> /dev/null
        rm -rf "$0"
        """

    package init() throws {
        var template = Array("/tmp/swiftlet-e2e-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw DevHost.Failure("no temporary directory: errno \(errno)")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw DevHost.Failure("no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        lifeline = ends[1]
        var spec = ChildSpec("sh", ["-c", TemporaryPlace.script, path])
        spec.descriptors = [0: ends[0]]
        keeper = try ChildProcess.spawn(spec) { _ in }
        close(ends[0])
    }

    /// Takes the directory away.
    package func remove() {
        keeper.signal(SIGKILL)
        close(lifeline)
        TemporaryPlace.remove(path)
    }

    private static func remove(_ path: String) {
        for name in Text.names(in: path) {
            let inner = "\(path)/\(name)"
            if unlink(inner) != 0 { remove(inner) }
        }
        rmdir(path)
    }
}
