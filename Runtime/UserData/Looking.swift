import FunctionCore
import GRDB
import Glibc
import Storage

/// What is in a user's shard, for who only looks.
extension ShardMap {
    /// Users that have records, with how many, by number; of the first shards alone where there are many.
    package func users(limit: Int) async throws -> [(user: Int, count: Int)] {
        var found: [(user: Int, count: Int)] = []
        for place in known.sorted(by: { $0.number < $1.number }).prefix(ShardMap.lookMax) {
            guard access("\(directory)/\(place.file)", R_OK) == 0 else { continue }
            found += try await use(place) { file in
                try await file.read { database in
                    try database.rows(
                        "SELECT user, COUNT(*) AS count FROM records GROUP BY user ORDER BY user LIMIT ?",
                        [limit]
                    ).map { ($0["user"], $0["count"]) }
                }
            }
        }
        return Array(found.sorted { $0.user < $1.user }.prefix(limit))
    }

    /// How many files a look at all users opens.
    private static let lookMax = 32

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
