import FunctionCore
import GRDB
import Invocations
import Journal
import Storage
import TestSupport
import Testing

/// What is SQLite's own: its file, its commits, its plans.
@Suite("The journal's file", .timeLimit(.minutes(2)))
struct JobStoreTests {
    private let workspace = Workspace()

    private func withJournal(_ body: (HostJournal) async throws -> Void) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        try await body(journal)
        await journal.close()
    }

    @Test("a job that was accepted is in a copy of the files taken at once")
    func durable() async throws {
        try await withJournal { journal in
            let accepted = try await journal.jobs.accept(job(id: "a"), now: at(0))
            let copy = Workspace()
            for suffix in ["", "-wal"] {
                store(
                    contents(workspace.path + "/journal.sqlite" + suffix),
                    at: copy.path + "/journal.sqlite" + suffix
                )
            }
            let after = try await HostJournal.open(directory: copy.path)
            #expect(try await after.jobs.job("a") == accepted)
            await after.close()
        }
    }

    @Test("jobs that are accepted at once share transactions")
    func groupCommit() async throws {
        try await withJournal { journal in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await journal.jobs.accept(job(), now: at(0)) }
                }
                try await group.waitForAll()
            }
            #expect(try await journal.jobs.counts().first?.present == 200)
            #expect(journal.transactions < 200)
        }
    }

    @Test("a journal of a later version is refused")
    func newer() async throws {
        try await withJournal { _ in }
        let later = Schema(
            name: "journal",
            applicationID: 0x5377_4A01,
            steps: Schema.journal.steps + ["SELECT 1"]
        )
        await (try await SQLiteFile.open(workspace.path + "/journal.sqlite", schema: later)).close()
        let error = await #expect(throws: StorageError.self) {
            try await HostJournal.open(directory: workspace.path)
        }
        #expect(error?.code == .newer)
    }

    @Test("with a hundred thousand jobs waiting a claim goes by indexes alone, and looks at few rows")
    func deepQueue() async throws {
        await (try await HostJournal.open(directory: workspace.path)).close()
        let queue = try DatabaseQueue(path: workspace.path + "/journal.sqlite")
        try await queue.write { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
                    INSERT INTO jobs (id, function, operation, body, trigger_name, trace, state, max_attempts,
                        run_at, created, updated, depth, lane, ready, due)
                    SELECT 'j' || i, 'video', '', x'', 'job', ?1, 'queued', 3, at, ?2, ?2, 0,
                        CASE WHEN i % 2 THEN 'key' || (i % 5000) ELSE '' END, at = ?2, at
                    FROM (SELECT i, CASE WHEN i % 7 THEN ?2 ELSE ?3 + i END AS at FROM n);
                    """,
                arguments: [
                    TraceContext.begin().traceparent, at(0).nanoseconds, at(86_400).nanoseconds,
                ]
            )
            try database.execute(
                sql: """
                    INSERT INTO job_lanes SELECT function, lane, sum(ready), 0, sum(ready = 0), 0, 1,
                        sum(ready) > 0, NULL, NULL, NULL, 0, 0 FROM jobs GROUP BY 1, 2
                    """
            )
        }
        let journal = try await HostJournal.open(directory: workspace.path)
        let full = await #expect(throws: StorageError.self) {
            try await journal.jobs.accept(job(), now: at(0))
        }
        #expect(full?.code == .overloaded)
        for round in 0..<20 {
            let now = at(Int64(round))
            #expect(try await journal.jobs.claim(limit: 64, capacity: ["video": 64], now: now).count == 64)
        }
        #expect(isBalanced(try await journal.jobs.audit()))
        await journal.close()
        // What SQLite means to do for each of a claim's questions.
        let questions = [
            "SELECT * FROM jobs WHERE function = 'video' AND ready = 0 "
                + "AND state IN ('queued', 'retry_wait') AND run_at <= 9 ORDER BY run_at, number LIMIT 9":
                "jobs_later",
            "SELECT * FROM jobs WHERE function = 'video' AND lane = 'a' AND priority = 0 AND ready = 1 "
                + "ORDER BY due, number LIMIT 9": "jobs_ready",
            "SELECT key FROM job_lanes WHERE function = 'video' AND is_open = 1 "
                + "ORDER BY head DESC, turn, key LIMIT 9": "job_lanes_open",
            "SELECT * FROM jobs WHERE expires IS NOT NULL AND state IN ('queued', 'retry_wait') "
                + "AND expires <= 9 ORDER BY expires LIMIT 9": "jobs_expiring",
            "SELECT min(run_at) FROM jobs WHERE function = 'video' AND ready = 0 "
                + "AND state IN ('queued', 'retry_wait')": "jobs_later",
            "UPDATE job_lanes SET free_at = 0 WHERE function = 'video' AND free_at > 0 AND free_at <= 9":
                "job_lanes_resting",
        ]
        try await queue.read { database in
            for (question, index) in questions {
                let plan = try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(question)")
                    .map { $0["detail"] as String }.joined(separator: "; ")
                #expect(plan.contains("INDEX \(index) ") && !plan.contains("TEMP B-TREE"), "\(plan)")
            }
        }
    }
}
