import FunctionCore
import Journal
import Storage
import Synchronization
import Testing

@Suite("Idempotency keys beside a store that fails", .timeLimit(.minutes(1)))
struct StrandedKeyTests {
    private let scope = IdempotencyScope(function: "video", principal: "ann", key: "k")

    @Test(
        "a key whose request ended on a full disk is free for whoever asks again, once there is room",
        arguments: ["abandoned", "finished"]
    )
    func freed(_ how: String) async throws {
        try await withJournal(.sqlite) { journal in
            let full = FullStore(journal.idempotency)
            let keys = StrandedKeys(full)
            let first = try await keys.begin(scope, requestHash: "h", now: at(0))
            #expect(first == .proceed)
            full.isFull = true
            do {
                if how == "abandoned" { try await keys.abandon(scope) }
                _ = try await keys.finish(scope, status: 201, headers: [], body: "")
                Issue.record("a full store takes nothing")
            } catch {
                #expect((error as? StorageError)?.code == .full)
            }
            full.isFull = false
            #expect(try await keys.begin(scope, requestHash: "h", now: at(2)) == .proceed)
            // Now it is under way again.
            #expect(try await keys.begin(scope, requestHash: "h", now: at(3)) == .inFlight)
        }
    }
}

/// A store whose every write fails while it is full.
private final class FullStore: IdempotencyKeys {
    private let keys: any IdempotencyKeys
    private let full = Mutex(false)

    init(_ keys: any IdempotencyKeys) { self.keys = keys }

    var isFull: Bool {
        get { full.withLock { $0 } }
        set { full.withLock { $0 = newValue } }
    }

    private func write() throws {
        if isFull { throw StorageError(.full, "the disk is full; free space, and try again") }
    }

    func begin(
        _ scope: IdempotencyScope,
        requestHash: String,
        now: Instant
    ) async throws
        -> IdempotencyVerdict
    {
        try write()
        return try await keys.begin(scope, requestHash: requestHash, now: now)
    }

    func finish(_ scope: IdempotencyScope, status: Int, headers: [Header], body: Bytes) async throws -> Bool {
        try write()
        return try await keys.finish(scope, status: status, headers: headers, body: body)
    }

    func abandon(_ scope: IdempotencyScope) async throws {
        try write()
        try await keys.abandon(scope)
    }

    func dropLost() async throws -> Int { 0 }
    func prune(now: Instant) async throws {}
}
