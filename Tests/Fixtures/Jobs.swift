import FunctionCore
import Glibc
import Synchronization

/// Does nothing; with the operation `timed` it remembers how long each entry has waited for it, and writes that
/// down when an entry has the field `flush`.
struct JobFunction: AsyncFunction {
    private final class Waits: Sendable {
        let all = Mutex<[Int]>([])
    }

    private let waits = Waits()

    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        guard event.operation == "timed" else { return Reply() }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = time.tv_sec * 1_000_000_000 + time.tv_nsec
        let entries = try event.decode(RedisEvent.self).entries
        let new = entries.compactMap { $0.data["sent"]?.stringValue.flatMap { Int($0) }.map { now - $0 } }
        waits.all.withLock { $0 += new }
        guard entries.contains(where: { $0.data["flush"] != nil }) else { return Reply() }
        let all = waits.all.withLock { waits in
            defer { waits = [] }
            return waits
        }
        for start in stride(from: 0, to: all.count, by: 1000) {
            let part = all[start..<min(start + 1000, all.count)].map { String($0) }
            try await context.bindings.state.append("waits", part.joined(separator: " "), keep: 1000)
        }
        return Reply()
    }
}
