import FunctionCore
import Invocations
import Journal
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ScheduleLedgerTests {
    private let workspace = Workspace()

    @Test("a nominal instant is decided once, together with its job")
    func once() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let ledger = journal.schedules
        #expect(try await ledger.lastCommitted("nightly") == nil)
        let fired = LedgerEntry(schedule: "nightly", nominal: at(60), verdict: .fired)
        let commits = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    if case .committed(let job?) = try await ledger.commit(
                        fired,
                        job: job("learning"),
                        now: at(61)
                    ) {
                        return job.state == .queued
                    }
                    return false
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(commits == 1)
        let jobs = try await journal.jobs.list()
        #expect(jobs.count == 1)
        #expect(try await ledger.entries("nightly").map(\.job) == [jobs.first?.id])
        #expect(try await ledger.lastCommitted("nightly") == at(60))
        await journal.close()
    }

    @Test("skipped and missed instants keep their reason, the mark never moves back, and old rows go")
    func verdicts() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let ledger = journal.schedules
        try await ledger.commit("nightly", at(100))
        let missed = LedgerEntry(
            schedule: "nightly",
            nominal: at(50),
            verdict: .missed,
            reason: "the host was down"
        )
        let skipped = LedgerEntry(
            schedule: "nightly",
            nominal: at(160),
            verdict: .skipped,
            reason: "window closed"
        )
        #expect(try await ledger.commit(missed, now: at(170)) == .committed(nil))
        #expect(try await ledger.lastCommitted("nightly") == at(100))
        #expect(try await ledger.commit(skipped, now: at(170)) == .committed(nil))
        #expect(try await ledger.commit(skipped, job: job(), now: at(170)) == .already(skipped))
        #expect(try await ledger.lastCommitted("nightly") == at(160))
        #expect(try await ledger.entries("nightly") == [skipped, missed])
        #expect(try await journal.jobs.list().isEmpty)
        try await ledger.prune(keep: 1)
        #expect(try await ledger.entries("nightly") == [skipped])
        await journal.close()
    }

    @Test("settings are replaced whole and survive a restart")
    func settings() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        try await journal.settings.setSetting("tone", "warm")
        try await journal.settings.setSetting("gone", "x")
        try await journal.settings.setSetting("gone", nil)
        await journal.close()
        let again = try await HostJournal.open(directory: workspace.path)
        #expect(try await again.settings.setting("tone") == "warm")
        #expect(try await again.settings.setting("gone") == nil)
        await again.close()
    }

    @Test("a rotation's state is replaced together with the step that led to it, and both survive a restart")
    func rotations() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let first = RotationRow(
            kind: "granted",
            window: "trading",
            token: 1,
            at: at(100),
            opens: at(90),
            hardStop: at(200),
            reason: "planned"
        )
        var second = first
        (second.kind, second.at, second.reason) = ("ended", at(150), nil)
        try await journal.rotations.record("market", "one", first)
        try await journal.rotations.record("other", "x", first)
        try await journal.rotations.record("market", "two", second)
        await journal.close()
        let again = try await HostJournal.open(directory: workspace.path)
        #expect(try await again.rotations.state(of: "market") == "two")
        #expect(try await again.rotations.state(of: "third") == nil)
        #expect(try await again.rotations.rows(of: "market") == [first, second])
        #expect(try await again.rotations.rows(of: "market", limit: 1) == [second])
        await again.close()
    }

    @Test("a keyed log takes an id once and is read in order from any place")
    func keyedLog() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let log = journal.log
        for number in 1...5 {
            let append = try await log.append("fills", id: "f\(number)", ["price": .integer(Int64(number))])
            if case .exists = append { Issue.record("f\(number) is new") }
        }
        guard case .exists(let known) = try await log.append("fills", id: "f2", ["price": 99]) else {
            Issue.record("f2 is known")
            return
        }
        #expect(known.value == ["price": 2])
        guard case .appended = try await log.append("orders", id: "f2", 1) else {
            Issue.record("another log knows nothing of f2")
            return
        }
        #expect(try await log.entries("fills", after: known.sequence, limit: 2).map(\.id) == ["f3", "f4"])
        #expect(try await log.entries("fills").count == 5)
        #expect(try await log.entry("fills", id: "f5")?.value == ["price": 5])
        #expect(try await log.entry("fills", id: "f6") == nil)
        await journal.close()
    }

    @Test("for an engine elsewhere its job is in the file with the verdict, until the engine has it once")
    func relayed() async throws {
        try await withPlace(.redis) { place in
            try await place.journal { journal in
                let fired = LedgerEntry(schedule: "nightly", nominal: at(60), verdict: .fired)
                var new = job("learning", id: "a")
                (new.key, new.priority, new.expires) = ("k", 3, at(99))
                for _ in 0..<2 {
                    _ = try await journal.schedules.commit(fired, job: new, now: at(61))
                }
                #expect(try await journal.jobs.list().isEmpty)
                let outbox = try #require(journal.jobOutbox)
                #expect(try await outbox.audit().map(\.pending) == [1])
            }
            // The host was killed after it had given the job away, and before it knew.
            for _ in 0..<2 {
                try await place.journal { journal in
                    let outbox = try #require(journal.jobOutbox)
                    for job in try await outbox.pending(limit: 9) {
                        #expect(job.key == "k" && job.priority == 3 && job.expires == at(99))
                        try await journal.jobs.accept(job, now: at(62))
                    }
                    #expect(try await outbox.holds("a"))
                }
            }
            try await place.journal { journal in
                let outbox = try #require(journal.jobOutbox)
                try await outbox.done("a")
                #expect(try await outbox.pending(limit: 9).isEmpty)
                #expect(try await !outbox.holds("a"))
                #expect(try await journal.jobs.list().map(\.id) == ["a"])
                #expect(try await outbox.audit().isEmpty)
            }
        }
    }
}
