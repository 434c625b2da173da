import CShims
import Glibc

/// Where workers get their temporary directories: one each, its own user's alone, gone with the worker.
struct WorkerDirectories: Sendable {
    let root: String

    /// Below the data directory, where a worker's own user can reach that; else in the system's temporary directory.
    init(data: String, ownUsers: Bool) throws(IsolationFault) {
        let inside = "\(data)/tmp"
        // The data directory itself may be opened to passers-by: all that lies in it is 0700.
        if ownUsers, WorkerDirectories.isOpen(above: data) { chmod(data, 0o711) }
        if !ownUsers || WorkerDirectories.isOpen(above: inside) {
            root = inside
        } else {
            root = "/tmp/swiftlet-\(getpid())"
        }
        _ = swiftlet_remove_tree(root)
        guard mkdir(root, ownUsers ? 0o711 : 0o700) == 0 else { throw .system("mkdir \(root)") }
        chmod(root, ownUsers ? 0o711 : 0o700)
    }

    /// Whether everybody may pass through all directories above a path.
    private static func isOpen(above path: String) -> Bool {
        var path = path
        while let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            path = String(path[..<slash])
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
        }
        return true
    }

    func make(_ name: String, uid: UInt32) throws(IsolationFault) -> String {
        let path = "\(root)/\(name)"
        _ = swiftlet_remove_tree(path)
        guard mkdir(path, 0o700) == 0 else { throw .system("mkdir \(path)") }
        if uid != 0, chown(path, uid, uid) != 0 { throw .system("chown \(path)") }
        return path
    }
}
