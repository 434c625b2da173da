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

    @Test("it holds after every step of any sequence, and after each start", arguments: 0..<6)
    func sequences(_ seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        var journal = try await open()
        var accepted = 0
        var running: [String: Int64] = [:]
        for second in 0..<150 {
            let now = at(Int64(second * 10))
            let fault = JobError(code: "broken", message: "", status: 500)
            let one = running.randomElement(using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0...3:
                accepted += 1
                try await journal.jobs.accept(
                    job(["video", "script"].randomElement(using: &random)!),
                    now: now
                )
            case 4, 5:
                let room = ["video": 2, "script": 2]
                for job in try await journal.jobs.claim(limit: 3, capacity: room, now: now) {
                    running[job.id] = job.lease
                }
            case 6:
                guard let (id, lease) = one else { continue }
                let result = JobResult(status: 200, contentType: "a/b", body: "x")
                _ = try? await journal.jobs.complete(id, lease: lease, result, now: now)
            case 7:
                guard let (id, lease) = one else { continue }
                _ = try? await journal.jobs.fail(id, lease: lease, fault, retryAt: now, now: now)
            case 8:
                guard let (id, lease) = one else { continue }
                if Bool.random(using: &random) { _ = try? await journal.jobs.cancel(id, now: now) }
                _ = try? await journal.jobs.discard(id, lease: lease, fault, now: now)
            case 9: _ = try await journal.jobs.rescue(alive: [], now: now)
            case 10:
                _ = try await journal.jobs.redrive(JobFilter(function: "video"), now: now)
                _ = try await journal.jobs.purge(JobFilter(), now: now)
            default:
                _ = try await journal.prune(jobsEndedBefore: now - .seconds(200), keepJobs: 5, now: now)
                guard Bool.random(using: &random) else { break }
                await journal.close()
                let stopped = try await HostJournal.audit(stopped: workspace.path)
                #expect(stopped.reduce(0) { $0 + $1.accepted } == accepted)
                journal = try await open()
                _ = try await journal.recover(now: now)
            }
            let lines = try await journal.jobs.audit()
            #expect(isBalanced(lines), "seed \(seed), step \(second): \(lines)")
            #expect(lines.reduce(0) { $0 + $1.accepted } == accepted, "seed \(seed), step \(second)")
        }
        await journal.close()
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
        let journal = try await open()
        for id in ["a", "b", "c"] { try await journal.jobs.accept(job(id: id), now: at(0)) }
        _ = try await journal.jobs.cancel("a", now: at(1))
        _ = try await journal.prune(jobsEndedBefore: at(9), keepJobs: 9, now: at(9))
        await journal.close()
        // Back to the first version: what its file did not have is taken away.
        try tamper(
            """
            DROP TRIGGER job_accepted; DROP TRIGGER job_moved; DROP TRIGGER job_pruned;
            DROP TRIGGER job_settled; DROP TRIGGER job_settled_by_removal; DROP TABLE settlements;
            DROP TABLE job_totals; DROP TABLE job_attempts;
            ALTER TABLE job_counts DROP COLUMN pruned;
            CREATE TRIGGER job_accepted AFTER INSERT ON jobs BEGIN SELECT 1; END;
            CREATE TRIGGER job_moved AFTER UPDATE OF state ON jobs BEGIN SELECT 1; END;
            CREATE TRIGGER job_pruned AFTER DELETE ON jobs BEGIN SELECT 1; END;
            """
                + ["revision", "claims", "lease_until", "recoveries", "max_recoveries", "claimed", "worker"]
                .map { "ALTER TABLE jobs DROP COLUMN \($0);" }.joined() + "PRAGMA user_version = 1;"
        )
        let error = await #expect(throws: StorageError.self) {
            try await HostJournal.audit(stopped: workspace.path)
        }
        #expect(error?.code == .older && error?.message.contains("start the host once") == true)
        let again = try await open()
        let lines = try await again.jobs.audit()
        #expect(isBalanced(lines), "\(lines)")
        #expect(lines.map(\.accepted) == [3] && lines.map(\.cancelled) == [1] && lines.map(\.pending) == [2])
        let claimed = try await again.jobs.claim(limit: 1, capacity: ["video": 1], now: at(10))
        #expect(claimed.first?.lease == 1)
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
