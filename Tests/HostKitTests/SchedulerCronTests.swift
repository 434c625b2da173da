import FunctionCore
import HostKit
import Journal
import Scheduling
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SchedulerCronTests {
    private let workspace = Workspace()

    private func folder(_ more: String) -> ProjectFolder {
        ProjectFolder([
            "functions/M/function.yaml": manifestText("motto", "retry: {attempts: 5}\n"),
            "schedules/hourly.yaml": "schedule: hourly\nfunction: motto\ncron: \"0 * * * *\"\n\(more)",
        ])
    }

    private func jobs(_ journal: HostJournal, _ count: Int) async throws -> [JobRecord] {
        try await until("\(count) jobs") {
            let jobs = try await journal.jobs.list(JobFilter(function: "motto"))
            guard jobs.count >= count else { return nil }
            var whole: [JobRecord] = []
            for job in jobs.reversed() {
                if let job = try await journal.jobs.job(job.id) { whole.append(job) }
            }
            return whole
        }
    }

    private func verdicts(_ journal: HostJournal, _ count: Int) async throws -> [ScheduleLedger.Entry] {
        try await until("\(count) verdicts") {
            let entries = try await journal.schedules.entries("hourly")
            return entries.count >= count ? entries.reversed() : nil
        }
    }

    @Test("a cron schedule makes one job for each nominal instant, across a restart and a clock set back")
    func oneJobEach() async throws {
        let folder = folder("overlap: allow\ncatchUp: 24\n")
        let clock = standing("2026-11-25T07:30:00Z")
        let first = try await HostJournal.open(directory: workspace.path)
        let stand = SchedulerStand(folder, first, clock, Recorder(on: testLoop))
        try await stand.whileRunning {
            _ = try await until("the first look") { try await first.schedules.lastCommitted("hourly") }
            clock.set(at("2026-11-25T08:00:00Z"))
            _ = try await jobs(first, 1)
            clock.set(at("2026-11-25T10:15:00Z"))
            _ = try await jobs(first, 3)
            clock.set(at("2026-11-25T08:59:00Z"))
        }
        await first.close()
        let second = try await HostJournal.open(directory: workspace.path)
        let again = SchedulerStand(folder, second, clock, Recorder(on: testLoop))
        try await again.whileRunning {
            clock.set(at("2026-11-25T10:30:00Z"))
            clock.set(at("2026-11-25T12:00:00Z"))
            _ = try await jobs(second, 5)
        }
        let made = try await jobs(second, 5)
        let nominals = try made.map { try $0.event.decode(ScheduledEvent.self).nominal }
        #expect(nominals == (8...12).map { at("2026-11-25T\($0 < 10 ? "0" : "")\($0):00:00Z") })
        #expect(made.allSatisfy { $0.trigger == "schedule" && $0.maxAttempts == 5 })
        #expect(try await verdicts(second, 5).map(\.job) == made.map(\.id))
        await second.close()
    }

    @Test("a schedule's own event is what its jobs get")
    func ownEvent() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let clock = standing("2026-11-25T08:00:00Z")
        let folder = folder("event: '{\"prompt\": \"dawn\"}'\n")
        let stand = SchedulerStand(folder, journal, clock, Recorder(on: testLoop))
        try await stand.whileRunning {
            let job = try await jobs(journal, 1)[0]
            #expect(job.body == "{\"prompt\":\"dawn\"}")
        }
        await journal.close()
    }

    @Test("while a schedule's job is open the next is skipped; once it has ended the one after runs")
    func overlap() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let clock = standing("2026-11-25T08:00:00Z")
        let stand = SchedulerStand(folder(""), journal, clock, Recorder(on: testLoop))
        try await stand.whileRunning {
            let job = try await jobs(journal, 1)[0]
            clock.set(at("2026-11-25T09:00:00Z"))
            let skipped = try await verdicts(journal, 2)[1]
            #expect(skipped.decision.verdict == .skipped(.overlap) && skipped.job == nil)
            stand.scheduler.jobEnded(job.id)
            stand.scheduler.jobEnded("somebody else's")
            await heard(stand.scheduler)
            clock.set(at("2026-11-25T10:00:00Z"))
            let fired = try await verdicts(journal, 3)[2]
            #expect(fired.decision.verdict == .run)
        }
        await journal.close()
    }

    @Test("a job that is still open after a restart keeps the next from running")
    func overlapAcrossRestart() async throws {
        let clock = standing("2026-11-25T08:00:00Z")
        let first = try await HostJournal.open(directory: workspace.path)
        let stand = SchedulerStand(folder(""), first, clock, Recorder(on: testLoop))
        let job = try await stand.whileRunning { try await jobs(first, 1)[0] }
        await first.close()
        let second = try await HostJournal.open(directory: workspace.path)
        let again = SchedulerStand(folder(""), second, clock, Recorder(on: testLoop))
        try await again.whileRunning {
            clock.set(at("2026-11-25T09:00:00Z"))
            let skipped = try await verdicts(second, 2)[1]
            #expect(skipped.decision.verdict == .skipped(.overlap))
            again.scheduler.jobEnded(job.id)
            await heard(again.scheduler)
            clock.set(at("2026-11-25T10:00:00Z"))
            let fired = try await verdicts(second, 3)[2]
            #expect(fired.decision.verdict == .run)
        }
        await second.close()
    }

    /// Waits until the scheduler has heard of every job's end: a tick that was due before it would skip.
    private func heard(_ scheduler: Scheduler) async {
        while await scheduler.jobsOpen > 0 { await Task.yield() }
    }
}
