import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// The engine of several hosts: jobs in one Redis server, which all of them claim from.
///
/// A step reads the job, decides, and writes where nothing has changed since; else it begins anew. So what is
/// decided is decided by the same code as on one host, and no two hosts decide on the same state. All times
/// are the callers': the server's clock is never asked, and nothing expires by itself.
package final class RedisJobs: JobEngine {
    package let isShared = true
    package let due = WakeSignal()
    package let changes = JobChanges()
    let client: RedisClient
    let keys: RedisJobKeys
    let endings: JobEndings
    let deliveries: RedisDeliveries

    /// How often a step begins anew before it gives up; each time another host has got on.
    private static let rounds = 100

    init(
        _ client: RedisClient,
        _ keys: RedisJobKeys,
        endings: JobEndings,
        deliveries: RedisDeliveries
    ) {
        self.client = client
        self.keys = keys
        self.endings = endings
        self.deliveries = deliveries
    }

    // MARK: Commits

    /// What became of a commit.
    enum Verdict: Equatable {
        /// Written; with the numbers of the jobs that it made.
        case done([Int64])
        /// A guard did not hold, counted from 1.
        case refused(Int)

        var isDone: Bool { if case .done = self { true } else { false } }
    }

    /// Writes all of each commit or nothing of it.
    func commit(_ commits: [RedisCommit]) async throws -> [Verdict] {
        guard !commits.isEmpty else { return [] }
        let replies = try await RedisJobScripts.commit.call(client, keys.base, commits.map(\.arguments))
        return replies.map { reply in
            let numbers = (reply.array ?? []).map { Int64($0.int ?? 0) }
            guard let first = numbers.first, first == 0 else { return .refused(Int(numbers.first ?? 1)) }
            return .done(Array(numbers.dropFirst()))
        }
    }

    /// Repeats `body` until it gives something.
    func untilWritten<Value>(_ body: () async throws -> Value?) async throws -> Value {
        for _ in 0..<RedisJobs.rounds {
            if let value = try await body() { return value }
        }
        throw StorageError(.overloaded, "other hosts change the same job too often; try again")
    }

    func ask(_ commands: [[Bytes]]) async throws -> [RedisValue] {
        try await client.ask(commands)
    }

    func ask(_ command: [Bytes]) async throws -> RedisValue { try await ask([command]).first ?? .null }

    /// Jobs without bodies, nil for those that are not there.
    func light(_ ids: [String]) async throws -> [StoredJob?] {
        try await ask(ids.map { ["HMGET", keys.job($0)] + RedisJobCodec.light }).map(
            RedisJobCodec.job(light:)
        )
    }

    // MARK: Accepting

    @discardableResult
    package func accept(_ job: NewJob, scope: IdempotencyScope?, now: Instant) async throws -> JobRecord {
        try JobLimits.check(job.body)
        var record = try JobRecord(job, now: now)
        let found = try await untilWritten { () async throws -> JobRecord? in
            var commit = RedisCommit(keys, now: now)
            if let wish = job.unique, let known = try await claim(wish, for: job, now: now, &commit) {
                return known
            }
            let uniqueGuards = commit.guardCount
            commit.insert(record, job.lane, unique: job.unique)
            commit.require(keys.counts, "waiting", below: JobLimits.waiting)
            if let scope { commit.bind(scope, to: job.id) }
            switch try await self.commit([commit])[0] {
            case .done(let numbers):
                record.number = numbers.first ?? 0
                return record
            case .refused(uniqueGuards + 1): return try await light([job.id])[0]?.record
            case .refused(uniqueGuards + 2): throw JobLimits.full
            case .refused: return nil
            }
        }
        if let scope, found.id != job.id || found.number != record.number {
            var commit = RedisCommit(keys, now: now)
            commit.bind(scope, to: found.id)
            _ = try await self.commit([commit])
        }
        due.wake()
        return found
    }

    /// The job that is there already; else the key is taken for `job`, if it is still free by then.
    private func claim(
        _ wish: UniqueWish,
        for job: NewJob,
        now: Instant,
        _ commit: inout RedisCommit
    ) async throws -> JobRecord? {
        try wish.check()
        let key = keys.unique(job.function, wish.key)
        let known = try await ask(["HMGET", key, "job", "until"]).array ?? []
        let holder = known.first?.bytes
        if let holder, let there = try await light([holder.text])[0]?.record {
            let until = known.last?.text.flatMap { Int64($0) }.map { Instant(nanoseconds: $0) }
            if wish.holds(there, until: until, now: now) { return there }
        }
        commit.require(key, "job", is: holder)
        commit.add(["DEL", key])
        commit.add(["HSET", key, "job", Bytes(job.id)])
        if let period = wish.period {
            commit.add(["HSET", key, "until", Bytes("\((now + period).nanoseconds)")])
        }
        return nil
    }

    package func renew(_ leases: [String: Int64], now: Instant) async throws -> [String] {
        guard !leases.isEmpty else { return [] }
        let until = now + JobLimits.leaseTime
        let words = leases.flatMap { [Bytes($0.key), Bytes("\($0.value)")] }
        let arguments = [Bytes("\(until.nanoseconds)"), until.score] + words
        let reply = try await RedisJobScripts.renew.call(client, keys.base, [arguments]).first
        return (reply?.array ?? []).compactMap(\.text)
    }

    // MARK: Steps

    package func step(
        _ ids: [String],
        now: Instant,
        _ decide: @escaping JobDecision
    ) async throws -> [JobChange] {
        var taken: [JobChange] = []
        var left = ids
        for _ in 0..<RedisJobs.rounds where !left.isEmpty {
            var decided: [(change: JobChange, commit: RedisCommit)] = []
            for stored in try await light(left) {
                guard let stored, let change = try decide(stored.record) else { continue }
                decided.append((change, try commit(change, stored.version, now: now)))
            }
            let verdicts = try await commit(decided.map(\.commit))
            left = []
            for ((change, _), verdict) in zip(decided, verdicts) {
                if verdict.isDone { taken.append(change) } else { left.append(change.job.id) }
            }
        }
        guard left.isEmpty else {
            throw StorageError(.overloaded, "other hosts change the same job too often; try again")
        }
        told(taken)
        return taken
    }

    private func commit(_ change: JobChange, _ version: Int64, now: Instant) throws -> RedisCommit {
        let job = change.job
        var commit = RedisCommit(keys, now: now)
        if change.comesBack { commit.enter(job, endings.policy(of: job), always: false) }
        commit.store(change, version: version)
        switch endings.sequel(of: job, now: now) {
        case .none: break
        case .delivery(let destination, let body): commit.deliver(destination, body, of: job, now: now)
        case .job(let next):
            var record = try JobRecord(next, now: now)
            if next.depth > JobEndings.depthMax { record = try JobChange.tooDeep(record, now: now).job }
            commit.insert(record, next.lane)
        }
        return commit
    }

    private func told(_ taken: [JobChange]) {
        changes.tell(of: taken, due: due, deliveries: deliveries.appended)
    }

    package func remove(
        _ ids: [String],
        if isOver: @escaping @Sendable (JobRecord) -> Bool
    ) async throws -> Int {
        guard !ids.isEmpty else { return 0 }
        let uniques = try await ask(ids.map { ["HGET", keys.job($0), "unique"] }).map(\.text)
        let commits = zip(try await light(ids), uniques).compactMap { stored, unique -> RedisCommit? in
            guard let stored, isOver(stored.record) else { return nil }
            var commit = RedisCommit(keys, now: stored.record.updated)
            commit.remove(stored.record, version: stored.version, unique: unique)
            return commit
        }
        return try await commit(commits).count(where: \.isDone)
    }

    /// A host has changed a job; this one knows of its own changes already.
    func heard(_ message: Bytes) {
        let words = message.text.split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3, words[1] != keys.host else { return }
        changes.changed(words[2])
        if words[0] == "due" { due.wake() }
    }
}
