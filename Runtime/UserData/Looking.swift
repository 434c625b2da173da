import FunctionCore
import GRDB
import Glibc
import Storage

/// What is in a user's shard, for who only looks.
extension ShardMap {
    /// The user's collections with how many records each has; none where there is no shard yet.
    package func collections(of user: Int) async throws -> [(name: String, count: Int)] {
        let place = try ShardPlace(user: user)
        // A look makes no file.
        guard access(try locate(user), R_OK) == 0 else { return [] }
        return try await use(place) { file in
            try await file.read { database in
                try database.rows(
                    "SELECT collection, COUNT(*) AS count FROM records WHERE user = ? GROUP BY collection",
                    [user]
                ).map { ($0["collection"], $0["count"]) }
            }
        }
    }

    /// The user's records of a collection, the last changed first.
    package func records(of user: Int, _ collection: String, limit: Int) async throws -> [UserRecord] {
        let place = try ShardPlace(user: user)
        guard access(try locate(user), R_OK) == 0 else { return [] }
        return try await use(place) { file in
            try await file.read { try RecordTable.list(user, collection, limit, in: $0) }
        }
    }
}
