import FunctionCore
import GRDB
import Storage

/// A job that a user pays for, as it is accepted: the hold, the job and the entry from which the journal
/// learns of it are one commit in the user's shard.
package struct PaidJob: Sendable, Hashable {
    package var id: String
    package var user: Int
    package var function: String
    /// What is held for it.
    package var credits: Int
    /// The request's `Idempotency-Key`.
    package var key: String?
    package var requestHash: String
    /// All of the job but its body, as the journal's side writes and reads it: JSON text.
    package var job: String
    package var body: Bytes

    package init(
        id: String,
        user: Int,
        function: String,
        credits: Int,
        key: String? = nil,
        requestHash: String = "",
        job: String,
        body: Bytes = Bytes()
    ) {
        self.id = id
        self.user = user
        self.function = function
        self.credits = credits
        self.key = key
        self.requestHash = requestHash
        self.job = job
        self.body = body
    }

    /// How many wait for the journal in one shard; more are refused.
    package static let pendingLimit = 10_000
    /// How long a key stands for its job.
    package static let keyRetention = Duration.seconds(24 * 3600)
    /// A hold that nobody has ended by then is given back: no job lives as long, so its journal was lost.
    package static let holdExpiry = Duration.seconds(30 * 24 * 3600)

    static func hold(_ job: String) -> String { "job:\(job)" }
    static func end(_ job: String) -> String { "job:\(job):end" }
}

/// The jobs of a shard's users that were paid for, as rows, until the journal has them and their keys are old.
///
/// All of it runs on the file's own threads, inside of a transaction.
enum PaidJobTable {
    /// What came of accepting a job.
    enum Acceptance: Sendable {
        case accepted(LedgerTable.Posting)
        /// The job that the same request made before.
        case known(String)
    }

    /// Holds the credits and adds the job.
    /// - Throws: `FunctionError` 402 insufficient_credits, 422 idempotency_mismatch; `StorageError` overloaded.
    static func accept(_ job: PaidJob, now: Instant, in database: Database) throws -> Acceptance {
        if let key = job.key, let known = try keyed(key, job, now: now, in: database) { return .known(known) }
        let waiting = try database.first("SELECT count(*) FROM paid_jobs WHERE journaled IS NULL")
        guard (waiting?[0] ?? 0) < PaidJob.pendingLimit else {
            let message = "\(PaidJob.pendingLimit) jobs wait for the journal already; try again later"
            throw StorageError(.overloaded, message)
        }
        let hold = try LedgerTable.make(
            LedgerTransfer(
                id: PaidJob.hold(job.id),
                kind: .hold,
                user: job.user,
                account: LedgerTransfer.usage(job.function),
                credits: job.credits,
                expires: now + PaidJob.holdExpiry,
                created: now
            ),
            in: database
        )
        try database.run(
            """
            INSERT INTO paid_jobs (id, user, function, hold, key, request_hash, created, job, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                job.id, job.user, job.function, PaidJob.hold(job.id), job.key, job.requestHash,
                now.nanoseconds, job.job, job.body.blob,
            ]
        )
        return .accepted(hold)
    }

    /// The job that a key stands for.
    private static func keyed(
        _ key: String,
        _ job: PaidJob,
        now: Instant,
        in database: Database
    ) throws -> String? {
        let horizon = now - PaidJob.keyRetention
        try database.run(
            "UPDATE paid_jobs SET key = NULL WHERE user = ? AND function = ? AND key = ? AND created < ?",
            [job.user, job.function, key, horizon.nanoseconds]
        )
        let row = try database.first(
            "SELECT id, request_hash FROM paid_jobs WHERE user = ? AND function = ? AND key = ?",
            [job.user, job.function, key]
        )
        guard let row else { return nil }
        guard row["request_hash"] == job.requestHash else {
            let message = "the Idempotency-Key was used for another request; choose a new key"
            throw FunctionError(status: 422, code: "idempotency_mismatch", message: message, retry: .never)
        }
        return row["id"]
    }

    /// The first jobs that no journal is known to have, in the order of their acceptance; of a user those up to
    /// a job, where one is named.
    ///
    /// Not by the clock, which may have been set back. The index keeps SQLite from reading all rows for it.
    static func pending(_ limit: Int, upTo job: PaidJob? = nil, in database: Database) throws -> [PaidJob] {
        let own = "AND paid_jobs.user = ? AND paid_jobs.rowid <= (SELECT rowid FROM paid_jobs WHERE id = ?)"
        let arguments: StatementArguments = job.map { [$0.user, $0.id] } ?? []
        return try database.rows(
            """
            SELECT paid_jobs.*, ledger_transfers.credits AS credits
            FROM paid_jobs INDEXED BY paid_jobs_pending
            JOIN ledger_transfers ON ledger_transfers.id = paid_jobs.hold
            WHERE journaled IS NULL \(job == nil ? "" : own) ORDER BY paid_jobs.rowid LIMIT ?
            """,
            arguments + [limit]
        ).map { row in
            PaidJob(
                id: row["id"],
                user: row["user"],
                function: row["function"],
                credits: row["credits"],
                key: row["key"],
                requestHash: row["request_hash"],
                job: row["job"],
                body: row.bytes("body")
            )
        }
    }

    /// Whether the job's credits are still held; a job of which the journal said the end is none to journal.
    static func isOpen(_ id: String, in database: Database) throws -> Bool {
        try database.first("SELECT 1 FROM open_holds WHERE id = ?", [PaidJob.hold(id)]) != nil
    }

    /// The journal has them: their bodies are no longer needed here.
    static func markJournaled(_ ids: [String], now: Instant, in database: Database) throws {
        for id in ids {
            try database.run(
                "UPDATE paid_jobs SET journaled = ?, job = '', body = x'' WHERE id = ? AND journaled IS NULL",
                [now.nanoseconds, id]
            )
        }
        try database.run(
            """
            DELETE FROM paid_jobs WHERE id IN
                (SELECT id FROM paid_jobs WHERE journaled < ? ORDER BY journaled LIMIT 500)
            """,
            [(now - PaidJob.keyRetention).nanoseconds]
        )
    }
}
