import FunctionCore
@testable import HostKit
import Journal
import Scheduling
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("What the operator asks the scheduler", .timeLimit(.minutes(1)))
struct SchedulerWishesTests {
    private let workspace = Workspace()

    private func folder(_ more: String) -> ProjectFolder {
        ProjectFolder([
            "functions/M/function.yaml": manifestText("motto"),
            "schedules/hourly.yaml": "schedule: hourly\nfunction: motto\ncron: \"0 * * * *\"\n\(more)",
        ])
    }

    /// Runs a scheduler with one schedule, `hourly`.
    private func running(
        _ more: String,
        _ body: (SchedulerStand, ScheduleEntry) async throws -> Void
    ) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let clock = standing("2026-11-25T07:30:00Z")
        let stand = SchedulerStand(folder(more), journal, clock, Recorder(on: testLoop))
        let entry = try #require(stand.project.book.entries.first)
        try await stand.whileRunning {
            _ = try await until("the first look") { try await journal.schedules.lastCommitted("hourly") }
            try await body(stand, entry)
        }
        await journal.close()
    }

    private func row(_ stand: SchedulerStand, _ nominal: String) async throws -> ScheduleLedger.Entry {
        try await until("the verdict of \(nominal)") {
            try await stand.journal.schedules.entry("hourly", at(nominal))
        }
    }

    @Test("a paused schedule skips, with the note kept, and goes on when it is resumed")
    func pausing() async throws {
        try await running("") { stand, entry in
            try await stand.scheduler.pause("hourly", note: "the printer is broken")
            let standing = await stand.scheduler.standings(of: [entry])[0]
            #expect(standing.state.pause == "the printer is broken")
            stand.clock.set(at("2026-11-25T08:00:00Z"))
            #expect(try await row(stand, "2026-11-25T08:00:00Z").decision.verdict == .skipped(.paused))
            try await stand.scheduler.resume("hourly")
            stand.clock.set(at("2026-11-25T09:00:00Z"))
            #expect(try await row(stand, "2026-11-25T09:00:00Z").decision.verdict == .run)
        }
    }

    @Test("while the journal cannot be used a wish is refused and does not wait")
    func refused() async throws {
        try await running("") { stand, _ in
            await stand.journal.close()
            await #expect(throws: StorageError.self) {
                try await stand.scheduler.pause("hourly", note: "the printer is broken")
            }
            // Also while the scheduler looks each second whether the journal is there again.
            await #expect(throws: StorageError.self) { try await stand.scheduler.resume("hourly") }
        }
    }

    @Test("a run by hand is a job of its own, also twice at one instant")
    func trigger() async throws {
        try await running("overlap: allow\nevent: '{\"at\": [\"{{scheduledTime}}\"]}'\n") { stand, entry in
            let first = try await stand.scheduler.trigger(entry)
            let second = try await stand.scheduler.trigger(entry)
            #expect((first + second).map(\.verdict) == [.run, .run])
            #expect(first[0].nominal < second[0].nominal)
            let jobs = try await stand.journal.jobs.list(JobFilter(function: "motto"))
            #expect(Set(jobs.map(\.id)).count == 2)
            let key = entry.idempotencyKey(of: first[0].nominal)
            let job = try #require(try await stand.journal.jobs.job(String(key.prefix(24))))
            #expect(job.body == "{\"at\":[\"2026-11-25T07:30:00Z\"]}" && job.idempotencyKey == key)
        }
    }

    @Test("a backfill runs past times that had no run, and each once")
    func backfill() async throws {
        try await running("overlap: allow\n") { stand, entry in
            stand.clock.set(at("2026-11-25T10:10:00Z"))
            _ = try await row(stand, "2026-11-25T10:00:00Z")
            let range = at("2026-11-25T06:00:00Z")...at("2026-11-25T23:00:00Z")
            let filled = try await stand.scheduler.backfill(entry, range)
            #expect(filled.map(\.verdict) == [.run, .run, .run, .run])
            #expect(filled.map(\.cause) == Array(repeating: .backfill, count: 4))
            #expect(try await stand.scheduler.backfill(entry, range) == [])
            #expect(try await stand.journal.jobs.list(JobFilter(function: "motto")).count == 5)
        }
    }

    @Test("why tells what became of a time, or why nothing has")
    func why() async throws {
        try await running("") { stand, entry in
            stand.clock.set(at("2026-11-25T10:10:00Z"))
            _ = try await row(stand, "2026-11-25T10:00:00Z")
            func told(_ nominal: String) async throws -> JSON {
                .object(try await stand.scheduler.why(entry, at(nominal)))
            }
            let early = try await told("2026-11-25T08:00:00Z")
            #expect(early["verdict"] == "coalesced" && early["into"] == "2026-11-25T10:00:00Z")
            #expect(early["chain"]?.arrayValue?.first?["verdict"] == "run")
            #expect(early["job"]?["state"] == "queued")
            for (nominal, text) in [
                ("2026-11-25T10:05:00Z", "none of the schedule's times"),
                ("2026-11-25T11:00:00Z", "lies ahead"),
                ("2026-11-25T07:00:00Z", "began after it"),
            ] {
                let none = try await told(nominal)
                #expect(none["verdict"] == "none")
                #expect(none["text"]?.stringValue?.contains(text) == true, "\(none)")
            }
        }
    }

    @Test("a run that is cancelled for a later one makes room for it")
    func cancelOther() async throws {
        try await running("overlap: cancelOther\n") { stand, _ in
            stand.clock.set(at("2026-11-25T08:00:00Z"))
            let job = try #require(try await row(stand, "2026-11-25T08:00:00Z").job)
            stand.clock.set(at("2026-11-25T09:00:00Z"))
            let waiting = try await row(stand, "2026-11-25T09:00:00Z")
            #expect(waiting.decision.verdict == .waiting)
            _ = try await until("the cancelling") {
                try await stand.journal.jobs.job(job)?.state == .cancelled ? true : nil
            }
            stand.scheduler.jobEnded(job, .cancelled)
            _ = try await until("the later run") {
                try await row(stand, "2026-11-25T09:00:00Z").decision.verdict == .run ? true : nil
            }
            #expect(try await row(stand, "2026-11-25T08:00:00Z").end == .cancelled)
        }
    }
}
