import FunctionCore
import GRDB
import Storage

/// What became of one nominal instant of a schedule.
package struct LedgerEntry: Sendable, Hashable {
    /// How it was decided.
    package enum Verdict: String, Sendable {
        case fired, skipped, missed
    }

    package var schedule: String
    package var nominal: Instant
    package var verdict: Verdict
    /// Why, in words: `window closed`, `host was down`; empty for what fired in time.
    package var reason: String
    /// The job that it became.
    package var job: String?

    package init(
        schedule: String,
        nominal: Instant,
        verdict: Verdict,
        reason: String = "",
        job: String? = nil
    ) {
        self.schedule = schedule
        self.nominal = nominal
        self.verdict = verdict
        self.reason = reason
        self.job = job
    }
}

/// The schedules' memory: every nominal instant is decided once, and its job is made in the same transaction.
package final class ScheduleLedger: Sendable {
    /// What `commit` met.
    package enum Commit: Sendable, Hashable {
        /// Decided now; with the job, where one was to be made.
        case committed(JobRecord?)
        /// Decided before.
        case already(LedgerEntry)
    }

    /// Where a job goes that a schedule makes: both are in the ledger's file, so that one transaction has all.
    enum Jobs: Sendable {
        case kept(JobStore)
        /// For an engine elsewhere.
        case relayed(JobOutbox)

        func insert(_ job: NewJob, now: Instant, in database: Database) throws -> JobRecord {
            switch self {
            case .kept: try JobStore.insert(job, now: now, in: database)
            case .relayed: try JobOutbox.insert(job, now: now, in: database)
            }
        }

        func wake() {
            switch self {
            case .kept(let jobs): jobs.due.wake()
            case .relayed(let outbox): outbox.appended.wake()
            }
        }
    }

    private let file: SQLiteFile
    private let jobs: Jobs

    init(_ file: SQLiteFile, _ jobs: Jobs) {
        self.file = file
        self.jobs = jobs
    }

    /// The latest nominal instant that was decided, or nil for a schedule that is new.
    package func lastCommitted(_ schedule: String) async throws -> Instant? {
        try await file.read { database in
            try database.first("SELECT committed FROM schedules WHERE id = ?", [schedule])?.instant(
                "committed"
            )
        }
    }

    /// Moves a schedule's mark without a verdict, as for a schedule that begins now.
    ///
    /// It never moves back.
    package func commit(_ schedule: String, _ nominal: Instant) async throws {
        try await file.write { try Self.advance(schedule, nominal, in: $0) }
    }

    /// Decides a nominal instant, unless it has been; with `job`, accepts the job in the same transaction.
    package func commit(_ entry: LedgerEntry, job: NewJob? = nil, now: Instant) async throws -> Commit {
        let commit = try await file.write { database -> Commit in
            let isNew = try database.run(
                """
                INSERT INTO schedule_ledger (schedule, nominal, verdict, reason, job) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (schedule, nominal) DO NOTHING
                """,
                [
                    entry.schedule, entry.nominal.nanoseconds, entry.verdict.rawValue, entry.reason,
                    job?.id ?? entry.job,
                ]
            )
            guard isNew == 1 else {
                let row = try database.first(
                    "SELECT * FROM schedule_ledger WHERE schedule = ? AND nominal = ?",
                    [entry.schedule, entry.nominal.nanoseconds]
                )
                return .already(row.map(Self.entry) ?? entry)
            }
            try Self.advance(entry.schedule, entry.nominal, in: database)
            return .committed(try job.map { try self.jobs.insert($0, now: now, in: database) })
        }
        if case .committed(_?) = commit { jobs.wake() }
        return commit
    }

    /// A schedule's last entries, newest first; 1 to 1000 of them.
    package func entries(_ schedule: String, limit: Int = 100) async throws -> [LedgerEntry] {
        try await file.read { database in
            try database.rows(
                "SELECT * FROM schedule_ledger WHERE schedule = ? ORDER BY nominal DESC LIMIT ?",
                [schedule, min(max(limit, 1), 1000)]
            ).map(Self.entry)
        }
    }

    /// Removes all but the last `keep` entries of each schedule.
    package func prune(keep: Int) async throws {
        let schedules = try await file.read { database in
            try database.rows("SELECT id FROM schedules").map { $0["id"] as String }
        }
        for schedule in schedules {
            try await file.write { database in
                try database.run(
                    """
                    DELETE FROM schedule_ledger WHERE schedule = ?1 AND nominal <=
                    (SELECT nominal FROM schedule_ledger WHERE schedule = ?1
                    ORDER BY nominal DESC LIMIT 1 OFFSET ?2)
                    """,
                    [schedule, keep]
                )
            }
        }
    }

    private static func advance(_ schedule: String, _ nominal: Instant, in database: Database) throws {
        try database.run(
            """
            INSERT INTO schedules VALUES (?, ?)
            ON CONFLICT DO UPDATE SET committed = max(committed, excluded.committed)
            """,
            [schedule, nominal.nanoseconds]
        )
    }

    private static func entry(_ row: Row) -> LedgerEntry {
        LedgerEntry(
            schedule: row["schedule"],
            nominal: row.instant("nominal"),
            verdict: LedgerEntry.Verdict(rawValue: row["verdict"]) ?? .missed,
            reason: row["reason"],
            job: row["job"]
        )
    }
}
