import GRDB
import Synchronization

/// Group commit: writes that arrive while a transaction runs are committed together in the next one, so that
/// they share its fsync.
///
/// States: idle → running (a batch is on the writer's thread) → idle; broken and closed are final for new
/// writes. Bounds: `batchLimit` writes a transaction, `waitingLimit` writes waiting. A write runs in a
/// savepoint: if it throws, it alone is undone.
final class CommitGroup: Sendable {
    /// Above some dozens the fsync is shared out well enough, and the first waits for the last.
    static let batchLimit = 64
    static let waitingLimit = 4096

    private struct State {
        var waiting: [any PendingWrite] = []
        var running = false
        var closed = false
        var broken: StorageError?
        var transactions = 0
    }

    private let file: String
    private let pool: DatabasePool
    private let state = Mutex(State())

    init(_ pool: DatabasePool, file: String) {
        self.pool = pool
        self.file = file
    }

    /// How many transactions have been committed.
    var transactions: Int { state.withLock { $0.transactions } }

    /// How many writes wait for the next one.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Appends a write; its owner is told the result after the commit.
    ///
    /// Threading: any.
    func append(_ write: any PendingWrite) {
        let (refusal, starts) = state.withLock { state -> (StorageError?, Bool) in
            if state.closed {
                return (StorageError(.closed, "\(file) is closed; the host is stopping"), false)
            }
            if let broken = state.broken { return (broken, false) }
            guard state.waiting.count < Self.waitingLimit else {
                let message = "\(file): \(Self.waitingLimit) writes wait already; try again in a second"
                return (StorageError(.overloaded, message), false)
            }
            state.waiting.append(write)
            defer { state.running = true }
            return (nil, !state.running)
        }
        if let refusal { return write.finish(refusal) }
        if starts { pool.asyncWriteWithoutTransaction { self.drain($0) } }
    }

    /// Refuses writes from now on; those that wait are still carried out.
    func close() {
        state.withLock { $0.closed = true }
    }

    /// Runs on the writer's thread until nothing waits.
    private func drain(_ database: Database) {
        while let batch = nextBatch() {
            commit(batch, database)
        }
    }

    private func nextBatch() -> [any PendingWrite]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: [any PendingWrite], _ database: Database) {
        if let broken = state.withLock({ $0.broken }) {
            return batch.forEach { $0.finish(broken) }
        }
        do {
            try database.inTransaction(.immediate) {
                for write in batch {
                    write.attempt(database)
                    // A full disk or an I/O error makes SQLite roll back the whole transaction by itself.
                    if !database.isInsideTransaction {
                        throw write.failure ?? DatabaseError(resultCode: .SQLITE_ABORT)
                    }
                }
                return .commit
            }
        } catch {
            let mapped = StorageError.mapping(error, file: file)
            if let error = error as? DatabaseError, error.resultCode == .SQLITE_IOERR { breakDown() }
            return batch.forEach { $0.finish(mapped) }
        }
        state.withLock { $0.transactions += 1 }
        batch.forEach { $0.finish(nil) }
    }

    /// After a failed fsync the kernel may have dropped the pages, so that a second try would succeed and
    /// lie.
    private func breakDown() {
        let message =
            "\(file): writing to the disk failed, so nothing more is written; repair the disk and restart"
        state.withLock { $0.broken = StorageError(.failed, message) }
    }
}

/// A write of any result type on its way through a `CommitGroup`.
protocol PendingWrite: Sendable {
    /// Why the attempt failed, if it did.
    var failure: (any Error)? { get }
    /// Runs the write in a savepoint, on the writer's thread.
    func attempt(_ database: Database)
    /// Tells the owner: the attempt's own result, or the error that befell the transaction.
    func finish(_ error: (any Error)?)
}

/// A write that gives a `Value`.
// SAFETY: `result` is touched on the writer's thread only; the continuation is Sendable and resumed once.
final class ValueWrite<Value: Sendable>: PendingWrite, @unchecked Sendable {
    private let body: @Sendable (Database) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private let file: String
    private var result: Result<Value, any Error>?

    init(
        file: String,
        _ continuation: CheckedContinuation<Value, any Error>,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) {
        self.file = file
        self.continuation = continuation
        self.body = body
    }

    var failure: (any Error)? {
        if case .failure(let error) = result { error } else { nil }
    }

    func attempt(_ database: Database) {
        do {
            var value: Value?
            try database.inSavepoint {
                value = try body(database)
                return .commit
            }
            result = value.map { .success($0) }
        } catch {
            result = .failure(error)
        }
    }

    func finish(_ error: (any Error)?) {
        if let error { return continuation.resume(throwing: error) }
        switch result {
        case .success(let value): continuation.resume(returning: value)
        case .failure(let error): continuation.resume(throwing: StorageError.mapping(error, file: file))
        case nil: preconditionFailure("a write was finished before it was attempted")
        }
    }
}
