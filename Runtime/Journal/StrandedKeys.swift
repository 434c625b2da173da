import FunctionCore
import Synchronization

/// Idempotency keys whose store may fail as it is told that a request is over: a full disk, a server away.
///
/// The store goes on to take such a key for one in flight, and would refuse its request until the host starts
/// anew. So it is remembered here, and freed when the request comes again. Bound: `limit` keys; those beyond it
/// wait for the next start.
package final class StrandedKeys: IdempotencyKeys {
    private static let limit = 10_000
    private let keys: any IdempotencyKeys
    private let stranded = Mutex<Set<IdempotencyScope>>([])

    package init(_ keys: any IdempotencyKeys) {
        self.keys = keys
    }

    package func begin(
        _ scope: IdempotencyScope,
        requestHash: String,
        now: Instant
    ) async throws -> IdempotencyVerdict {
        let verdict = try await keys.begin(scope, requestHash: requestHash, now: now)
        guard verdict == .inFlight || verdict == .mismatch, stranded.withLock({ $0.remove(scope) }) != nil
        else { return verdict }
        try await abandon(scope)
        return try await keys.begin(scope, requestHash: requestHash, now: now)
    }

    package func finish(
        _ scope: IdempotencyScope,
        status: Int,
        headers: [Header],
        body: Bytes
    ) async throws -> Bool {
        try await remembering(scope) {
            try await keys.finish(scope, status: status, headers: headers, body: body)
        }
    }

    package func abandon(_ scope: IdempotencyScope) async throws {
        try await remembering(scope) { try await keys.abandon(scope) }
    }

    private func remembering<Value>(
        _ scope: IdempotencyScope,
        _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            stranded.withLock { if $0.count < Self.limit { $0.insert(scope) } }
            throw error
        }
    }

    package func dropLost() async throws -> Int { try await keys.dropLost() }

    package func prune(now: Instant) async throws { try await keys.prune(now: now) }
}
