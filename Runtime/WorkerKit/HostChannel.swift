import Glibc
import Synchronization
import Wire

/// The worker's end of the channel to its host, for writing.
///
/// Frames are appended whole and leave in one write a batch.
///
/// Threading: any. A write may wait until the host has read; the host always reads, and credit bounds what is
/// under way.
final class HostChannel: Sendable {
    private let descriptor: Int32
    private let pending = Mutex(WireWriter())
    private let hasPending = Atomic(false)
    private let sent = Atomic(0)

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Appends frames without sending them yet.
    func append(_ body: (inout WireWriter) -> Void) {
        pending.withLock { body(&$0) }
        hasPending.store(true, ordering: .relaxed)
    }

    /// Whether nothing waits to be sent; soon true for what another thread is about to append.
    var isClean: Bool { !hasPending.load(ordering: .relaxed) }
    /// How many writes there have been.
    var batches: Int { sent.load(ordering: .relaxed) }

    /// Appends frames and sends all there is.
    func send(_ body: (inout WireWriter) -> Void) {
        pending.withLock { writer in
            body(&writer)
            flush(&writer)
        }
    }

    /// Sends all there is.
    func flush() {
        pending.withLock { flush(&$0) }
    }

    private func flush(_ writer: inout WireWriter) {
        guard !writer.isEmpty else { return }
        if !writeAll(descriptor, writer.bytes) {
            // The host is gone, and with it everything this process is for.
            _exit(0)
        }
        writer.removeAll()
        hasPending.store(false, ordering: .relaxed)
        sent.add(1, ordering: .relaxed)
    }
}
