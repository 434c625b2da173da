import FunctionCore
import HostKit
import Invocations
import Journal
import RedisTrigger
import Scheduling
import TestSupport
import Testing

/// Rotations that a reload takes out or brings back.
@Suite("Rotations that a reload takes out", .timeLimit(.minutes(1)))
struct SchedulerReloadTests {
    private let workspace = Workspace()

    private func audit(_ journal: HostJournal) async throws -> (RotationAudit, last: RotationRow?) {
        var audit = RotationAudit(gap: .seconds(60))
        let rows = try await journal.rotations.rows(of: "market")
        for row in rows { audit.take(try #require(RotationEvent(row))) }
        return (audit, rows.last)
    }

    @Test("its open window ends: token, run and journal; put back, it goes on under a greater token")
    func removed() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let recorder = Recorder(on: testLoop) { _ in nil }
        let folder = ProjectFolder(SchedulerStand.files, realCalendar: true)
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T15:30:00Z"), recorder)
        let without = SchedulerStand.files.merging([
            "schedules/market.yaml": "schedule: more\nfunction: learning\nevery: 1h\n"
        ]) { _, new in new }
        try await stand.whileRunning {
            let run = try await recorder.wait("the run") { $0.count == 1 }[0]
            let token = try #require(run.invocation.fencingToken)
            stand.scheduler.replace(ProjectFolder(without, realCalendar: true).load().project)
            try await recorder.wait("the cancelling") { $0[0].isCancelled }
            _ = try await until("the other schedule") { try await journal.schedules.lastCommitted("more") }
            #expect(!stand.tokens.isCurrent("trading", token))
            let windows = await stand.scheduler.windows()
            #expect(windows.isEmpty)
            let (told, last) = try await audit(journal)
            #expect(told.findings == [] && last?.kind == "ended" && last?.reason == "removed")
            // The clock has not moved: the span is still on.
            stand.scheduler.replace(stand.project)
            let next = try await until("the new token") {
                await stand.scheduler.windows().first { $0.window == "trading" }?.token
            }
            #expect(next > token)
            _ = try await until("its grant") { stand.tokens.isCurrent("trading", next) ? true : nil }
            let (again, _) = try await audit(journal)
            #expect(again.findings == [] && again.grants == 2)
        }
        await journal.close()
    }

    @Test("of a rotation that hosts share the hold is left to the others")
    func released() async throws {
        try await RedisServer.run { server in
            let client = RedisClient(url: try RedisURL(server.url), on: testLoop)
            try await client.connect()
            let journal = try await HostJournal.open(directory: workspace.path, redis: client)
            let recorder = Recorder(on: testLoop) { _ in nil }
            let folder = ProjectFolder(SchedulerStand.files, realCalendar: true)
            let stand = SchedulerStand(folder, journal, standing("2026-11-25T15:30:00Z"), recorder)
            let empty = ProjectFolder(SchedulerStand.files.filter { !$0.key.hasPrefix("schedules") })
            try await stand.whileRunning {
                try await recorder.wait("the run") { $0.count == 1 }
                stand.scheduler.replace(empty.load().project)
                let lease = try await until("the end of the hold") { () -> RedisValue? in
                    let keys = try await client.send(["KEYS", "*rotation:lease:market"])
                    if case .array(let found) = keys, found.isEmpty { return keys }
                    return nil
                }
                #expect(lease == .array([]))
            }
            await client.shutdown()
            await journal.close()
        }
    }
}
