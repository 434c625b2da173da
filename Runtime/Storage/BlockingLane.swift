import Dispatch
import Synchronization

/// A serial queue of its own for calls that block, such as reading and writing files.
///
/// Bound: `limit` calls wait or run; more are refused with `storage_overloaded`.
package final class BlockingLane: Sendable {
    private let queue: DispatchQueue
    private let limit: Int
    private let waiting = Mutex(0)

    package init(_ label: String, limit: Int = 1024) {
        self.queue = DispatchQueue(label: "swiftlet.\(label)")
        self.limit = limit
    }

    /// Runs `body` after all that was given before.
    ///
    /// Cancelling the task does not stop it.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try waiting.withLock { waiting in
            guard waiting < limit else {
                throw StorageError(
                    .overloaded,
                    "\(limit) file operations wait already; try again in a second"
                )
            }
            waiting += 1
        }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                let result = Result { try body() }
                self.waiting.withLock { $0 -= 1 }
                continuation.resume(with: result)
            }
        }
    }
}

/// Runs a call that blocks on a thread of its own.
///
/// For rare calls: opening, closing.
///
/// The queue is made for the call: Dispatch's global queues share their few threads with Swift's pool, and a
/// queue of one's own gets another.
package func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "swiftlet.blocking").async { continuation.resume(with: Result { try body() }) }
    }
}
