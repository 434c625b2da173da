import FunctionCore
import GRDB
import Invocations
import Storage

/// Lanes as rows: how many jobs of a key stand ready, are held by an attempt, or wait for their instant.
///
/// A lane that is empty is gone.
enum JobLanes {
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
                job.function, job.place.key, policy.perKey, policy.rate?.interval, policy.rate?.burst,
            ]
        )
    }

    /// Jobs of a lane have changed, by so much in all; their rows are written before.
    static func shift(
        _ function: String,
        _ key: String,
        by change: LaneWeight,
        priority: Int,
        now: Instant,
        in database: Database
    ) throws {
        guard change != LaneWeight() else { return }
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
    static func open(_ function: String, limit: Int, in database: Database) throws -> [OpenLane] {
        try database.rows(
            """
            SELECT key, head, held, per_key, rate_interval, rate_burst, full_at FROM job_lanes
            WHERE function = ? AND is_open = 1 ORDER BY head DESC, turn, key LIMIT ?
            """,
            [function, limit]
        ).map(OpenLane.init)
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
        _ lane: OpenLane,
        count: Int,
        turn: Int64,
        now: Instant,
        in database: Database
    ) throws {
        let (fullAt, freeAt) = lane.served(count, now: now)
        try database.run(
            """
            UPDATE job_lanes SET turn = ?3, full_at = ?4, free_at = ?5, is_open = is_open AND ?5 = 0
            WHERE function = ?1 AND key = ?2
            """,
            [function, lane.key, turn, fullAt, freeAt]
        )
    }

    /// Shuts a lane that has no room after all, as after a change of its policy.
    static func shut(_ function: String, _ lane: OpenLane, in database: Database) throws {
        try database.run(
            "UPDATE job_lanes SET is_open = 0 WHERE function = ? AND key = ?",
            [function, lane.key]
        )
    }
}

extension OpenLane {
    fileprivate init(_ row: Row) {
        key = row["key"]
        head = row["head"]
        held = row["held"]
        perKey = row["per_key"]
        if let interval = row["rate_interval"] as Int64?, let burst = row["rate_burst"] as Int64? {
            rate = BucketRule(interval: interval, burst: burst)
        }
        bucket = TokenBucket(fullAt: row["full_at"])
    }
}
