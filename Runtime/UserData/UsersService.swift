import FunctionCore
import Invocations
import Storage

/// The binding `users`: records of one user, all in the user's shard.
///
/// A transaction and what it emits are one commit.
package struct UsersService: BindingService {
    package let binding = "users"
    private let shards: ShardMap
    private let clock: any HostClock

    package init(_ shards: ShardMap, clock: any HostClock) {
        self.shards = shards
        self.clock = clock
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard ["write", "get", "list"].contains(call.method) else { throw call.unknownMethod(of: binding) }
        let query = try call.decode(UserQuery.self)
        try await DataFault.mapped {
            switch call.method {
            case "write": try answer.send(encoding: try await write(query, call.origin))
            case "get": try answer.send(encoding: try await get(query))
            default: try answer.send(encoding: try await list(query))
            }
        }
    }

    /// One transaction; see `UsersBinding.write`.
    package func write(_ query: UserQuery, _ origin: CallOrigin) async throws -> UserWriteResult {
        let place = try ShardPlace(user: query.user)
        let writes = try DataFault.required(query.writes, "writes")
        let transaction = try UserTransaction(user: query.user, writes, origin: origin, now: clock.now)
        do {
            let records = try await shards.use(place) { file in
                try await file.write { try transaction.run(in: $0) }
            }
            if transaction.emits { await shards.noteOutbox(place) }
            return UserWriteResult(committed: true, records: records)
        } catch let met as UserTransaction.Met {
            return UserWriteResult(committed: false, records: met.records)
        }
    }

    private func get(_ query: UserQuery) async throws -> UserRecord? {
        let place = try ShardPlace(user: query.user)
        let collection = try DataFault.required(query.collection, "collection")
        let id = try DataFault.required(query.id, "id")
        return try await shards.use(place) { file in
            try await file.read { try RecordTable.get(query.user, collection, id, in: $0) }
        }
    }

    private func list(_ query: UserQuery) async throws -> [UserRecord] {
        let place = try ShardPlace(user: query.user)
        let collection = try DataFault.required(query.collection, "collection")
        let limit = try DataFault.limit(query.limit)
        return try await shards.use(place) { file in
            try await file.read { try RecordTable.list(query.user, collection, limit, in: $0) }
        }
    }
}
