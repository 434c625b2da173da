import FunctionCore
import GRDB
import Storage

/// Jobs as rows.
///
/// All of it runs on the file's own threads, inside of a transaction.
enum JobRows {
    /// What lists leave out: bodies, which may be megabytes each.
    private static let listed = """
        number, id, function, operation, x'' AS body, trigger_name, owner, trace, state, stage, percent, \
        attempt, max_attempts, run_at, created, updated, lease, result_status, result_type, x'' AS result, \
        error_code, error_message, error_status, depth, idempotency_key
        """

    static func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
        let life = JobLife(maxAttempts: max(job.maxAttempts, 1), runAt: job.runAt ?? now)
        try database.run(
            """
            INSERT INTO jobs (id, function, operation, body, trigger_name, owner, trace, state, max_attempts,
                run_at, created, updated, depth, idempotency_key)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                job.id, job.function, job.operation, job.body.blob, job.trigger, job.owner,
                job.trace.traceparent,
                life.state.rawValue, life.maxAttempts, life.runAt.nanoseconds, now.nanoseconds,
                now.nanoseconds,
                job.depth, job.idempotencyKey,
            ]
        )
        return JobRecord(
            number: database.lastInsertedRowID,
            id: job.id,
            function: job.function,
            operation: job.operation,
            body: job.body,
            trigger: job.trigger,
            owner: job.owner,
            trace: job.trace,
            life: life,
            percent: 0,
            created: now,
            updated: now,
            depth: job.depth,
            idempotencyKey: job.idempotencyKey
        )
    }

    static func job(_ id: String, in database: Database) throws -> JobRecord? {
        try database.first("SELECT * FROM jobs WHERE id = ?", [id]).map(record)
    }

    /// Up to `limit` jobs of a function that may begin now, the longest due first.
    static func due(_ function: String, now: Instant, limit: Int, in database: Database) throws -> [JobRecord]
    {
        try database.rows(
            """
            SELECT * FROM jobs WHERE function = ? AND state IN ('queued', 'retry_wait') AND run_at <= ?
            ORDER BY run_at, number LIMIT ?
            """,
            [function, now.nanoseconds, limit]
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
        arguments += [filter.limit]
        let condition = conditions.joined(separator: " AND ")
        return try database.rows(
            "SELECT \(listed) FROM jobs WHERE \(condition) ORDER BY number DESC LIMIT ?",
            arguments
        ).map(record)
    }

    /// Stores what may change in a job.
    static func update(_ job: JobRecord, in database: Database) throws {
        try database.run(
            """
            UPDATE jobs SET state = ?, stage = ?, percent = ?, attempt = ?, run_at = ?, updated = ?,
                lease = ?, result_status = ?, result_type = ?, result = ?, error_code = ?,
                error_message = ?, error_status = ?
            WHERE number = ?
            """,
            [
                job.state.rawValue, job.stage, job.percent, job.attempt, job.runAt.nanoseconds,
                job.updated.nanoseconds, job.lease, job.result?.status, job.result?.contentType,
                job.result?.body.blob, job.error?.code, job.error?.message, job.error?.status, job.number,
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
        let result = (row["result_status"] as Int?).map {
            JobResult(status: $0, contentType: row["result_type"] ?? "", body: row.bytes("result"))
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
            life: JobLife(
                state: state,
                attempt: row["attempt"],
                maxAttempts: row["max_attempts"],
                runAt: row.instant("run_at")
            ),
            stage: row["stage"],
            percent: row["percent"],
            created: row.instant("created"),
            updated: row.instant("updated"),
            lease: row["lease"],
            result: result,
            error: error,
            depth: row["depth"],
            idempotencyKey: row["idempotency_key"]
        )
    }
}
