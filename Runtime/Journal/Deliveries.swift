import FunctionCore
import GRDB
import Invocations
import Storage

/// What is to be told of a job's end, until it has been.
package struct Delivery: Sendable, Hashable {
    package var number: Int64
    /// The job that has ended.
    package var job: String
    package var function: String
    package var state: JobState
    /// A stream or a webhook.
    package var destination: Manifest.Destination
    /// JSON text.
    package var body: String
    package var trace: TraceContext
    /// Tries that have failed.
    package var failures: Int
    /// Not to be tried before; nil where it has been given up.
    package var runAt: Instant?
    package var ended: Instant
    package var error: String?
}

/// Deliveries are written in the transaction that ends their job, and gone when they are done.
package final class DeliveryStore: DeliveryQueue {
    /// After so many failures a delivery is given up: it stays, with its last error, as long as its job.
    package static let triesMax = 20

    /// Wakes when there is something to deliver.
    package let appended = WakeSignal()
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// Those whose time has come, the oldest first.
    package func due(now: Instant, limit: Int) async throws -> [Delivery] {
        try await file.read { database in
            try database.rows(
                "SELECT * FROM job_deliveries WHERE run_at <= ? ORDER BY run_at, number LIMIT ?",
                [now.nanoseconds, limit]
            ).map(Self.delivery)
        }
    }

    /// When the next one's time comes; nil where none waits.
    package func nextDue() async throws -> Instant? {
        try await file.read { database in
            let sql = "SELECT min(run_at) AS at FROM job_deliveries WHERE run_at IS NOT NULL"
            return try database.first(sql)?.instantIfAny("at")
        }
    }

    /// How many wait, and how many were given up.
    package func counts() async throws -> (waiting: Int, givenUp: Int) {
        try await file.read { database in
            let sql = "SELECT count(run_at) AS waiting, count(*) - count(run_at) AS dead FROM job_deliveries"
            let row = try database.first(sql)
            return (row?["waiting"] ?? 0, row?["dead"] ?? 0)
        }
    }

    /// What is still to be told of a job's ends.
    package func all(of job: String) async throws -> [Delivery] {
        try await file.read { database in
            try database.rows("SELECT * FROM job_deliveries WHERE job = ? ORDER BY number", [job])
                .map(Self.delivery)
        }
    }

    package func done(_ delivery: Delivery) async throws {
        try await file.write { database in
            try database.run("DELETE FROM job_deliveries WHERE number = ?", [delivery.number])
        }
    }

    /// It failed; the next try is at `retryAt`, nil for none.
    package func failed(_ delivery: Delivery, _ error: String, retryAt: Instant?) async throws {
        try await file.write { database in
            try database.run(
                "UPDATE job_deliveries SET failures = failures + 1, error = ?, run_at = ? WHERE number = ?",
                [error, retryAt?.nanoseconds, delivery.number]
            )
        }
    }

    static func insert(
        _ destination: Manifest.Destination,
        _ body: String,
        of job: JobRecord,
        now: Instant,
        in database: Database
    ) throws {
        let (kind, target) = destination.row
        try database.run(
            """
            INSERT INTO job_deliveries (job, function, state, kind, target, body, trace, failures, run_at, ended)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
            """,
            [
                job.id, job.function, job.state.rawValue, kind, target, body, job.trace.traceparent,
                now.nanoseconds, now.nanoseconds,
            ]
        )
    }

    private static func delivery(_ row: Row) throws -> Delivery {
        let target: String = row["target"]
        guard let state = JobState(rawValue: row["state"]),
            let trace = TraceContext(traceparent: row["trace"])
        else { throw StorageError(.corrupt, "a delivery has a state or a trace that no swiftlet writes") }
        return Delivery(
            number: row["number"],
            job: row["job"],
            function: row["function"],
            state: state,
            destination: row["kind"] == "stream" ? .stream(target) : .webhook(target),
            body: row["body"],
            trace: trace,
            failures: row["failures"],
            runAt: row.instantIfAny("run_at"),
            ended: row.instant("ended"),
            error: row["error"]
        )
    }
}

extension Manifest.Destination {
    /// As a delivery keeps it.
    var row: (kind: String, target: String) {
        switch self {
        case .stream(let name): ("stream", name)
        case .webhook(let url): ("webhook", url)
        case .function: preconditionFailure("a function is told by a job, which is no delivery")
        }
    }
}
