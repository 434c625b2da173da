import FunctionCore
import HostKit
import HTTPTrigger
import Invocations
import Journal
import Storage
import TestSupport
import Testing
import UserData

/// The way of a paid job from the request to the user's ledger, cut off after each of its steps.
@Suite(.timeLimit(.minutes(2)))
struct CreditRelayTests {
    private let clock = standing("2026-11-25T08:00:00Z")

    /// A host's stores, without the host.
    private struct Stand: Sendable {
        var journal: HostJournal
        var credits: CreditLedger
        var ports: GatewayPorts
        var relay: CreditRelay
        let shards: ShardMap
    }

    private func with<Value>(
        _ workspace: Workspace,
        _ body: (Stand) async throws -> Value
    ) async throws -> Value {
        let journal = try await HostJournal.open(directory: workspace.path)
        let shards = try await ShardMap.open(directory: workspace.path)
        let credits = CreditLedger(shards)
        try await credits.load()
        _ = try await journal.recover(now: clock.now)
        var manifest = Manifest(name: "film")
        manifest.prices = ["make": 3]
        let ports = GatewayPorts(
            journal: journal,
            credits: credits,
            clock: clock,
            manifests: ManifestTable([manifest])
        )
        let relay = CreditRelay(
            credits: credits,
            journal: journal,
            clock: clock,
            loop: testLoop,
            telemetry: quietTelemetry(clock)
        )
        let stand = Stand(journal: journal, credits: credits, ports: ports, relay: relay, shards: shards)
        let result: Result<Value, any Error>
        do { result = .success(try await body(stand)) } catch { result = .failure(error) }
        await shards.close()
        await journal.close()
        return try result.get()
    }

    private func invocation(_ principal: String? = "7", trigger: String = "http") -> Invocation {
        let request = HTTPRequest(method: "POST", target: "/films")
        let event = Event(kind: .http, operation: "make", request: request, body: "{\"title\":\"t\"}")
        return Invocation(function: "film", event: event, principal: principal, trigger: trigger)
    }

    private func accept(
        _ stand: Stand,
        _ invocation: Invocation,
        key: String? = nil
    ) async throws -> AcceptedJob {
        try await stand.ports.accept(invocation, idempotencyKey: key, requestHash: "hash")
    }

    private func balance(_ stand: Stand) async throws -> CreditBalance {
        try await stand.credits.statement(of: 7, limit: 1).balance
    }

    /// How a job may end.
    private enum End: CaseIterable { case completed, failed, cancelled }

    /// The steps of the flow, one commit each.
    private func steps(_ end: End) -> [(Stand) async throws -> Void] {
        let paid = PaidJob(
            id: "j",
            user: 7,
            function: "film",
            credits: 3,
            requestHash: "hash",
            job: NewJob(id: "j", function: "film", trigger: "job", owner: "7").json.text
        )
        let beginning: [(Stand) async throws -> Void] = [
            { _ = try await $0.credits.accept(paid, now: clock.now) },
            { stand in
                for paid in try await stand.credits.pendingJobs(limit: 9) {
                    let job = try #require(NewJob(try JSON.parse(Bytes(paid.job)), body: paid.body))
                    try await stand.journal.settlements.accept(job, of: paid.user, now: clock.now)
                }
            },
            { stand in
                let waiting = try await stand.credits.pendingJobs(limit: 9)
                try await stand.credits.markJournaled(waiting, now: clock.now)
            },
            { try await finish($0, end) },
        ]
        return beginning + [
            { stand in
                for end in try await stand.journal.settlements.pending(limit: 9) {
                    _ = try await stand.credits.settle(
                        job: end.job,
                        of: end.user,
                        succeeded: end.succeeded,
                        now: clock.now
                    )
                }
            },
            { stand in
                let ends = try await stand.journal.settlements.pending(limit: 9)
                try await stand.journal.settlements.settled(ends)
            },
        ]
    }

    /// Ends the job that waits, where one does.
    private func finish(_ stand: Stand, _ end: End) async throws {
        if end == .cancelled {
            for job in try await stand.journal.jobs.list(JobFilter(states: [.queued])) {
                _ = try await stand.journal.jobs.cancel(job.id, now: clock.now)
            }
            return
        }
        let claimed = try await stand.journal.jobs.claim(limit: 9, capacity: ["film": 9], now: clock.now)
        for job in claimed {
            let lease = try #require(job.lease)
            if end == .completed {
                let result = JobResult(status: 200, contentType: "", body: "")
                try await stand.journal.jobs.complete(job.id, lease: lease, result, now: clock.now)
            } else {
                let error = JobError(code: "c", message: "m", status: 500)
                try await stand.journal.jobs.fail(job.id, lease: lease, error, retryAt: nil, now: clock.now)
            }
        }
    }

