import FunctionCore
import GRDB
import Scheduling
import Storage

/// The schedules' memory: what is kept of each, and one row for each nominal time.
///
/// All that one reaction of the machine wants written down, the jobs of its runs included, is one transaction.
package final class ScheduleLedger: Sendable {
    /// A row: what was decided of a nominal time, and what came of it.
    package struct Entry: Sendable, Hashable {
        package var decision: ScheduleDecision
        /// The job that its run is.
        package var job: String?
        /// How its run has ended.
        package var end: ScheduleMachine.RunEnd?
    }

    /// A run that was under way when it was last written of.
    package struct OpenRun: Sendable, Hashable {
        package var schedule: String
        package var nominal: Instant
        package var job: String?
        /// How its job has ended since.
        package var end: ScheduleMachine.RunEnd?
    }

    /// All that a start needs.
    package struct Books: Sendable {
        package var stored: [String: StoredSchedule] = [:]
        package var open: [OpenRun] = []
    }

    private static let isOpen = "(verdict = 'waiting' OR (verdict = 'run' AND ended IS NULL))"

    /// Where a job goes that a schedule makes: both are in the ledger's file, so that one transaction has all.
    enum Jobs: Sendable {
        case kept(JobStore)
        /// For an engine elsewhere, which takes each job once, by its id.
        case relayed(JobOutbox)

        func insert(_ job: NewJob, now: Instant, in database: Database) throws {
            switch self {
            case .kept: _ = try JobStore.insert(job, now: now, in: database)
            case .relayed: _ = try JobOutbox.insert(job, now: now, in: database)
            }
        }

        /// Whether there is a job of an id in the file.
        func knows(_ id: String, in database: Database) throws -> Bool {
            let table =
                switch self {
                case .kept: "jobs"
                case .relayed: "job_outbox"
                }
            return try database.first("SELECT 1 FROM \(table) WHERE id = ?", [id]) != nil
        }

        func wake() {
            switch self {
            case .kept(let jobs): jobs.due.wake()
            case .relayed(let outbox): outbox.appended.wake()
            }
        }

        var areKept: Bool {
            if case .kept = self { true } else { false }
        }
    }

    private let file: SQLiteFile
    private let jobs: Jobs

    init(_ file: SQLiteFile, _ jobs: Jobs) {
        self.file = file
        self.jobs = jobs
    }

    // MARK: Reading

    /// What a machine is to be restored with.
    package func load() async throws -> Books {
        try await file.read { [jobs] database in
            var books = Books()
            let states = try Row.fetchCursor(database, sql: "SELECT * FROM schedules")
            while let row = try states.next() {
                books.stored[row["id"]] = StoredSchedule(state: Self.state(row))
            }
            let rows = try database.rows(
                """
                SELECT schedule_ledger.*, jobs.state AS job_state FROM schedule_ledger
                LEFT JOIN jobs ON jobs.id = job WHERE \(Self.isOpen) ORDER BY schedule, nominal
                """
            )
            for row in rows {
                let decision = try Self.decision(row)
                switch decision.verdict {
                case .waiting:
                    books.stored[decision.id]?.waiting.append(
                        WaitingTime(nominal: decision.nominal, due: decision.due, cause: decision.cause)
                    )
                default:
                    books.stored[decision.id]?.running.insert(decision.nominal)
                    let state = (row["job_state"] as String?).flatMap { JobState(rawValue: $0) }
                    let job: String? = row["job"]
                    // A job that is not there any more was pruned after its end, unless it is elsewhere.
                    let pruned = jobs.areKept && job != nil && state == nil
                    books.open.append(
                        OpenRun(
                            schedule: decision.id,
                            nominal: decision.nominal,
                            job: job,
                            end: pruned ? .cancelled : state.flatMap { ScheduleMachine.RunEnd($0) }
                        )
                    )
                }
            }
            return books
        }
    }

    /// The latest nominal time that was decided, or nil for a schedule that is new.
    package func lastCommitted(_ schedule: String) async throws -> Instant? {
        try await file.read { database in
            try database.first("SELECT committed FROM schedules WHERE id = ?", [schedule])?.instant(
                "committed"
            )
        }
    }

    /// What became of one nominal time.
    package func entry(_ schedule: String, _ nominal: Instant) async throws -> Entry? {
        try await file.read { database in
            try database.first(
                "SELECT * FROM schedule_ledger WHERE schedule = ? AND nominal = ?",
                [schedule, nominal.nanoseconds]
            ).map(Self.entry)
        }
    }

    /// A schedule's rows, newest first, before an instant where it is given; 1 to 1000 of them.
    package func entries(
        _ schedule: String,
        before: Instant? = nil,
        limit: Int = 100
    ) async throws -> [Entry] {
        try await file.read { database in
            try database.rows(
                """
                SELECT * FROM schedule_ledger WHERE schedule = ? AND nominal < ?
                ORDER BY nominal DESC LIMIT ?
                """,
                [schedule, (before ?? Instant(nanoseconds: .max)).nanoseconds, min(max(limit, 1), 1000)]
            ).map(Self.entry)
        }
    }

    /// Which nominal times of a range have a run, or wait for it.
    package func taken(_ schedule: String, in range: ClosedRange<Instant>) async throws -> Set<Instant> {
        try await file.read { database in
            let rows = try database.rows(
                """
                SELECT nominal FROM schedule_ledger
                WHERE schedule = ? AND nominal BETWEEN ? AND ? AND verdict IN ('run', 'waiting')
                """,
                [schedule, range.lowerBound.nanoseconds, range.upperBound.nanoseconds]
            )
            return Set(rows.map { $0.instant("nominal") })
        }
    }

    private static func state(_ row: Row) -> ScheduleState {
        ScheduleState(
            mark: row.instant("committed"),
            revision: UInt64(bitPattern: row["revision"] as Int64),
            runs: row["runs"],
            failures: row["failures"],
            pause: row["pause"]
        )
    }

    private static func entry(_ row: Row) throws -> Entry {
        Entry(
            decision: try decision(row),
            job: row["job"],
            end: (row["ended"] as String?).flatMap { ScheduleMachine.RunEnd(rawValue: $0) }
        )
    }

    private static func decision(_ row: Row) throws -> ScheduleDecision {
        let (name, reason): (String, String) = (row["verdict"], row["reason"])
        guard let verdict = ScheduleDecision.Verdict(name: name, reason: reason) else {
            throw StorageError(.corrupt, "the ledger has a verdict `\(name) \(reason)`, which is not known")
        }
        return ScheduleDecision(
            id: row["schedule"],
            nominal: row.instant("nominal"),
            verdict: verdict,
            cause: ScheduleDecision.Cause(rawValue: row["cause"]) ?? .scheduled,
            due: row.instant("due"),
            at: row.instant("decided")
        )
    }
}

