import Glibc

/// The most memory that a process has had, by VmHWM in /proc.
enum PeakMemory {
    /// In MiB, rounded up; 0 for a process that is gone.
    ///
    /// With `withChildren` that of its children is added.
    static func mebibytes(of pid: Int32, withChildren: Bool) -> Int {
        var kibibytes = peak(of: pid)
        if withChildren {
            let children = read("/proc/\(pid)/task/\(pid)/children") ?? ""
            for child in children.split(separator: " ") {
                kibibytes += Int32(child).map { peak(of: $0) } ?? 0
            }
        }
        return (kibibytes + 1023) / 1024
    }

    private static func peak(of pid: Int32) -> Int {
        guard pid > 0, let status = read("/proc/\(pid)/status") else { return 0 }
        for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
            return Int(line.filter { $0.isNumber }) ?? 0
        }
        return 0
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