    @Test(
        "a host that ends after any step leaves credits and jobs that agree after the next start",
        arguments: [0, 1, 2, 3, 4, 5, 6]
    )
    func cut(_ count: Int) async throws {
        for end in End.allCases {
            let workspace = Workspace()
            try await with(workspace) { stand in
                _ = try await stand.credits.grant(5, to: 7, id: "g", now: clock.now)
                for step in steps(end).prefix(count) { try await step(stand) }
            }
            try await with(workspace) { stand in
                // Twice, as a host may end again in the middle of its recovery.
                try await stand.relay.relayAll()
                try await finish(stand, end)
                try await stand.relay.relayAll()
                try await stand.relay.relayAll()
                let jobs = try await stand.journal.jobs.list()
                #expect(jobs.count == (count == 0 ? 0 : 1))
                #expect(jobs.filter { !$0.state.isFinal }.isEmpty)
                let spent = count > 0 && end == .completed
                #expect(try await balance(stand) == CreditBalance(posted: spent ? 2 : 5, held: 0))
                let lines = try await stand.credits.audit()
                #expect(lines.flatMap(\.problems) == [] && lines.allSatisfy { $0.pending == 0 })
                #expect(try await stand.journal.settlements.pending(limit: 9).isEmpty)
            }
        }
    }

    @Test("ten concurrent requests of three credits on a balance of three: one runs, nine get 402")
    func concurrent() async throws {
        try await with(Workspace()) { stand in
            _ = try await stand.credits.grant(3, to: 7, id: "g", now: clock.now)
            let errors = await withTaskGroup(of: FunctionError?.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do {
                            _ = try await self.accept(stand, self.invocation())
                            return nil
                        } catch {
                            return error as? FunctionError
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(errors.filter { $0 == nil }.count == 1)
            #expect(errors.filter { $0?.status == 402 && $0?.code == "insufficient_credits" }.count == 9)
            try await stand.relay.relayAll()
            #expect(try await stand.journal.jobs.list().count == 1)
        }
    }

    @Test("who has no number pays nothing, and gets nothing: 401 without a user, 403 without an account")
    func nobody() async throws {
        try await with(Workspace()) { stand in
            for (principal, status) in [(nil, 401), ("anna", 403), ("0", 403)] as [(String?, Int)] {
                await #expect { try await accept(stand, invocation(principal)) } throws: {
                    ($0 as? FunctionError)?.status == status
                }
            }
            #expect(try await stand.journal.jobs.list().isEmpty)
            // The operator's own invocations are nobody's to pay for.
            _ = try await accept(stand, invocation(nil, trigger: "invoke"))
            #expect(try await stand.journal.jobs.list().count == 1)
        }
    }

    @Test(
        "a request that is repeated under its key holds nothing twice, and finds its job, also after a restart"
    )
    func keys() async throws {
        let workspace = Workspace()
        let first = try await with(workspace) { stand in
            _ = try await stand.credits.grant(9, to: 7, id: "g", now: clock.now)
            return try await accept(stand, invocation(), key: "k")
        }
        try await with(workspace) { stand in
            let again = try await accept(stand, invocation(), key: "k")
            #expect(again == AcceptedJob(id: first.id, replayed: true))
            #expect(try await balance(stand) == CreditBalance(posted: 9, held: 3))
        }
    }

    @Test("a job never passes one that its user asked for before, though that has missed the journal")
    func order() async throws {
        try await with(Workspace()) { stand in
            _ = try await stand.credits.grant(9, to: 7, id: "g", now: clock.now)
            for (id, ahead) in [("first", 60), ("second", 30)] {
                let job = NewJob(id: id, function: "film", trigger: "job", owner: "7").json.text
                let paid = PaidJob(id: id, user: 7, function: "film", credits: 3, job: job)
                // Then the host has ended, or its disk was full; and the clock was set back after each.
                _ = try await stand.credits.accept(paid, now: clock.now + .seconds(ahead))
            }
            #expect(try await stand.credits.pendingJobs(limit: 9).map(\.id) == ["first", "second"])
            let third = try await accept(stand, invocation()).id
            #expect(try await stand.journal.jobs.list().map(\.id) == [third, "second", "first"])
            try await stand.relay.relayAll()
            #expect(try await stand.journal.jobs.list().count == 3)
            #expect(try await stand.credits.pendingJobs(limit: 9).isEmpty)
        }
    }
}
