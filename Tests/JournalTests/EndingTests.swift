import FunctionCore
import Invocations
import Journal
import Storage
import TestSupport
import Testing

@Suite("What a job's end brings about, on every engine", .timeLimit(.minutes(2)))
struct EndingTests {
    private func manifest(_ name: String) -> Manifest? {
        var manifest = Manifest(name: name)
        switch name {
        case "video":
            manifest.onSuccess = .function("report", operation: "made")
            manifest.onFailure = .stream("broken")
        case "hook": manifest.onSuccess = .webhook("https://example.com/hook")
        case "circle": manifest.onSuccess = .function("circle", operation: "")
        case "report":
            manifest.retry.attempts = 7
            manifest.jobs.keyIsUser = true
        default: return nil
        }
        return manifest
    }

    private func withJournal(
        _ engine: Engine,
        _ body: (HostJournal) async throws -> Void
    ) async throws {
        try await JournalTests.withJournal(engine, manifest: { self.manifest($0) }, body)
    }

    private func claim(
        _ journal: HostJournal,
        _ function: String,
        _ now: Instant = at(1)
    ) async throws
        -> (JobRecord, Int64)
    {
        let job = try #require(
            try await journal.jobs.claim(limit: 1, capacity: [function: 1], now: now).first
        )
        return (job, try #require(job.lease))
    }

    private let result = JobResult(status: 201, contentType: "application/json", body: #"{"film":7}"#)
    private let fault = JobError(code: "broken", message: "no", status: 500)

    @Test(
        "a job that completes is followed by a job of the function that is named, in the same transaction",
        arguments: Engine.allCases
    )
    func function(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            var new = job(id: "a")
            new.owner = "ann"
            try await journal.jobs.accept(new, now: at(0))
            let (_, lease) = try await claim(journal, "video")
            let before = journal.transactions
            try await journal.jobs.complete("a", lease: lease, result, now: at(2))
            if engine == .sqlite { #expect(journal.transactions == before + 1) }
            let (next, _) = try await claim(journal, "report", at(2))
            #expect(next.operation == "made" && next.maxAttempts == 7 && next.depth == 1)
            #expect(next.owner == "ann" && next.place.key == "ann" && next.trigger == "job")
            #expect(next.trace.traceID == new.trace.traceID)
            let told = try JSON.parse(next.body)
            #expect(told["job"] == "a" && told["function"] == "video" && told["state"] == "completed")
            #expect(told["result"]?["film"]?.intValue == 7 && told["status"]?.intValue == 201)
        }
    }

    @Test(
        "a dead letter is told of, whatever made it one, and a cancelled or discarded job is not",
        arguments: Engine.allCases
    )
    func failure(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            var poison = job(id: "b")
            poison.maxRecoveries = 0
            for new in [job(id: "a"), poison, job(id: "c"), job(id: "d"), job(id: "e")] {
                var new = new
                if new.id == "e" { new.expires = at(5) }
                try await journal.jobs.accept(new, now: at(0))
            }
            let (_, a) = try await claim(journal, "video")
            try await journal.jobs.fail("a", lease: a, fault, retryAt: nil, now: at(2))
            _ = try await claim(journal, "video")
            #expect(try await journal.recover(now: at(3)).jobs == 1)
            let (_, c) = try await claim(journal, "video", at(3))
            try await journal.jobs.discard("c", lease: c, fault, now: at(4))
            _ = try await journal.jobs.cancel("d", now: at(4))
            _ = try await journal.jobs.expireDue(now: at(5))
            let due = try await journal.deliveries.due(now: at(9), limit: 9)
            #expect(due.map(\.job) == ["a", "b", "e"])
            #expect(due.map(\.state) == [.failed, .failed, .expired])
            #expect(due.allSatisfy { $0.destination == .stream("broken") })
            let codes = try due.map { try JSON.parse(Bytes($0.body))["error"]?["code"]?.stringValue }
            #expect(codes == ["broken", "host_lost", "expired"])
        }
    }

    @Test("an attempt that fails and comes again is told to nobody", arguments: Engine.allCases)
    func retry(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, lease) = try await claim(journal, "video")
            try await journal.jobs.fail("a", lease: lease, fault, retryAt: at(9), now: at(2))
            #expect(try await journal.deliveries.nextDue() == nil)
        }
    }

    @Test(
        "a delivery stays until it is done, comes later after a failure, and is kept with its error when given up",
        arguments: Engine.allCases
    )
    func deliveries(_ engine: Engine) async throws {
        try await withPlace(engine, manifest: { self.manifest($0) }) { place in
            try await place.journal { journal in
                try await journal.jobs.accept(job("hook", id: "a"), now: at(0))
                let (_, lease) = try await claim(journal, "hook")
                try await journal.jobs.complete("a", lease: lease, result, now: at(2))
            }
            // Also over a restart.
            try await place.journal { journal in
                let deliveries = journal.deliveries
                let first = try #require(try await deliveries.due(now: at(2), limit: 9).first)
                #expect(first.destination == .webhook("https://example.com/hook") && first.failures == 0)
                try await deliveries.failed(first, "no answer", retryAt: at(10))
                #expect(try await deliveries.due(now: at(9), limit: 9).isEmpty)
                #expect(try await deliveries.nextDue() == at(10))
                let second = try #require(try await deliveries.due(now: at(10), limit: 9).first)
                #expect(second.failures == 1 && second.error == "no answer")
                try await deliveries.failed(second, "still none", retryAt: nil)
                #expect(try await deliveries.nextDue() == nil)
                #expect(try await deliveries.counts() == (0, 1))
                #expect(try await deliveries.all(of: "a").map(\.error) == ["still none"])
                try await journal.prune(jobsEndedBefore: at(99), keepJobs: 0, now: at(99))
                #expect(try await deliveries.counts() == (0, 0))
            }
        }
    }

    @Test(
        "functions that tell one another in a circle end as a dead letter, which says so",
        arguments: Engine.allCases
    )
    func circle(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job("circle"), now: at(0))
            var runs = 0
            while let job = try await journal.jobs.claim(limit: 1, capacity: ["circle": 1], now: at(1)).first
            {
                runs += 1
                guard runs < 99 else { break }
                try await journal.jobs.complete(job.id, lease: try #require(job.lease), result, now: at(1))
            }
            #expect(runs == 17)
            let dead = try await journal.jobs.list(JobFilter(states: [.expired]))
            #expect(dead.count == 1 && dead[0].error?.code == "depth_exceeded")
        }
    }
}
