import FunctionCore
import GRDB
import Invocations
import Journal
import Storage
import TestSupport
import Testing

@Suite("The law: accepted = completed + dead-lettered + cancelled + pending", .timeLimit(.minutes(1)))
struct AuditTests {
    private let workspace = Workspace()

    private func open() async throws -> HostJournal {
        try await HostJournal.open(directory: workspace.path)
    }

    /// Changes the file behind the journal's back.
    private func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: workspace.path + "/journal.sqlite")
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test(
        "a job that has vanished, one that nobody counted, and a dead letter without a reason are found",
        arguments: [
            ("DROP TRIGGER job_pruned; DELETE FROM jobs WHERE id = 'a'", "is 2, and 1 rows are there"),
            ("UPDATE job_totals SET accepted = accepted - 1", "were accepted, and 2 are accounted for"),
            ("UPDATE jobs SET state = 'failed' WHERE id = 'a'", "dead letters without a reason"),
            ("UPDATE jobs SET state = 'lost' WHERE id = 'a'", "in no state: `lost`"),
            ("UPDATE jobs SET lease = 7 WHERE id = 'a'", "hold a lease and do not run"),
            ("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'jobs'", "9 rows were ever made"),
        ]
    )
    func negative(_ sql: String, _ problem: String) async throws {
        let journal = try await open()
        for id in ["a", "b"] { try await journal.jobs.accept(job(id: id), now: at(0)) }
        await journal.close()
        #expect(isBalanced(try await HostJournal.audit(stopped: workspace.path)))
        try tamper(sql)
        let lines = try await HostJournal.audit(stopped: workspace.path)
        #expect(lines.contains { line in line.problems.contains { $0.contains(problem) } }, "\(lines)")
    }

    @Test("a journal of the first version is brought up to date with its numbers, and read only after that")
    func migration() async throws {
        let first = Schema(
            name: "journal",
            applicationID: Schema.journal.applicationID,
            steps: [Schema.journal.steps[0]]
        )
        let old = try await SQLiteFile.open(workspace.path + "/journal.sqlite", schema: first)
        let trace = TraceContext.begin().traceparent
        try await old.write { database in
            for (id, state) in [("a", "queued"), ("b", "running"), ("c", "queued"), ("d", "retry_wait")] {
                try database.execute(
                    sql: """
                        INSERT INTO jobs (id, function, operation, body, trigger_name, trace, state, attempt,
                            max_attempts, run_at, created, updated, depth, error_code, lease)
                        VALUES (?, 'video', '', x'7b7d', 'job', ?, ?, 1, 3, ?, 0, 0, 0, 'x', ?)
                        """,
                    arguments: [
                        id, trace, state, at(id == "d" ? 20 : 0).nanoseconds, state == "running" ? 77 : nil,
                    ]
                )
            }
            try database.execute(sql: "UPDATE jobs SET state = 'cancelled' WHERE id = 'a'")
            try database.execute(sql: "DELETE FROM jobs WHERE id = 'a'")
        }
        await old.close()
        let error = await #expect(throws: StorageError.self) {
            try await HostJournal.audit(stopped: workspace.path)
        }
        #expect(error?.code == .older && error?.message.contains("start the host once") == true)
        let again = try await open()
        let lines = try await again.jobs.audit()
        #expect(isBalanced(lines), "\(lines)")
        #expect(lines.map(\.accepted) == [4] && lines.map(\.cancelled) == [1])
        #expect(lines.map(\.pending) == [3])
        #expect(try await again.recover(now: at(10)).jobs == 1)
        let claimed = try await again.jobs.claim(limit: 9, capacity: ["video": 9], now: at(10))
        #expect(claimed.map(\.id) == ["c", "b"] && claimed.allSatisfy { $0.lease == 1 })
        #expect(try await again.jobs.nextDue(of: ["video"]) == at(20))
        #expect(isBalanced(try await again.jobs.audit()))
        await again.close()
    }

    @Test("a step of a migration that fails leaves the file as it was")
    func halfMigration() async throws {
        let path = workspace.path + "/notes.sqlite"
        let first = "CREATE TABLE notes (text TEXT)"
        let schema = Schema(name: "notes", applicationID: 7, steps: [first])
        await (try await SQLiteFile.open(path, schema: schema)).close()
        let broken = ["CREATE TABLE more (text TEXT)", "CREATE TABLE notes (text TEXT)"]
        let next = Schema(name: "notes", applicationID: 7, steps: [first] + broken)
        await #expect(throws: StorageError.self) { try await SQLiteFile.open(path, schema: next) }
        let tables = try await SQLiteFile.inspect(path, schema: schema) { database in
            try String.fetchAll(database, sql: "SELECT name FROM sqlite_master")
        }
        #expect(tables == ["notes"])
    }
}
