import FunctionCore
import GRDB
import Journal
import Scheduling
import Storage
import TestSupport
import Testing

@Suite("Schedule books of an older version", .timeLimit(.minutes(1)))
struct ScheduleMigrationTests {
    private let workspace = Workspace()

    /// Rows as the first version wrote them.
    private static let rows: [(nominal: Int64, verdict: String, reason: String, job: String?)] = [
        (10, "fired", "", "done"), (20, "fired", "", "on"), (30, "skipped", "overlap", nil),
        (40, "skipped", "missed", nil), (50, "skipped", "superseded", nil),
        (60, "skipped", "window_closed", nil), (70, "fired", "", nil),
    ]

    private func writeOld() async throws {
        // The step after these brought the books that there are now.
        let steps = Array(Schema.journal.steps.prefix(8))
        let schema = Schema(name: "journal", applicationID: Schema.journal.applicationID, steps: steps)
        let file = try await SQLiteFile.open(workspace.path + "/journal.sqlite", schema: schema)
        let trace = TraceContext.begin().traceparent
        try await file.write { database in
            for (id, state) in [("done", "completed"), ("on", "queued")] {
                try database.execute(
                    sql: """
                        INSERT INTO jobs (id, function, operation, body, trigger_name, trace, state, attempt,
                            max_attempts, run_at, created, updated, depth)
                        VALUES (?, 'learning', '', x'7b7d', 'schedule', ?, ?, 1, 3, 0, 0, 0, 0)
                        """,
                    arguments: [id, trace, state]
                )
            }
            try database.execute(
                sql: "INSERT INTO schedules (id, committed) VALUES ('nightly', ?)",
                arguments: [at(70).nanoseconds]
            )
            for row in Self.rows {
                try database.execute(
                    sql: "INSERT INTO schedule_ledger VALUES ('nightly', ?, ?, ?, ?)",
                    arguments: [at(row.nominal).nanoseconds, row.verdict, row.reason, row.job]
                )
            }
        }
        await file.close()
    }

    @Test("rows of before get today's verdicts, and only a job that has not ended is a run under way")
    func migration() async throws {
        try await writeOld()
        let journal = try await HostJournal.open(directory: workspace.path)
        let entries = try await journal.schedules.entries("nightly").reversed()
        #expect(
            entries.map(\.decision.verdict) == [
                .run, .run, .skipped(.overlap), .missed(.catchUpNone), .missed(.catchUpLimit),
                .missed(.windowClosed), .run,
            ]
        )
        #expect(entries.map(\.decision.nominal) == Self.rows.map { at($0.nominal) })
        #expect(entries.allSatisfy { $0.decision.due == $0.decision.nominal })
        #expect(entries.map(\.end) == [.succeeded, nil, nil, nil, nil, nil, .succeeded])
        let books = try await journal.schedules.load()
        let state = ScheduleState(mark: at(70), revision: 0)
        #expect(books.stored == ["nightly": StoredSchedule(state: state, running: [at(20)])])
        #expect(books.open.map(\.job) == ["on"])
        await journal.close()
    }

    @Test("a schedule goes on from the mark of before: nothing is run twice and nothing is left out")
    func goesOn() async throws {
        try await writeOld()
        let journal = try await HostJournal.open(directory: workspace.path)
        let every = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(10)))
        let policy = SchedulePolicy(catchUp: .all(max: 10), overlap: .allow)
        let entry = ScheduleEntry(id: "nightly", function: "learning", kind: every, policy: policy)
        var machine = ScheduleMachine(plan: try SchedulePlan(entries: [entry]))
        _ = machine.react(to: .restored(try await journal.schedules.load().stored))
        let actions = machine.react(to: .tick(now: at(95)))
        #expect(try await journal.schedules.commit(actions, now: at(95)).isEmpty)
        let begun = actions.compactMap { action in
            if case .begin(_, let nominal, _) = action { nominal } else { nil }
        }
        #expect(begun == [at(80), at(90)])
        #expect(try await journal.schedules.lastCommitted("nightly") == at(90))
        await journal.close()
    }
}
