import FunctionCore
import GRDB
import Invocations
import Storage

/// Jobs as rows.
///
/// All of it runs on the file's own threads, inside of a transaction.
enum JobRows {
    /// What lists and steps leave out: bodies, which may be megabytes each.
    private static let light = """
        number, id, function, operation, x'' AS body, trigger_name, owner, trace, state, stage, percent, \
        attempt, max_attempts, run_at, created, updated, lease, result_status, result_type, x'' AS result, \
        error_code, error_message, error_status, depth, idempotency_key, revision, claims, lease_until, \
        recoveries, max_recoveries, claimed, worker, lane, priority, is_ordered, ready, expires, \
        result_blob, result_size
        """

    /// Where the id is known, gives the job that is there.
    static func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
        var record = try JobRecord(job, now: now)
        do {
            try database.run(
                """
                INSERT INTO jobs (id, function, operation, body, trigger_name, owner, trace, state, max_attempts,
                    max_recoveries, run_at, created, updated, depth, idempotency_key, lane, priority, is_ordered,
                    ready, due, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    job.id, job.function, job.operation, job.body.blob, job.trigger, job.owner,
                    job.trace.traceparent,
                    record.state.rawValue, record.maxAttempts, record.life.maxRecoveries,
                    record.runAt.nanoseconds, now.nanoseconds, now.nanoseconds, job.depth, job.idempotencyKey,
                    record.place.key,
                    record.place.priority, record.place.isOrdered, record.place.isReady, record.due,
                    job.expires?.nanoseconds,
                ]
            )
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            guard let known = try light(job.id, in: database) else { throw error }
            return known
        }
        record.number = database.lastInsertedRowID
        try JobLanes.enter(record, job.lane, in: database)
        return record
    }

    static func job(_ id: String, in database: Database) throws -> JobRecord? {
        try database.first("SELECT * FROM jobs WHERE id = ?", [id]).map(record)
    }

    /// The same without body and result.
    static func light(_ id: String, in database: Database) throws -> JobRecord? {
        try database.first("SELECT \(light) FROM jobs WHERE id = ?", [id]).map(record)
    }

    /// Up to `limit` jobs of a function whose instant has come, and which do not stand in their lanes yet.
    static func due(_ function: String, now: Instant, limit: Int, in database: Database) throws -> [JobRecord]
    {
        try database.rows(
            """
            SELECT \(light) FROM jobs
            WHERE function = ? AND ready = 0 AND state IN ('queued', 'retry_wait') AND run_at <= ?
            ORDER BY run_at, number LIMIT ?
            """,
            [function, now.nanoseconds, limit]
        ).map(record)
    }

    /// The first jobs of a lane, of one priority.
    static func ready(
        _ function: String,
        _ lane: String,
        _ priority: Int,
        limit: Int,
        in database: Database
    ) throws -> [JobRecord] {
        try database.rows(
            """
            SELECT * FROM jobs WHERE function = ? AND lane = ? AND priority = ? AND ready = 1
            ORDER BY due, number LIMIT ?
            """,
            [function, lane, priority, limit]
        ).map(record)
    }

    static func list(_ filter: JobFilter, in database: Database) throws -> [JobRecord] {
        var conditions = ["number < ?"]
        var arguments: StatementArguments = [filter.before ?? Int64.max]
        if let function = filter.function {
            conditions.append("function = ?")
            arguments += [function]
        }
        if let owner = filter.owner {
            conditions.append("owner = ?")
            arguments += [owner]
        }
        if !filter.states.isEmpty {
            let marks = Array(repeating: "?", count: filter.states.count).joined(separator: ", ")
            conditions.append("state IN (\(marks))")
            arguments += StatementArguments(filter.states.map(\.rawValue))
        }
        if let code = filter.errorCode {
            conditions.append("error_code = ?")
            arguments += [code]
        }
        if let from = filter.from {
            conditions.append("updated >= ?")
            arguments += [from.nanoseconds]
        }
        if let until = filter.until {
            conditions.append("updated < ?")
            arguments += [until.nanoseconds]
        }
        arguments += [filter.limit]
        let condition = conditions.joined(separator: " AND ")
        return try database.rows(
            "SELECT \(light) FROM jobs WHERE \(condition) ORDER BY number DESC LIMIT ?",
            arguments
        ).map(record)
    }

    /// Stores what may change in a job, but for its result, and what that means for its lane.
    static func update(_ job: JobRecord, from before: JobRecord, in database: Database) throws {
        try write(job, in: database)
        try JobLanes.shift(
            job.function,
            job.place.key,
            by: job.weight - before.weight,
            priority: job.place.priority,
            now: job.updated,
            in: database
        )
    }

    /// Stores what may change in a job, but for its result; its lane is the caller's business.
    static func write(_ job: JobRecord, in database: Database) throws {
        try database.run(
            """
            UPDATE jobs SET state = ?, stage = ?, percent = ?, attempt = ?, recoveries = ?, claims = ?,
                run_at = ?, updated = ?, revision = ?, lease = ?, lease_until = ?, claimed = ?, worker = ?,
                ready = ?, due = ?, expires = ?, error_code = ?, error_message = ?, error_status = ?
            WHERE number = ?
            """,
            [
                job.state.rawValue, job.stage, job.percent, job.attempt, job.life.recoveries, job.life.claims,
                job.runAt.nanoseconds, job.updated.nanoseconds, job.revision, job.lease,
                job.life.lease?.until.nanoseconds, job.claimed?.nanoseconds, job.worker, job.place.isReady,
                job.due,
                job.expires?.nanoseconds, job.error?.code,
                job.error?.message, job.error?.status, job.number,
            ]
        )
    }

    static func store(_ result: JobResult, of job: JobRecord, in database: Database) throws {
        try database.run(
            """
            UPDATE jobs SET result_status = ?, result_type = ?, result = ?, result_blob = ?, result_size = ?
            WHERE number = ?
            """,
            [
                result.status, result.contentType, result.body.blob, result.blob, result.size, job.number,
            ]
        )
    }

    private static func record(_ row: Row) throws -> JobRecord {
        guard let state = JobState(rawValue: row["state"]),
            let trace = TraceContext(traceparent: row["trace"])
        else {
            let id: String = row["id"]
            throw StorageError(.corrupt, "job \(id) has a state or a trace that no swiftlet writes")
        }
        let result = (row["result_status"] as Int?).map { status in
            let type: String = row["result_type"] ?? ""
            guard let blob = row["result_blob"] as String? else {
                return JobResult(status: status, contentType: type, body: row.bytes("result"))
            }
            return JobResult(status: status, contentType: type, blob: blob, size: row["result_size"] ?? 0)
        }
        let error = (row["error_code"] as String?).map {
            JobError(code: $0, message: row["error_message"] ?? "", status: row["error_status"] ?? 500)
        }
        return JobRecord(
            number: row["number"],
            id: row["id"],
            function: row["function"],
            operation: row["operation"],
            body: row.bytes("body"),
            trigger: row["trigger_name"],
            owner: row["owner"],
            trace: trace,
            life: life(row, state),
            place: JobPlace(
                key: row["lane"],
                priority: row["priority"],
                isOrdered: row["is_ordered"],
                isReady: row["ready"]
            ),
            expires: row.instantIfAny("expires"),
            created: row.instant("created"),
            updated: row.instant("updated"),
            revision: row["revision"],
            claimed: row.instantIfAny("claimed"),
            worker: row["worker"],
            result: result,
            error: error,
            depth: row["depth"],
            idempotencyKey: row["idempotency_key"]
        )
    }

    private static func life(_ row: Row, _ state: JobState) -> JobLife {
        let lease = (row["lease"] as Int64?).map {
            // A journal of the first version has no end of a lease: it is over.
            JobLease(token: $0, until: row.instantIfAny("lease_until") ?? Instant(nanoseconds: 0))
        }
        return JobLife(
            state: state,
            attempt: row["attempt"],
            maxAttempts: row["max_attempts"],
            recoveries: row["recoveries"],
            maxRecoveries: row["max_recoveries"],
            claims: row["claims"],
            lease: lease,
            runAt: row.instant("run_at"),
            stage: row["stage"],
            percent: row["percent"]
        )
    }
}
