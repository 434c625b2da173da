import FunctionCore
import Invocations
import Journal
import Scheduling
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ScheduleLedgerTests {
    private let workspace = Workspace()

    private func decision(
        _ nominal: Int64,
        _ verdict: ScheduleDecision.Verdict,
        _ cause: ScheduleDecision.Cause = .scheduled
    ) -> ScheduleDecision {
        ScheduleDecision(
            id: "nightly",
            nominal: at(nominal),
            verdict: verdict,
            cause: cause,
            due: at(nominal),
            at: at(nominal + 1)
        )
    }

    private func runJob(_ nominal: Int64) -> ScheduleLedger.RunJob {
        ScheduleLedger.RunJob(schedule: "nightly", nominal: at(nominal), job: job("learning"))
    }

    @Test("a nominal time is decided once, together with its job")
    func once() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let ledger = journal.schedules
        #expect(try await ledger.lastCommitted("nightly") == nil)
        let run = decision(60, .run)
        let mark = ScheduleState(mark: at(60), revision: 7, runs: 1, pause: "held")
        let commits = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let actions = [ScheduleMachine.Action.decide(run), .keep(id: "nightly", mark)]
                    return try await ledger.commit(actions, jobs: [runJob(60)], now: at(61)).isEmpty ? 1 : 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(commits == 1)
        let jobs = try await journal.jobs.list(JobFilter())
        #expect(jobs.count == 1)
        #expect(try await ledger.entries("nightly").map(\.job) == [jobs.first?.id])
        let books = try await ledger.load()
        #expect(books.stored["nightly"] == StoredSchedule(state: mark, running: [at(60)]))
        #expect(books.open.map(\.job) == [jobs.first?.id] && books.open[0].end == nil)
        await journal.close()
    }

    @Test("what waits ends, what was missed may be backfilled, and no other verdict gives way")
    func verdicts() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let ledger = journal.schedules
        func refused(_ decision: ScheduleDecision) async throws -> Bool {
            try await !ledger.commit([.decide(decision)], now: at(500)).isEmpty
        }
        #expect(try await !refused(decision(10, .waiting)))
        #expect(try await refused(decision(10, .waiting)))
        #expect(try await !refused(decision(10, .coalesced(into: at(20)))))
        #expect(try await refused(decision(10, .run)))
        #expect(try await !refused(decision(20, .missed(.deadline), .catchUp)))
        #expect(try await refused(decision(20, .skipped(.paused))))
        #expect(try await !refused(decision(20, .run, .backfill)))
        #expect(try await refused(decision(20, .run, .backfill)))
        #expect(
            try await ledger.entries("nightly").map(\.decision)
                == [decision(20, .run, .backfill), decision(10, .coalesced(into: at(20)))]
        )
        #expect(try await ledger.entry("nightly", at(20))?.end == nil)
        #expect(try await ledger.taken("nightly", in: at(0)...at(100)) == [at(20)])
        await journal.close()
    }

    @Test("the mark never moves back, old rows go, and what waits or runs stays")
    func pruning() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let ledger = journal.schedules
        for nominal in [Int64(10), 20, 30, 40] {
            let verdict: ScheduleDecision.Verdict = nominal == 20 ? .waiting : .run
            let state = ScheduleState(mark: at(nominal), revision: 1)
            try await ledger.commit(
                [.decide(decision(nominal, verdict)), .keep(id: "nightly", state)],
                now: at(nominal)
            )
        }
        try await ledger.commit(
            [
                .end(id: "nightly", nominal: at(10), .failed),
                .end(id: "nightly", nominal: at(40), .succeeded),
                .keep(id: "nightly", ScheduleState(mark: at(5), revision: 1)),
            ],
            now: at(50)
        )
        #expect(try await ledger.lastCommitted("nightly") == at(40))
        #expect(try await ledger.entry("nightly", at(10))?.end == .failed)
        try await ledger.prune(keep: 1)
        #expect(try await ledger.entries("nightly").map(\.decision.nominal) == [at(40), at(30), at(20)])
        await journal.close()
    }

    @Test("at a start the ends of jobs that nobody heard of are known")
    func endsUnheard() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let run = runJob(60)
        let actions = [
            ScheduleMachine.Action.decide(decision(60, .run)),
            .keep(id: "nightly", ScheduleState(mark: at(60), revision: 1)),
        ]
        try await journal.schedules.commit(actions, jobs: [run], now: at(61))
        _ = try await journal.jobs.cancel(run.job.id, now: at(62))
        #expect(try await journal.schedules.load().open.map(\.end) == [.cancelled])
        // The id of a run's job follows from its time; where it is there, the run is.
        let again = try await journal.schedules.commit(
            [.decide(decision(70, .run))],
            jobs: [ScheduleLedger.RunJob(schedule: "nightly", nominal: at(70), job: run.job)],
            now: at(71)
        )
        #expect(again.map(\.nominal) == [at(70)])
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
                var new = job("learning", id: "a")
                (new.key, new.priority, new.expires) = ("k", 3, at(99))
                let run = ScheduleLedger.RunJob(schedule: "nightly", nominal: at(60), job: new)
                for _ in 0..<2 {
                    let actions = [ScheduleMachine.Action.decide(decision(60, .run))]
                    _ = try await journal.schedules.commit(actions, jobs: [run], now: at(61))
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
