import FunctionCore
import GRDB
import Invocations
import Storage

/// Lanes as rows: how many jobs of a key stand ready, are held by an attempt, or wait for their instant.
///
/// A lane is open where one of its jobs may begin. Open lanes take turns, those with the highest priority at
/// their head first, so that whoever has many jobs waits behind its own. A lane that is empty is gone.
enum JobLanes {
    /// What a job weighs in its lane.
    struct Weight: Hashable {
        var ready = 0
        var held = 0
        var later = 0

        static func - (left: Weight, right: Weight) -> Weight {
            Weight(
                ready: left.ready - right.ready,
                held: left.held - right.held,
                later: left.later - right.later
            )
        }

        var sum: Int { ready + held + later }
    }

    /// A lane of which something may begin.
    struct Open {
        var key: String
        /// The priority at its head.
        var head: Int
        var held: Int
        var perKey: Int?
        var rate: BucketRule?
        var bucket: TokenBucket

        init(_ row: Row) {
            key = row["key"]
            head = row["head"]
            held = row["held"]
            perKey = row["per_key"]
            if let interval = row["rate_interval"] as Int64?, let burst = row["rate_burst"] as Int64? {
                rate = BucketRule(interval: interval, burst: burst)
            }
            bucket = TokenBucket(fullAt: row["full_at"])
        }

        /// How many more may begin.
        func room(at now: Instant) -> Int {
            let tokens = rate.map { bucket.standing($0, at: now.microseconds).remaining } ?? .max
            return min(perKey.map { $0 - held } ?? .max, tokens)
        }
    }

    /// A new job comes in, with what holds in its lane from now on.
    static func enter(_ job: JobRecord, _ policy: JobLanePolicy, in database: Database) throws {
        let weight = job.weight
        try database.run(
            """
            INSERT INTO job_lanes VALUES (?1, ?2, ?3, 0, ?4, ?5, (SELECT turn FROM job_turn), ?3, ?6, ?7, ?8, 0, 0)
            ON CONFLICT DO UPDATE SET ready = ready + ?3, later = later + ?4, per_key = ?6,
                rate_interval = ?7, rate_burst = ?8,
                head = CASE WHEN ready > 0 THEN max(head, ?5) ELSE ?5 END,
                is_open = ready + ?3 > 0 AND (?6 IS NULL OR held < ?6) AND free_at = 0
            """,
            [
                job.function, job.place.key, weight.ready, weight.later, job.place.priority, policy.perKey,
                policy.rate?.interval, policy.rate?.burst,
            ]
        )
    }

    /// Makes the lane that a job comes back to, where it has gone meanwhile.
    static func ensure(_ job: JobRecord, _ policy: JobLanePolicy, in database: Database) throws {
        try database.run(
            """
            INSERT INTO job_lanes VALUES (?, ?, 0, 0, 0, 0, (SELECT turn FROM job_turn), 0, ?, ?, ?, 0, 0)
            ON CONFLICT DO NOTHING
            """,
            [
                job.function, job.place.key, job.place.isOrdered ? 1 : policy.perKey, policy.rate?.interval,
                policy.rate?.burst,
            ]
        )
    }

    /// Jobs of a lane have changed, by so much in all; their rows are written before.
    static func shift(
        _ function: String,
        _ key: String,
        by change: Weight,
        priority: Int,
        now: Instant,
        in database: Database
    ) throws {
        guard change != Weight() else { return }
        try database.run(
            """
            UPDATE job_lanes SET ready = ready + ?3, held = held + ?4, later = later + ?5,
                head = CASE
                    WHEN ?3 > 0 AND ready > 0 THEN max(head, ?6)
                    WHEN ?3 > 0 THEN ?6
                    WHEN ?3 < 0 AND head > 0 THEN coalesce((SELECT priority FROM jobs
                        WHERE function = ?1 AND lane = ?2 AND ready = 1 ORDER BY priority DESC LIMIT 1), 0)
                    ELSE head END,
                is_open = ready + ?3 > 0 AND (per_key IS NULL OR held + ?4 < per_key) AND free_at = 0
            WHERE function = ?1 AND key = ?2
            """,
            [function, key, change.ready, change.held, change.later, priority]
        )
        guard change.sum < 0 else { return }
        try database.run(
            "DELETE FROM job_lanes WHERE function = ? AND key = ? AND \(empty)",
            [function, key, now.microseconds]
        )
    }

