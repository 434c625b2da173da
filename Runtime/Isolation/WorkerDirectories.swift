import CShims
import Glibc

/// Where workers get their temporary directories: one each, its own user's alone, gone with the worker.
struct WorkerDirectories: Sendable {
    let root: String

    private static let prefix = "swiftlet-workers-"

    /// Below the data directory; where functions have users of their own in the system's temporary directory, as nobody
    /// but the host may pass through the data directory.
    init(data: String, ownUsers: Bool) throws(IsolationFault) {
        if ownUsers { WorkerDirectories.removeOld() }
        root = ownUsers ? "/tmp/\(WorkerDirectories.prefix)\(getpid())" : "\(data)/tmp"
        _ = swiftlet_remove_tree(root)
        guard mkdir(root, 0o700) == 0 else { throw .system("mkdir \(root)") }
        // Each may pass to its own, and see no other's name.
        if ownUsers { chmod(root, 0o711) }
    }

    /// Those of hosts that were killed.
    private static func removeOld() {
        for name in names(in: "/tmp") where name.hasPrefix(prefix) {
            var status = stat()
            guard let pid = Int32(name.dropFirst(prefix.count)), kill(pid, 0) != 0, errno == ESRCH,
                lstat("/tmp/\(name)", &status) == 0, status.st_uid == geteuid()
            else { continue }
            _ = swiftlet_remove_tree("/tmp/\(name)")
        }
    }

    func make(_ name: String, uid: UInt32) throws(IsolationFault) -> String {
        let path = "\(root)/\(name)"
        _ = swiftlet_remove_tree(path)
        guard mkdir(path, 0o700) == 0 else { throw .system("mkdir \(path)") }
        if uid != 0, chown(path, uid, uid) != 0 { throw .system("chown \(path)") }
        return path
    }
}
