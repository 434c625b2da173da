import FunctionCore
import Glibc
import Synchronization

/// The data directory, held by one host at a time.
///
/// Layout: `host.json` (while a host is ready), `host.lock`, `journal.sqlite`, `users/`, `documents.sqlite`,
/// `blobs/`, `logs/`, `bundles/`, `redis/`, `secrets/`, `scratch/`.
package final class DataDirectory: Sendable {
    /// An absolute path.
    package let path: String
    private let lock: Int32
    private let isHandedOver = Atomic<Bool>(false)

    /// Makes the directory where it is missing and takes hold of it, or takes over the hold that `inherited`
    /// is.
    /// - Throws: `HostError` naming the process that holds it.
    package init(_ path: String, inherited: Int32? = nil) throws(HostError) {
        for part in ["", "/logs", "/bundles", "/scratch", "/secrets"] {
            guard DataDirectory.make(path + part) else {
                throw HostError(
                    .dataDirectory,
                    "\(path)\(part) cannot be made: \(String(cString: strerror(errno)))"
                )
            }
        }
        self.path = DataDirectory.absolute(path)
        let file = "\(self.path)/host.lock"
        lock = inherited ?? open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw HostError(.dataDirectory, "\(file) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let holder =
                readText(file).flatMap { $0.split(separator: "\n").first.map(String.init) }
                ?? "another process"
            close(lock)
            let remedy = "stop that host, or choose another directory with --data"
            throw HostError(.dataDirectory, "\(self.path) is in use by process \(holder); \(remedy)")
        }
        _ = ftruncate(lock, 0)
        let holder = "\(getpid())\n"
        _ = pwrite(lock, holder, holder.utf8.count, 0)
        unlink("\(self.path)/host.json")
        // What the services of a host that was killed were working on.
        DataDirectory.empty("\(self.path)/scratch")
    }

    /// A short hold on a directory in which no host runs.
    package struct Visit: Sendable {
        fileprivate let lock: Int32

        package func leave() { close(lock) }
    }

    /// Keeps hosts away from a directory for a while, and changes nothing in it.
    /// - Throws: `HostError` where a host has it.
    package static func visit(_ path: String) throws(HostError) -> Visit {
        let file = "\(path)/host.lock"
        let lock = open(file, O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else {
            throw HostError(.dataDirectory, "\(path) is no host's data directory; name one with --data")
        }
        guard flock(lock, LOCK_SH | LOCK_NB) == 0 else {
            close(lock)
            let message = "\(path) is in use by a host that is starting or ending; try again"
            throw HostError(.dataDirectory, message)
        }
        return Visit(lock: lock)
    }

    /// The process that holds a directory; nil where nobody does.
    package static func holder(_ path: String) -> String? {
        let file = "\(path)/host.lock"
        let lock = open(file, O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else { return nil }
        defer { close(lock) }
        if flock(lock, LOCK_SH | LOCK_NB) == 0 { return nil }
        return readText(file)?.split(separator: "\n").first.map(String.init) ?? "of another process"
    }

    /// Removes all that is in a directory.
    private static func empty(_ path: String) {
        for name in listDirectory(path) {
            let inner = "\(path)/\(name)"
            if unlink(inner) == 0 { continue }
            empty(inner)
            rmdir(inner)
        }
    }

    /// Says where a ready host is found.
    package func announce(gateway: String, admin: String) {
        let note: JSON = [
            "gateway": .string(gateway), "admin": .string(admin), "pid": .integer(Int64(getpid())),
        ]
        writeText(note.bytes().text + "\n", to: "\(path)/host.json")
    }

    /// Keeps hold of it beyond `release`, for whoever comes next; the descriptor is the caller's.
    package func handOver() -> Int32 {
        isHandedOver.store(true, ordering: .releasing)
        return lock
    }

    /// Lets go of it.
    package func release() {
        unlink("\(path)/host.json")
        if isHandedOver.load(ordering: .acquiring) { return }
        _ = ftruncate(lock, 0)
        close(lock)
    }

    static func make(_ path: String) -> Bool {
        var built = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            built += "/\(part)"
            if mkdir(built, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }

    package static func absolute(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}

/// A small text file's content, or nil.
package func readText(_ path: String) -> String? {
    readFile(path).map { String(decoding: $0, as: UTF8.self) }
}

/// A file's content, or nil.
package func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count == 0 { return all }
        if count < 0 {
            if errno == EINTR { continue }
            return nil
        }
        all += buffer[..<count]
    }
}

/// Writes a small text file whole: to another name, then renamed.
@discardableResult
package func writeText(_ text: String, to path: String, mode: mode_t = 0o600) -> Bool {
    let draft = "\(path).new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return false }
    let count = text.utf8.count
    let written = write(descriptor, text, count)
    close(descriptor)
    return written == count && rename(draft, path) == 0
}

/// The names in a directory, sorted; empty where there is none.
package func listDirectory(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            // SAFETY: the kernel ends d_name with a zero within its 256 bytes.
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The path of this program.
package func programPath() -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    return count > 0
        ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "swiftlet"
}
