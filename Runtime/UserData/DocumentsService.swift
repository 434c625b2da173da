import FunctionCore
import Invocations
import Storage

/// The binding `documents`: documents shared by all users, and the right of one invocation to make one.
package final class DocumentsService: BindingService {
    package let binding = "documents"
    private let store: DocumentStore
    private let clock: any HostClock
    private let claims = DocumentClaims()

    package init(_ store: DocumentStore, clock: any HostClock) {
        self.store = store
        self.clock = clock
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard ["get", "claim", "put", "list"].contains(call.method) else {
            throw call.unknownMethod(of: binding)
        }
        let query = try call.decode(DocumentQuery.self)
        try DataFault.check([NameRule.fault(query.collection, at: "collection")])
        if call.method == "list" {
            let limit = try DataFault.limit(query.limit)
            let found = try await DataFault.mapped { try await store.list(query.collection, limit: limit) }
            return try answer.send(encoding: found)
        }
        let key = try DataFault.required(query.key, "key")
        try DataFault.check([NameRule.fault(key, at: "key")])
        try await DataFault.mapped {
            switch call.method {
            case "get": try answer.send(encoding: try await store.get(query.collection, key))
            case "claim":
                try answer.send(encoding: try await claim(query.collection, key, call.origin.invocation))
            default: try answer.send(encoding: try await put(query, key))
            }
        }
    }

    package func invocationEnded(_ invocation: String, final: Bool) async {
        claims.ended(invocation)
    }

    /// How many invocations wait for a document; for metrics and tests.
    package func waiting(_ collection: String, _ key: String) -> Int {
        claims.waiting(for: ClaimTable.Key(collection: collection, key: key))
    }

    /// See `DocumentsBinding.claim`.
    private func claim(_ collection: String, _ key: String, _ invocation: String) async throws -> Document? {
        // Most claims meet a document that is there; they need no turn.
        if let document = try await store.get(collection, key) { return document }
        let place = ClaimTable.Key(collection: collection, key: key)
        if let document = try await claims.claim(place, by: invocation) { return document }
        // It may have been stored between the look and the claim. Whoever stores tells the claims afterwards.
        guard let document = try await store.get(collection, key) else { return nil }
        claims.made(place, document)
        return document
    }

    private func put(_ query: DocumentQuery, _ key: String) async throws -> Document {
        let value = try DataFault.required(query.value, "value")
        try DataFault.check([DataFault.value(value.text, at: "value")])
        let document = try await store.put(
            query.collection,
            key,
            value,
            expected: query.expected,
            now: clock.now
        )
        claims.made(ClaimTable.Key(collection: query.collection, key: key), document)
        return document
    }
}
