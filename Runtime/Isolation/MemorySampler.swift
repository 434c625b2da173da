import FunctionCore
import Glibc
import Processes
import Synchronization

/// Looks at the memory of workers every second, where no control group does.
///
/// RLIMIT_DATA stops what a process asks for; memory that it shares is not counted there.
final class MemorySampler: Sendable {
    private struct Watched {
        var limit: Int
        var onExcess: @Sendable () -> Void
    }

    private let watched = Mutex<[Int32: Watched]>([:])

    init() {
        // For the life of the host: it holds nothing but its list.
        startThread("memory-sampler") { [weak self] in
            while let self {
                sample()
                sleep(1)
            }
        }
    }

    func watch(_ pid: Int32, limit: Int, onExcess: @escaping @Sendable () -> Void) {
        watched.withLock { $0[pid] = Watched(limit: limit, onExcess: onExcess) }
    }

    func forget(_ pid: Int32) {
        watched.withLock { _ = $0.removeValue(forKey: pid) }
    }

    private func sample() {
        for (pid, worker) in watched.withLock({ $0 }) {
            guard let status = readSmall("/proc/\(pid)/status") else { continue }
            if MemorySampler.kibibytes(status) > worker.limit >> 10 { worker.onExcess() }
        }
    }

    /// What is the process's own, from the text of its `status`.
    static func kibibytes(_ status: String) -> Int {
        status.split(separator: "\n").reduce(0) { sum, line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 3, ["RssAnon:", "RssShmem:", "VmSwap:"].contains(words[0]) else {
                return sum
            }
            return sum + (Int(words[1]) ?? 0)
        }
    }
}
