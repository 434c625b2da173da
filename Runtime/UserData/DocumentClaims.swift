import FunctionCore
import Synchronization

/// The claims of this host's invocations, and the tasks that wait for them.
///
/// Memory only: a claim ends with its invocation, and no invocation outlives its host.
final class DocumentClaims: Sendable {
    private struct State {
        var table = ClaimTable()
        var waiting: [Int: CheckedContinuation<Document?, any Error>] = [:]
    }

    private let state = Mutex(State())

    /// Waits until the invocation holds the key (nil) or the document is there.
    ///
    /// The task must be cancelled before `ended` is called for its invocation, or a late claim would never be
    /// released.
    /// - Throws: `CancellationError`; `FunctionError` 429 where too many wait.
    func claim(_ key: ClaimTable.Key, by invocation: String) async throws -> Document? {
        let ticket = Mutex(0)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Document?, any Error>? = state.withLock { state in
                    // The cancellation handler may have run already and found no ticket.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    switch state.table.claim(key, by: invocation) {
                    case .held: return .success(nil)
                    case .full: return .failure(Self.full(key))
                    case .waits(let number):
                        state.waiting[number] = continuation
                        ticket.withLock { $0 = number }
                        return nil
                    }
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let number = ticket.withLock { $0 }
                state.table.left(key, number)
                return state.waiting.removeValue(forKey: number)
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// The document is there: all who wait for it get it.
    func made(_ key: ClaimTable.Key, _ document: Document) {
        let waiters = state.withLock { state in
            state.table.made(key).compactMap { state.waiting.removeValue(forKey: $0) }
        }
        for waiter in waiters { waiter.resume(returning: document) }
    }

    /// An invocation is over.
    func ended(_ invocation: String) {
        let (promoted, abandoned) = state.withLock { state in
            let end = state.table.ended(invocation)
            return (
                end.promoted.compactMap { state.waiting.removeValue(forKey: $0) },
                end.abandoned.compactMap { state.waiting.removeValue(forKey: $0) }
            )
        }
        for waiter in promoted { waiter.resume(returning: nil) }
        for waiter in abandoned { waiter.resume(throwing: CancellationError()) }
    }

    /// How many tasks wait for a key.
    func waiting(for key: ClaimTable.Key) -> Int {
        state.withLock { $0.table.waiting(for: key) }
    }

    private static func full(_ key: ClaimTable.Key) -> FunctionError {
        FunctionError(
            status: 429,
            code: "claim_queue_full",
            message:
                "\(ClaimTable.waiterLimit) wait for \(key.collection)/\(key.key) already; try again later",
            retry: .after(.seconds(1))
        )
    }
}
