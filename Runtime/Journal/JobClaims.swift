import FunctionCore
import GRDB
import Invocations
import Storage

/// Which jobs begin next.
///
/// Every step looks at as many rows as it takes, by an index: how many wait behind them makes no difference.
extension JobStore {
    /// How many jobs come due, or expire, in one transaction.
    private static let step = 256

    /// Begins attempts of up to `limit` jobs that are due, and of each function no more than its capacity;
    /// functions that `capacity` does not name are left alone.
    ///
    /// The highest priority comes first, then lanes in turns, and in a lane the longest due first; in an
    /// ordered lane the first that was accepted.
    package func claim(limit: Int, capacity: [String: Int], now: Instant) async throws -> [JobRecord] {
        let open = capacity.filter { $0.value > 0 }
        guard limit > 0, !open.isEmpty else { return [] }
        let claimed = try await file.write { database in
            var found: [(job: JobRecord, lane: JobLanes.Open)] = []
            for (function, room) in open.sorted(by: { $0.key < $1.key }) {
                try Self.comeDue(function, now: now, in: database)
                try JobLanes.wake(function, now: now, in: database)
                found += try Self.candidates(function, room: min(room, limit), now: now, in: database)
            }
            found.sort { Self.isBefore($0.job, $1.job) }
            return try Self.begin(Array(found.prefix(limit)), now: now, in: database)
        }
        for job in claimed { changes.changed(job.id) }
        return claimed
    }

    private static func isBefore(_ left: JobRecord, _ right: JobRecord) -> Bool {
        (right.place.priority, left.runAt, left.number) < (left.place.priority, right.runAt, right.number)
    }

    /// Puts what has become due into its lane.
    private static func comeDue(_ function: String, now: Instant, in database: Database) throws {
        for job in try JobRows.due(function, now: now, limit: step, in: database) {
            var ready = job
            ready.place.isReady = true
            try JobRows.update(ready, from: job, in: database)
        }
    }

    private static func candidates(
        _ function: String,
        room: Int,
        now: Instant,
        in database: Database
    ) throws -> [(job: JobRecord, lane: JobLanes.Open)] {
        let lanes = try JobLanes.open(function, limit: room, in: database)
        let share = max(1, room / max(lanes.count, 1))
        var found: [(job: JobRecord, lane: JobLanes.Open)] = []
        for lane in lanes {
            let most = min(share, lane.room(at: now))
            guard most > 0 else {
                try JobLanes.shut(function, lane, in: database)
                continue
            }
            for job in try JobRows.ready(function, lane.key, lane.head, limit: most, in: database) {
                // A clock that was set back has jobs wait that were due.
                if job.runAt > now {
                    var waiting = job
                    waiting.place.isReady = false
                    try JobRows.update(waiting, from: job, in: database)
                } else if job.expires.map({ $0 > now }) ?? true {
                    found.append((job, lane))
                }
            }
        }
        return found
    }

    /// Begins the attempts, and reckons with each lane once.
    private static func begin(
        _ found: [(job: JobRecord, lane: JobLanes.Open)],
        now: Instant,
        in database: Database
    ) throws -> [JobRecord] {
        guard !found.isEmpty else { return [] }
        let turn = try JobLanes.nextTurn(in: database)
        var claimed: [JobRecord] = []
        for (_, part) in Dictionary(grouping: found, by: { [$0.job.function, $0.job.place.key] }) {
            for (before, _) in part {
                var job = try moved(before, .claimed(at: now, until: now + leaseTime), now: now)
                job.claimed = now
                try JobRows.write(job, in: database)
                claimed.append(job)
            }
            guard let (first, lane) = part.first else { continue }
            try JobLanes.shift(
                first.function,
                lane.key,
                by: JobLanes.Weight(ready: -part.count, held: part.count),
                priority: 0,
                now: now,
                in: database
            )
            try JobLanes.served(
                first.function,
                lane,
                count: part.count,
                turn: turn,
                now: now,
                in: database
            )
        }
        return claimed.sorted(by: isBefore)
    }

    /// Ends jobs that still wait at the end of their time; returns them.
    package func expireDue(now: Instant) async throws -> [JobRecord] {
        guard let first = try await nextExpiry(), first <= now else { return [] }
        let ended = try await file.write { database in
            try JobRows.expiring(now: now, limit: Self.step, in: database).map { before in
                var job = try Self.moved(before, .expired, now: now)
                job.error = JobError(
                    code: "expired",
                    message: "it waited to the end of its time, \(before.expires?.rfc3339 ?? "")",
                    status: 504
                )
                try JobRows.update(job, from: before, in: database)
                try self.endings.follow(job, now: now, in: database)
                return job
            }
        }
        told(ended)
        return ended
    }

    /// When something may begin, or expires, of these functions; nil where nothing waits.
    ///
    /// The first instant of all for what may begin now.
    package func nextDue(of functions: [String]) async throws -> Instant? {
        try await file.read { database in
            let instants = try functions.flatMap { function -> [Instant] in
                let open = "SELECT 1 FROM job_lanes WHERE function = ? AND is_open = 1 LIMIT 1"
                if try database.first(open, [function]) != nil { return [Instant(nanoseconds: 0)] }
                let later = """
                    SELECT min(run_at) AS at FROM jobs
                    WHERE function = ? AND ready = 0 AND state IN ('queued', 'retry_wait')
                    """
                let resting =
                    "SELECT min(free_at) * 1000 AS at FROM job_lanes WHERE function = ? AND free_at > 0"
                return try [later, resting].compactMap {
                    try database.first($0, [function])?.instantIfAny("at")
                }
            }
            return try (instants + [Self.nextExpiry(in: database)].compactMap { $0 }).min()
        }
    }

    private func nextExpiry() async throws -> Instant? {
        try await file.read { try Self.nextExpiry(in: $0) }
    }

    private static func nextExpiry(in database: Database) throws -> Instant? {
        let sql = """
            SELECT min(expires) AS at FROM jobs
            WHERE expires IS NOT NULL AND state IN ('queued', 'retry_wait')
            """
        return try database.first(sql)?.instantIfAny("at")
    }
}