    /// An empty lane, of which nothing needs to be remembered.
    private static let empty = "ready = 0 AND held = 0 AND later = 0 AND full_at <= ?"

    /// Forgets empty lanes whose rates kept them.
    static func prune(now: Instant, in database: Database) throws {
        try database.run("DELETE FROM job_lanes WHERE \(empty)", [now.microseconds])
    }

    // MARK: Turns

    /// The lanes with the highest priority of a function, those that have waited longest first.
    static func open(_ function: String, limit: Int, in database: Database) throws -> [Open] {
        let lanes = try database.rows(
            """
            SELECT key, head, held, per_key, rate_interval, rate_burst, full_at FROM job_lanes
            WHERE function = ? AND is_open = 1 ORDER BY head DESC, turn, key LIMIT ?
            """,
            [function, limit]
        ).map(Open.init)
        return lanes.filter { $0.head == lanes.first?.head }
    }

    /// Opens the lanes again that have rested for their rate.
    static func wake(_ function: String, now: Instant, in database: Database) throws {
        try database.run(
            """
            UPDATE job_lanes SET free_at = 0, is_open = ready > 0 AND (per_key IS NULL OR held < per_key)
            WHERE function = ? AND free_at > 0 AND free_at <= ?
            """,
            [function, now.microseconds]
        )
    }

    /// The next turn's number.
    static func nextTurn(in database: Database) throws -> Int64 {
        try database.run("UPDATE job_turn SET turn = turn + 1")
        return try database.first("SELECT turn FROM job_turn")?[0] ?? 1
    }

    /// So many of a lane's jobs have begun: it is the others' turn, and it rests where its rate says so.
    static func served(
        _ function: String,
        _ lane: Open,
        count: Int,
        turn: Int64,
        now: Instant,
        in database: Database
    ) throws {
        var bucket = lane.bucket
        var free: Int64 = 0
        if let rate = lane.rate {
            for _ in 0..<count { _ = bucket.take(rate, at: now.microseconds) }
            let wait = bucket.standing(rate, at: now.microseconds).retryAfter
            free = wait > 0 ? now.microseconds + wait : 0
        }
        try database.run(
            """
            UPDATE job_lanes SET turn = ?3, full_at = ?4, free_at = ?5, is_open = is_open AND ?5 = 0
            WHERE function = ?1 AND key = ?2
            """,
            [function, lane.key, turn, max(bucket.fullAt, 0), free]
        )
    }

    /// Shuts a lane that has no room after all, as after a change of its policy.
    static func shut(_ function: String, _ lane: Open, in database: Database) throws {
        try database.run(
            "UPDATE job_lanes SET is_open = 0 WHERE function = ? AND key = ?",
            [function, lane.key]
        )
    }
}

extension JobRecord {
    /// What it weighs in its lane; an ordered lane is held by the job that waits for its next attempt too.
    var weight: JobLanes.Weight {
        switch state {
        case .queued where place.isReady, .retryWait where place.isReady: JobLanes.Weight(ready: 1)
        case .running: JobLanes.Weight(held: 1)
        case .retryWait where place.isOrdered: JobLanes.Weight(held: 1)
        case .queued, .retryWait: JobLanes.Weight(later: 1)
        case .created, .completed, .failed, .cancelled, .expired: JobLanes.Weight()
        }
    }
}

extension Instant {
    var microseconds: Int64 { nanoseconds / 1000 }
}
