import FunctionCore
import GRDB
import Storage

/// Jobs that users pay for: which the journal has, and how those ended whose users' ledgers were not told yet.
///
/// A trigger writes the verdict in the transaction of the job's end, whoever ends it and why.
package final class SettlementStore: Sendable {
    /// The end of a job, for its user's ledger.
    package struct Settlement: Sendable, Hashable {
        package var job: String
        package var user: Int
        /// Whether the user pays.
        package var succeeded: Bool
    }

    static let schema = """
        CREATE TABLE settlements (
            job TEXT PRIMARY KEY,
            user INTEGER NOT NULL,
            verdict TEXT
        ) WITHOUT ROWID;
        CREATE INDEX settlements_due ON settlements (job) WHERE verdict IS NOT NULL;
        CREATE TRIGGER job_settled AFTER UPDATE OF state ON jobs
            WHEN new.state IN ('completed', 'failed', 'cancelled', 'expired') BEGIN
            UPDATE settlements SET verdict = iif(new.state = 'completed', 'post', 'void')
                WHERE job = new.id AND verdict IS NULL;
        END;
        CREATE TRIGGER job_settled_by_removal AFTER DELETE ON jobs BEGIN
            UPDATE settlements SET verdict = 'void' WHERE job = old.id AND verdict IS NULL;
        END;
        """

    private let file: SQLiteFile
    private let jobs: JobStore

    init(_ file: SQLiteFile, jobs: JobStore) {
        self.file = file
        self.jobs = jobs
    }

    /// Takes on a job that a user's shard has accepted; one that is known is left alone.
    ///
    /// A job is known from then on until its settlement is done, also where its row was pruned before.
    /// - Throws: `StorageError` storage_overloaded.
    package func accept(_ job: NewJob, of user: Int, now: Instant) async throws {
        let isNew = try await file.write { database in
            let known =
                try database.first("SELECT 1 FROM settlements WHERE job = ?", [job.id]) != nil
                || JobRows.job(job.id, in: database) != nil
            if known { return false }
            _ = try JobStore.insert(job, now: now, in: database)
            try database.run("INSERT INTO settlements (job, user) VALUES (?, ?)", [job.id, user])
            return true
        }
        if isNew { jobs.due.wake() }
    }

    /// Ends that the ledgers were not told of.
    package func pending(limit: Int) async throws -> [Settlement] {
        try await file.read { database in
            try database.rows("SELECT * FROM settlements WHERE verdict IS NOT NULL LIMIT ?", [limit]).map {
                Settlement(job: $0["job"], user: $0["user"], succeeded: $0["verdict"] == "post")
            }
        }
    }

    /// The ledgers have been told.
    package func settled(_ settlements: [Settlement]) async throws {
        guard !settlements.isEmpty else { return }
        try await file.write { database in
            for settlement in settlements {
                try database.run("DELETE FROM settlements WHERE job = ?", [settlement.job])
            }
        }
    }
}