// MARK: - Writing

extension ScheduleLedger {
    /// A job for the run of a nominal time.
    package struct RunJob: Sendable {
        package var schedule: String
        package var nominal: Instant
        package var job: NewJob

        package init(schedule: String, nominal: Instant, job: NewJob) {
            self.schedule = schedule
            self.nominal = nominal
            self.job = job
        }
    }

    private struct Key: Hashable {
        var schedule: String
        var nominal: Instant
    }

    /// Takes all that one reaction wants written down, and returns the decisions that are refused: those of
    /// times that have been decided.
    ///
    /// The jobs of runs that are not refused are accepted in the same transaction.
    /// - Throws: `StorageError`; then nothing of it is written.
    @discardableResult
    package func commit(
        _ actions: [ScheduleMachine.Action],
        jobs new: [RunJob] = [],
        now: Instant
    ) async throws -> [ScheduleDecision] {
        let byRun = Dictionary(
            new.map { (Key(schedule: $0.schedule, nominal: $0.nominal), $0.job) },
            uniquingKeysWith: { first, _ in first }
        )
        let refused = try await file.write { [jobs] database -> [ScheduleDecision] in
            var refused: [ScheduleDecision] = []
            for action in actions {
                switch action {
                case .decide(let decision):
                    let job = byRun[Key(schedule: decision.id, nominal: decision.nominal)]
                    if try !Self.decide(decision, job, jobs, now: now, in: database) {
                        refused.append(decision)
                    }
                case .keep(let id, let state): try Self.keep(id, state, in: database)
                case .end(let id, let nominal, let end):
                    try database.run(
                        """
                        UPDATE schedule_ledger SET ended = ?
                        WHERE schedule = ? AND nominal = ? AND verdict = 'run' AND ended IS NULL
                        """,
                        [end.rawValue, id, nominal.nanoseconds]
                    )
                case .begin, .stop, .wake, .fault, .clockStepped: break
                }
            }
            return refused
        }
        if !new.isEmpty { jobs.wake() }
        return refused
    }

