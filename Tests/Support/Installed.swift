import Glibc

/// Where the project lies, and where its executables were built.
package enum Installed {
    /// The project's folder, found from this very file.
    package static let project: String = {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        return parts.dropLast(3).joined(separator: "/")
    }()

    /// The folder of `swiftlet`, `functions` and `fixtures`: where the running test bundle lies, or
    /// SWIFTLET_BIN.
    package static let directory: String = {
        if let named = getenv("SWIFTLET_BIN") { return String(cString: named) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }()
}

/// Small files and processes, as the kernel shows them.
package enum Text {
    /// A file's content, or nil.
    package static func read(_ path: String) -> String? {
        bytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    package static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count <= 0 { return count == 0 ? all : nil }
            all += buffer[..<count]
        }
    }

    package static func write(_ content: some Collection<UInt8>, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let bytes = Array(content)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "\(path) cannot be written")
        close(descriptor)
    }

    /// The names in a directory.
    package static func names(in path: String) -> [String] {
        guard let entries = opendir(path) else { return [] }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            // SAFETY: the kernel ends d_name with a zero within its 256 bytes.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Whether a process is there and no zombie.
    package static func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = read("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else { return false }
        return stat[end...].dropFirst(2).first != "Z"
    }

    /// The processes that a process has started and that have not ended.
    package static func children(of parent: pid_t) -> [pid_t] {
        childrenWithZombies(of: parent).filter { isAlive($0) }
    }

    /// The processes that a process has started and not reaped.
    package static func childrenWithZombies(of parent: pid_t) -> [pid_t] {
        names(in: "/proc").compactMap { pid_t($0) }.filter { pid in
            guard let stat = read("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else {
                return false
            }
            return stat[end...].split(separator: " ").dropFirst(2).first == "\(parent)"
        }
    }
}
