import FunctionCore
import GRDB
import Invocations
import Storage

/// Claims in SQLite.
///
/// Every step looks at as many rows as it takes, by an index: how many wait behind them makes no difference.
extension JobStore {
    package func claim(limit: Int, capacity: [String: Int], now: Instant) async throws -> [JobRecord] {
        let open = capacity.filter { $0.value > 0 }
        guard limit > 0, !open.isEmpty else { return [] }
        let claimed = try await file.write { database in
            var found: [(job: JobRecord, lane: OpenLane)] = []
            for (function, room) in open.sorted(by: { $0.key < $1.key }) {
                try Self.comeDue(function, now: now, in: database)
                try JobLanes.wake(function, now: now, in: database)
                found += try Self.candidates(function, room: min(room, limit), now: now, in: database)
            }
            found.sort { ClaimRules.isBefore($0.job, $1.job) }
            return try Self.begin(Array(found.prefix(limit)), now: now, in: database)
        }
        for job in claimed { changes.changed(job.id) }
        return claimed
    }

    /// Puts what has become due into its lane.
    private static func comeDue(_ function: String, now: Instant, in database: Database) throws {
        for job in try JobRows.due(function, now: now, limit: 256, in: database) {
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
    ) throws -> [(job: JobRecord, lane: OpenLane)] {
        let lanes = try JobLanes.open(function, limit: room, in: database)
        var found: [(job: JobRecord, lane: OpenLane)] = []
        for (lane, most) in ClaimRules.shares(lanes, room: room, now: now) {
            guard most > 0 else {
                try JobLanes.shut(function, lane, in: database)
                continue
            }
            for job in try JobRows.ready(function, lane.key, lane.head, limit: most, in: database) {
                if let job = ClaimRules.beginning(job, now: now) { found.append((job, lane)) }
            }
        }
        return found
    }

    /// Begins the attempts, and reckons with each lane once.
    private static func begin(
        _ found: [(job: JobRecord, lane: OpenLane)],
        now: Instant,
        in database: Database
    ) throws -> [JobRecord] {
        guard !found.isEmpty else { return [] }
        let turn = try JobLanes.nextTurn(in: database)
        var claimed: [JobRecord] = []
        for (_, part) in Dictionary(grouping: found, by: { [$0.job.function, $0.job.place.key] }) {
            for (before, _) in part {
                let job = try JobChange.begin(before, now: now).job
                try JobRows.write(job, in: database)
                claimed.append(job)
            }
            guard let (first, lane) = part.first else { continue }
            try JobLanes.shift(
                first.function,
                lane.key,
                by: LaneWeight(ready: -part.count, held: part.count),
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
        return claimed.sorted(by: ClaimRules.isBefore)
    }

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
            let expiry = """
                SELECT min(expires) AS at FROM jobs
                WHERE expires IS NOT NULL AND state IN ('queued', 'retry_wait')
                """
            let next = try database.first(expiry)?.instantIfAny("at")
            return (instants + [next].compactMap { $0 }).min()
        }
    }
}