    /// Writes a decision and its job; false where the time has been decided.
    private static func decide(
        _ decision: ScheduleDecision,
        _ job: NewJob?,
        _ jobs: Jobs,
        now: Instant,
        in database: Database
    ) throws -> Bool {
        let isRun = decision.verdict == .run
        // The id of a run's job follows from its time: one that is there is the job of this very run.
        if isRun, let job, try jobs.knows(job.id, in: database) { return false }
        let written = try database.run(
            """
            INSERT INTO schedule_ledger (schedule, nominal, verdict, reason, job, cause, due, decided)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT (schedule, nominal) DO UPDATE SET verdict = ?3, reason = ?4, job = ?5, cause = ?6,
                due = ?7, decided = ?8, ended = NULL
            WHERE (verdict = 'waiting' AND ?3 <> 'waiting')
                OR (verdict NOT IN ('waiting', 'run') AND ?6 = 'backfill')
            """,
            [
                decision.id, decision.nominal.nanoseconds, decision.verdict.name, decision.verdict.reason,
                isRun ? job?.id : nil, decision.cause.rawValue, decision.due.nanoseconds,
                decision.at.nanoseconds,
            ]
        )
        guard written == 1 else { return false }
        if isRun, let job { try jobs.insert(job, now: now, in: database) }
        return true
    }

    /// Keeps what is to be known of a schedule; its mark never moves back.
    private static func keep(_ id: String, _ state: ScheduleState, in database: Database) throws {
        try database.run(
            """
            INSERT INTO schedules (id, committed, revision, runs, failures, pause) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET committed = max(committed, excluded.committed),
                revision = excluded.revision, runs = excluded.runs, failures = excluded.failures,
                pause = excluded.pause
            """,
            [
                id, (state.mark ?? Instant(nanoseconds: 0)).nanoseconds, Int64(bitPattern: state.revision),
                state.runs, state.failures, state.pause,
            ]
        )
    }

    /// Removes all but the last `keep` rows of each schedule; what waits or runs stays.
    package func prune(keep: Int) async throws {
        let schedules = try await file.read { database in
            try database.rows(
                "SELECT schedule FROM schedule_ledger GROUP BY schedule HAVING count(*) > ?",
                [keep]
            ).map { $0["schedule"] as String }
        }
        for schedule in schedules {
            try await file.write { database in
                try database.run(
                    """
                    DELETE FROM schedule_ledger WHERE schedule = ?1 AND NOT \(Self.isOpen) AND nominal <=
                    (SELECT nominal FROM schedule_ledger WHERE schedule = ?1
                    ORDER BY nominal DESC LIMIT 1 OFFSET ?2)
                    """,
                    [schedule, keep]
                )
            }
        }
    }
}

extension ScheduleMachine.RunEnd {
    /// How a run has ended whose job is in a state; nil where it has not.
    package init?(_ state: JobState) {
        switch state {
        case .completed: self = .succeeded
        case .failed: self = .failed
        case .cancelled, .expired: self = .cancelled
        case .created, .queued, .running, .retryWait: return nil
        }
    }
}
