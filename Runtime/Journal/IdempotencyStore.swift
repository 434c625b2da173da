import FunctionCore
import GRDB
import Storage

/// Whose key it is: the same text from another principal, or for another function, is another key.
package struct IdempotencyScope: Sendable, Hashable {
    package var function: String
    package var principal: String?
    package var key: String

    /// How long an answer is kept.
    package static let retention = Duration.seconds(24 * 3600)
    /// The largest answer that is kept, in bytes.
    package static let bodyLimit = 1024 * 1024
    /// The longest key in bytes.
    package static let keyLimit = 256

    package init(function: String, principal: String?, key: String) {
        self.function = function
        self.principal = principal
        self.key = key
    }

    /// Refuses a key that is too long.
    func check() throws {
        guard key.utf8.count > Self.keyLimit else { return }
        let message = "an Idempotency-Key has at most \(Self.keyLimit) bytes; send a shorter one"
        throw StorageError(.tooLarge, message)
    }

    var arguments: StatementArguments { [function, principal ?? "", key] }
}

/// What a request with an idempotency key meets.
package enum IdempotencyVerdict: Sendable, Hashable {
    /// The first of its key: carry it out, then `finish` or `abandon`.
    case proceed
    /// It was carried out: answer the same again.
    case replay(status: Int, headers: [Header], body: Bytes)
    /// It was accepted as a job, and the host ended before it had answered.
    case accepted(job: String)
    /// The first of its key is still under way: 409.
    case inFlight
    /// The key was used for another request: 422.
    case mismatch
}

/// What is known of a key.
struct IdempotencyEntry: Sendable {
    var hash: String
    var created: Instant
    var job: String?
    var status: Int?
    /// Pairs of names and values.
    var headers: [JSON]
    var body: Bytes

    func verdict(_ requestHash: String) -> IdempotencyVerdict {
        guard hash == requestHash else { return .mismatch }
        if let status {
            let headers = headers.map { Header($0[0]?.stringValue ?? "", $0[1]?.stringValue ?? "") }
            return .replay(status: status, headers: headers, body: body)
        }
        if let job { return .accepted(job: job) }
        return .inFlight
    }
}

extension IdempotencyEntry {
    fileprivate init(_ row: Row) throws {
        let isAnswered = row["status"] as Int? != nil
        self.init(
            hash: row["request_hash"],
            created: row.instant("created"),
            job: row["job"],
            status: row["status"],
            headers: isAnswered ? try row.json("headers").arrayValue ?? [] : [],
            body: isAnswered ? row.bytes("body") : Bytes()
        )
    }
}

/// Idempotency keys as rows of the journal's file.
package final class IdempotencyStore: IdempotencyKeys {
    private static let same = "function = ? AND principal = ? AND key = ?"
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    package func begin(
        _ scope: IdempotencyScope,
        requestHash: String,
        now: Instant
    ) async throws -> IdempotencyVerdict {
        try scope.check()
        return try await file.write { database in
            let horizon = now - IdempotencyScope.retention
            try database.run(
                "DELETE FROM idempotency WHERE \(Self.same) AND created < ?",
                scope.arguments + [horizon.nanoseconds]
            )
            guard
                let row = try database.first("SELECT * FROM idempotency WHERE \(Self.same)", scope.arguments)
            else {
                try database.run(
                    """
                    INSERT INTO idempotency (function, principal, key, request_hash, created)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                    scope.arguments + [requestHash, now.nanoseconds]
                )
                return .proceed
            }
            return try IdempotencyEntry(row).verdict(requestHash)
        }
    }

    @discardableResult
    package func finish(
        _ scope: IdempotencyScope,
        status: Int,
        headers: [Header],
        body: Bytes
    ) async throws -> Bool {
        guard body.count <= IdempotencyScope.bodyLimit else {
            try await abandon(scope)
            return false
        }
        let fields = JSON.array(headers.map { [.string($0.name), .string($0.value)] }).text
        return try await file.write { database in
            try database.run(
                "UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE \(Self.same)",
                [status, fields, body.blob] + scope.arguments
            ) == 1
        }
    }

    package func abandon(_ scope: IdempotencyScope) async throws {
        try await file.write { database in
            try database.run(
                "DELETE FROM idempotency WHERE \(Self.same) AND status IS NULL AND job IS NULL",
                scope.arguments
            )
        }
    }

    package func prune(now: Instant) async throws {
        let horizon = now - IdempotencyScope.retention
        while true {
            let removed = try await file.write { database in
                try database.run(
                    """
                    DELETE FROM idempotency WHERE rowid IN
                    (SELECT rowid FROM idempotency WHERE created < ? LIMIT 500)
                    """,
                    [horizon.nanoseconds]
                )
            }
            if removed < 500 { return }
        }
    }

    static func bind(_ scope: IdempotencyScope, to job: String, in database: Database) throws {
        try database.run("UPDATE idempotency SET job = ? WHERE \(same)", [job] + scope.arguments)
    }

    package func dropLost() async throws -> Int {
        try await file.write { try $0.run("DELETE FROM idempotency WHERE status IS NULL AND job IS NULL") }
    }
}
