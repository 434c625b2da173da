import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// Idempotency keys in Redis: a key that was sent to one host is known to all.
final class RedisIdempotency: IdempotencyKeys {
    private let jobs: RedisJobs
    private var keys: RedisJobKeys { jobs.keys }

    init(_ jobs: RedisJobs) {
        self.jobs = jobs
    }

    func begin(
        _ scope: IdempotencyScope,
        requestHash: String,
        now: Instant
    ) async throws -> IdempotencyVerdict {
        try scope.check()
        let key = keys.idempotency(scope)
        return try await jobs.untilWritten {
            let row = RedisJobCodec.table(try await jobs.ask(["HGETALL", key]))
            if let entry = IdempotencyEntry(row), entry.created >= now - IdempotencyScope.retention {
                return entry.verdict(requestHash)
            }
            var commit = RedisCommit(keys, now: now)
            commit.require(key, "created", is: row["created"])
            commit.add(["DEL", key])
            let created = Bytes("\(now.nanoseconds)")
            commit.add([
                "HSET", key, "hash", Bytes(requestHash), "created", created, "host", Bytes(keys.host),
            ])
            commit.add(["ZADD", keys.idempotencies, now.score, key])
            commit.add(["SADD", keys.inFlight, key])
            return try await jobs.commit([commit])[0].isDone ? .proceed : nil
        }
    }

    @discardableResult
    func finish(_ scope: IdempotencyScope, status: Int, headers: [Header], body: Bytes) async throws -> Bool {
        guard body.count <= IdempotencyScope.bodyLimit else {
            try await abandon(scope)
            return false
        }
        let fields = JSON.array(headers.map { [.string($0.name), .string($0.value)] }).text
        return try await change(scope) { commit, key, _ in
            commit.add(["HSET", key, "status", Bytes("\(status)"), "headers", Bytes(fields), "body", body])
            return true
        }
    }

    func abandon(_ scope: IdempotencyScope) async throws {
        _ = try await change(scope) { commit, key, row in
            let isOwn = row["host"] == Bytes(keys.host)
            guard isOwn, row["status"] == nil, row["job"] == nil else { return false }
            commit.require(key, "status", is: nil)
            commit.require(key, "job", is: nil)
            commit.add(["DEL", key])
            commit.add(["ZREM", keys.idempotencies, key])
            return true
        }
    }

    func dropLost() async throws -> Int {
        let set = keys.inFlight
        var dropped = 0
        for key in (try await jobs.ask(["SMEMBERS", set]).array ?? []).compactMap(\.bytes) {
            let row = RedisJobCodec.table(try await jobs.ask(["HGETALL", key]))
            var commit = RedisCommit(keys, now: Instant(nanoseconds: 0))
            commit.add(["SREM", set, key])
            let isLost = row["host"] == Bytes(keys.host) && row["status"] == nil && row["job"] == nil
            if isLost {
                commit.require(key, "created", is: row["created"])
                commit.add(["DEL", key])
                commit.add(["ZREM", keys.idempotencies, key])
            }
            if try await jobs.commit([commit])[0].isDone, isLost { dropped += 1 }
        }
        return dropped
    }

    func prune(now: Instant) async throws {
        let horizon = (now - IdempotencyScope.retention).score
        while true {
            let old =
                try await jobs.ask(
                    [
                        "ZRANGE", keys.idempotencies, "-inf", Bytes("(\(horizon.text)"), "BYSCORE", "LIMIT",
                        "0", "500",
                    ]
                ).array ?? []
            if old.isEmpty { return }
            var commit = RedisCommit(keys, now: now)
            for key in old.compactMap(\.bytes) {
                commit.add(["DEL", key])
                commit.add(["ZREM", keys.idempotencies, key])
            }
            _ = try await jobs.commit([commit])
        }
    }

    /// Changes a key that is there, and is under way no more.
    private func change(
        _ scope: IdempotencyScope,
        _ body: (inout RedisCommit, Bytes, [Bytes: Bytes]) -> Bool
    ) async throws -> Bool {
        let key = keys.idempotency(scope)
        return try await jobs.untilWritten {
            let row = RedisJobCodec.table(try await jobs.ask(["HGETALL", key]))
            guard let created = row["created"] else { return false }
            var commit = RedisCommit(keys, now: Instant(nanoseconds: 0))
            commit.require(key, "created", is: created)
            guard body(&commit, key, row) else { return false }
            commit.add(["SREM", keys.inFlight, key])
            return try await jobs.commit([commit])[0].isDone ? true : nil
        }
    }
}

extension IdempotencyEntry {
    fileprivate init?(_ row: [Bytes: Bytes]) {
        let fields = RedisRow(row)
        guard let hash = fields.text("hash"), let created = fields.instant("created") else { return nil }
        self.init(
            hash: hash,
            created: created,
            job: fields.text("job"),
            status: fields.int("status"),
            headers: (row["headers"].flatMap { try? JSON.parse($0) })?.arrayValue ?? [],
            body: row["body"] ?? Bytes()
        )
    }
}

extension RedisCommit {
    /// Binds the key of a request that is under way to the job that it became.
    mutating func bind(_ scope: IdempotencyScope, to job: String) {
        add(["bind", keys.idempotency(scope), Bytes(job), keys.inFlight])
    }
}
