import CShims
import Glibc

/// What a process holds that only its start needed.
package enum IdleMemory {
    /// Gives it back: freed heap, and the program's code, of which the pages that still run are in the system's cache
    /// and come again one by one.
    ///
    /// Blocks for some milliseconds.
    package static func release() {
        swiftlet_trim_heap()
        guard let program = realpath("/proc/self/exe", nil) else { return }
        defer { free(program) }
        let path = String(cString: program)
        guard let file = fopen("/proc/self/maps", "re") else { return }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while getline(&line, &room, file) > 0, let text = line.map({ String(cString: $0) }) {
            // Code alone: it is never written to. Other parts of the file are, when the program is relocated, and what
            // was written to would be lost.
            let parts = text.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count > 5, parts[1] == "r-xp", parts[5].dropLast() == path else { continue }
            let ends = parts[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard ends.count == 2, let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else { continue }
            // SAFETY: a private mapping of a file that nobody writes to: what is dropped is read again from the file.
            madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
    }
}
