import FunctionCore
import HostKit
import Invocations
import Journal
import NIOCore
import RedisTrigger
import Scheduling
import TestSupport
import Testing

/// Two hosts with the same rotation and one Redis.
@Suite("Rotations of several hosts", .serialized, .timeLimit(.minutes(2)))
struct SharedRotationTests {
    private let folder = ProjectFolder(SchedulerStand.files, realCalendar: true)

    /// A host as far as its windows go.
    private struct Member {
        let client: RedisClient
        let stand: SchedulerStand
        let journal: HostJournal
    }

    private func member(_ server: RedisServer, _ workspace: Workspace) async throws -> Member {
        let client = RedisClient(url: try RedisURL(server.url), on: testLoop)
        try await client.connect()
        let journal = try await HostJournal.open(
            directory: workspace.path,
            redis: client,
            lease: .seconds(2)
        )
        let recorder = Recorder(on: testLoop) { _ in nil }
        let stand = SchedulerStand(folder, journal, standing("2026-11-25T14:30:00Z"), recorder)
        return Member(client: client, stand: stand, journal: journal)
    }

    /// Runs `body` with the member that opens the window and the one that does not.
    private func withTwo(_ body: (Member, Member) async throws -> Void) async throws {
        try await RedisServer.run { server in
            let places = [Workspace(), Workspace()]
            let members = [try await member(server, places[0]), try await member(server, places[1])]
            let tasks = members.map { member in Task { await member.stand.scheduler.run() } }
            let holder = try await until("a window") { () -> Int? in
                for (index, member) in members.enumerated()
                where await member.stand.stage("trading") == "open" {
                    return index
                }
                return nil
            }
            do {
                try await body(members[holder], members[1 - holder])
            } catch {
                Issue.record(error)
            }
            for member in members {
                for number in member.stand.recorder.seen.indices { member.stand.recorder.end(number) }
                await member.stand.scheduler.stop()
            }
            for task in tasks { await task.value }
            for member in members {
                await member.client.shutdown()
                await member.journal.close()
            }
        }
    }

    private func token(_ member: Member) async -> UInt64? {
        await member.stand.scheduler.windows().first { $0.window == "trading" }?.token
    }

    private func audit(_ member: Member) async throws -> RotationAudit {
        var audit = RotationAudit(gap: .seconds(60))
        for row in try await member.journal.rotations.rows(of: "market") {
            audit.take(try #require(RotationEvent(row)))
        }
        return audit
    }

    @Test("one opens the window; when it stops the other goes on under a greater token")
    func handsOver() async throws {
        try await withTwo { holder, other in
            let run = try await holder.stand.recorder.wait("the run") { $0.count == 1 }[0]
            let old = try #require(run.invocation.fencingToken)
            let stage = await other.stand.stage("trading")
            #expect(stage == "closed")
            await holder.stand.scheduler.stop()
            let new = try await until("the other's token") { await token(other) }
            #expect(new > old)
            // What is granted and not yet durable is not current.
            _ = try await until("its grant") { other.stand.tokens.isCurrent("trading", new) ? true : nil }
            #expect(!holder.stand.tokens.isCurrent("trading", old))
            let audit = try await audit(other)
            #expect(audit.findings == [] && audit.grants == 2)
        }
    }

    @Test("a host that has lost Redis stops by its own clock, before the other may begin")
    func loses() async throws {
        try await withTwo { holder, other in
            let run = try await holder.stand.recorder.wait("the run") { $0.count == 1 }[0]
            let old = try #require(run.invocation.fencingToken)
            await holder.client.shutdown()
            let new = try await until("the other's token") { () -> UInt64? in
                guard let new = await token(other) else { return nil }
                // At the very moment that there is a new token the old one is worth nothing.
                #expect(!holder.stand.tokens.isCurrent("trading", old))
                return new
            }
            #expect(new > old)
            try await holder.stand.recorder.wait("the cancelling") { $0[0].isCancelled }
            let stage = await holder.stand.stage("trading")
            #expect(stage == "closed")
            let audit = try await audit(other)
            #expect(audit.findings == [] && audit.grants == 2)
        }
    }
}
