import FunctionCore
import Invocations
import Journal
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SettlementTests {
    private let workspace = Workspace()

    private func with(_ body: (HostJournal) async throws -> Void) async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        try await body(journal)
        await journal.close()
    }

    private func claim(_ journal: HostJournal) async throws -> (id: String, lease: Int64) {
        let claimed = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: at(100))
        let job = try #require(claimed.first)
        return (job.id, try #require(job.lease))
    }

    @Test("how a paid job ends is written down in the commit of its end, until it is settled")
    func verdicts() async throws {
        try await with { journal in
            for id in ["done", "dead", "gone"] {
                try await journal.settlements.accept(job(id: id), of: 7, now: at(0))
            }
            try await journal.jobs.accept(job(id: "free"), now: at(0))
            #expect(try await journal.settlements.pending(limit: 9).isEmpty)
            _ = try await journal.jobs.cancel("gone", now: at(1))
            for _ in 0..<3 {
                let (id, lease) = try await claim(journal)
                if id == "dead" {
                    let error = JobError(code: "c", message: "m", status: 500)
                    try await journal.jobs.fail(id, lease: lease, error, retryAt: nil, now: at(100))
                } else {
                    let result = JobResult(status: 200, contentType: "", body: "")
                    try await journal.jobs.complete(id, lease: lease, result, now: at(100))
                }
            }
        }
        try await with { journal in
            let pending = try await journal.settlements.pending(limit: 9)
            #expect(pending.map(\.job) == ["dead", "done", "gone"])
            #expect(pending.map(\.succeeded) == [false, true, false])
            #expect(pending.allSatisfy { $0.user == 7 })
            try await journal.settlements.settled(pending)
            #expect(try await journal.settlements.pending(limit: 9).isEmpty)
        }
    }

    @Test("a job is taken on once, and what its first end said stays when it is revived")
    func once() async throws {
        try await with { journal in
            for _ in 0..<3 { try await journal.settlements.accept(job(id: "a"), of: 7, now: at(0)) }
            #expect(try await journal.jobs.list().count == 1)
            _ = try await journal.jobs.cancel("a", now: at(1))
            try await journal.jobs.revive("a", now: at(2))
            let (id, lease) = try await claim(journal)
            let result = JobResult(status: 200, contentType: "", body: "")
            try await journal.jobs.complete(id, lease: lease, result, now: at(100))
            #expect(try await journal.settlements.pending(limit: 9).map(\.succeeded) == [false])
            // Its row may go before its settlement is done: it is known all the same.
            _ = try await journal.jobs.prune(endedBefore: at(1000), keep: 0)
            try await journal.settlements.accept(job(id: "a"), of: 7, now: at(200))
            #expect(try await journal.jobs.list().isEmpty)
        }
    }

    @Test("a job is the same after its way through a shard, all of its members")
    func text() throws {
        var new = job(runAt: at(5))
        new.owner = "7"
        new.depth = 2
        new.idempotencyKey = "k"
        new.maxAttempts = 9
        new.maxRecoveries = 4
        new.countsFor = "daily"
        new.key = "ann"
        new.priority = 3
        new.expires = at(50)
        new.unique = UniqueWish(key: "u", period: .seconds(9))
        new.lane = JobLanePolicy(perKey: 1, isOrdered: true, rate: BucketRule(interval: 1000, burst: 2))
        let read = try #require(NewJob(try JSON.parse(new.json.bytes()), body: new.body))
        #expect("\(read)" == "\(new)")
        // A member that is new has to be in `NewJob.json`, and here.
        let members = Mirror(reflecting: new).children.compactMap(\.label)
        #expect(Set(members) == Self.members)
    }

    private static let members: Set = [
        "id", "function", "operation", "body", "trigger", "owner", "trace", "maxAttempts", "maxRecoveries",
        "runAt", "depth", "idempotencyKey", "key", "lane", "priority", "expires", "unique",
        "countsFor",
    ]
}
