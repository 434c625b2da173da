import FunctionCore
import GRDB
import Storage

/// The events that functions have emitted outside of a user's transaction, until the relay has sent them.
package final class EventOutbox: Sendable {
    /// Wakes when there is something to relay.
    package let appended = WakeSignal()
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// Stores an event; false where its id is known, so that saying it again changes nothing.
    /// - Throws: `StorageError` storage_overloaded where `OutboxTable.pendingLimit` events wait.
    @discardableResult
    package func append(_ event: OutboxEvent) async throws -> Bool {
        let isNew = try await file.write { try OutboxTable.insert(event, in: $0) }
        if isNew { appended.wake() }
        return isNew
    }

    /// The oldest events that wait.
    package func pending(limit: Int) async throws -> [OutboxEvent] {
        try await file.read { try OutboxTable.pending(limit, in: $0) }
    }

    /// How many events wait.
    package func pendingCount() async throws -> Int {
        try await file.read { try OutboxTable.pendingCount(in: $0) }
    }

    /// Says that events have been sent.
    ///
    /// A relay that ends before it says so sends them again.
    package func markRelayed(_ ids: [String], now: Instant) async throws {
        try await file.write { try OutboxTable.markRelayed(ids, at: now, in: $0) }
    }

    /// Forgets the ids of events that were relayed before `horizon`.
    package func prune(relayedBefore horizon: Instant) async throws {
        while true {
            let removed = try await file.write {
                try OutboxTable.prune(relayedBefore: horizon, limit: 500, in: $0)
            }
            if removed < 500 { return }
        }
    }
}
