import FunctionCore
import Invocations
import Journal
import Storage
import TestSupport
import Testing

@Suite("A job's way, on every engine", .timeLimit(.minutes(2)))
struct JobEngineTests {
    private func claimOne(_ journal: HostJournal, _ now: Instant = at(1)) async throws -> (JobRecord, Int64) {
        let claimed = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: now)
        let record = try #require(claimed.first)
        return (record, try #require(record.lease))
    }

    @Test(
        "a claim takes what is due, the longest due first, within each function's capacity",
        arguments: Engine.allCases
    )
    func claim(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "v2", runAt: at(2)), now: at(0))
            try await journal.jobs.accept(job(id: "v1", runAt: at(1)), now: at(0))
            try await journal.jobs.accept(job(id: "v9", runAt: at(9)), now: at(0))
            try await journal.jobs.accept(job("script", id: "s1", runAt: at(1)), now: at(0))
            try await journal.jobs.accept(job("motto", id: "m1"), now: at(0))
            let capacity = ["video": 5, "script": 1, "motto": 0]
            let first = try await journal.jobs.claim(limit: 2, capacity: capacity, now: at(5))
            #expect(first.map(\.id) == ["v1", "s1"])
            #expect(first.allSatisfy { $0.state == .running && $0.attempt == 1 && $0.lease != nil })
            #expect(first.first?.event.operation == "make")
            #expect(first.first?.event.body == #"{"user":1}"#)
            let second = try await journal.jobs.claim(limit: 9, capacity: capacity, now: at(5))
            #expect(second.map(\.id) == ["v2"])
            #expect(try await journal.jobs.nextDue(of: ["video", "script"]) == at(9))
            #expect(try await journal.jobs.nextDue(of: ["script"]) == nil)
        }
    }

    @Test("two runners never claim the same job", arguments: Engine.allCases)
    func exclusive(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for _ in 0..<30 { try await journal.jobs.accept(job(), now: at(0)) }
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await journal.jobs.claim(limit: 5, capacity: ["video": 5], now: at(0)).map(\.id)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(ids.count == 30)
            #expect(Set(ids).count == 30)
        }
    }

    @Test("progress never falls, and is dropped for what does not run", arguments: Engine.allCases)
    func progress(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            try await journal.jobs.progress("a", stage: "early", percent: 50, now: at(0))
            #expect(try await journal.jobs.job("a")?.stage == nil)
            let (_, lease) = try await claimOne(journal)
            for (stage, percent) in [("voice", 40), ("frames", 20), ("frames", 900), ("end", -3)] {
                try await journal.jobs.progress("a", stage: stage, percent: percent, now: at(2))
            }
            #expect(try await journal.jobs.job("a")?.percent == 100)
            #expect(try await journal.jobs.job("a")?.stage == "end")
            try await journal.jobs.complete(
                "a",
                lease: lease,
                JobResult(status: 200, contentType: "a/b", body: "x"),
                now: at(3)
            )
            try await journal.jobs.progress("a", stage: "late", percent: 1, now: at(4))
            #expect(try await journal.jobs.job("a")?.stage == "end")
            try await journal.jobs.progress("unknown", stage: "late", percent: 1, now: at(4))
        }
    }

    @Test("a job ends with its result, which has a limit", arguments: Engine.allCases)
    func completion(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, lease) = try await claimOne(journal)
            let large = JobResult(
                status: 200,
                contentType: "a/b",
                body: Bytes([UInt8](repeating: 1, count: JobLimits.result + 1))
            )
            let error = await #expect(throws: StorageError.self) {
                try await journal.jobs.complete("a", lease: lease, large, now: at(2))
            }
            #expect(error?.code == .tooLarge)
            let result = JobResult(status: 201, contentType: "application/json", body: "{}")
            let done = try await journal.jobs.complete("a", lease: lease, result, now: at(2))
            #expect(done.state == .completed && done.percent == 100 && done.updated == at(2))
            #expect(try await journal.jobs.job("a")?.result == result)
            let again = await #expect(throws: StorageError.self) {
                try await journal.jobs.complete("a", lease: lease, result, now: at(3))
            }
            #expect(again?.code == .staleLease)
        }
    }

    @Test(
        "a failed attempt waits for the next one, and the last makes a dead letter that can be revived",
        arguments: Engine.allCases
    )
    func failures(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let error = JobError(code: "provider_down", message: "no answer", status: 502)
            let (_, first) = try await claimOne(journal)
            let waiting = try await journal.jobs.fail("a", lease: first, error, retryAt: at(10), now: at(2))
            #expect(waiting.state == .retryWait && waiting.runAt == at(10) && waiting.error == error)
            #expect(try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: at(9)).isEmpty)
            let (second, lease) = try await claimOne(journal, at(10))
            #expect(second.attempt == 2)
            let dead = try await journal.jobs.fail("a", lease: lease, error, retryAt: at(20), now: at(11))
            #expect(dead.state == .failed && dead.error == error)
            #expect(try await journal.jobs.list(JobFilter(states: [.failed])).map(\.id) == ["a"])
            let revived = try await journal.jobs.revive("a", now: at(30))
            #expect(revived.state == .queued && revived.attempt == 0 && revived.error == nil)
        }
    }

    @Test(
        "an attempt that is given back does not count, and its late end changes nothing",
        arguments: Engine.allCases
    )
    func requeue(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, first) = try await claimOne(journal)
            #expect(try await journal.jobs.requeue("a", lease: first, runAt: at(3), now: at(2)).attempt == 0)
            let (again, second) = try await claimOne(journal, at(3))
            #expect(again.attempt == 1)
            let late = await #expect(throws: StorageError.self) {
                try await journal.jobs.fail(
                    "a",
                    lease: first,
                    JobError(code: "x", message: "", status: 500),
                    retryAt: nil,
                    now: at(4)
                )
            }
            #expect(late?.code == .staleLease)
            let cancelled = try await journal.jobs.cancel("a", now: at(5))
            #expect(cancelled.wasRunning && cancelled.job.state == .cancelled)
            let end = await #expect(throws: StorageError.self) {
                try await journal.jobs.requeue("a", lease: second, runAt: at(6), now: at(6))
            }
            #expect(end?.code == .staleLease)
            let twice = await #expect(throws: StorageError.self) {
                try await journal.jobs.cancel("a", now: at(7))
            }
            #expect(twice?.code == .wrongState)
            #expect(
                await #expect(throws: StorageError.self) { try await journal.jobs.cancel("b", now: at(7)) }?
                    .code == .notFound
            )
        }
    }

    @Test(
        "after the host's death its running jobs are queued again, and the attempt does not count",
        arguments: Engine.allCases
    )
    func recovery(_ engine: Engine) async throws {
        try await withPlace(engine) { place in
            try await place.journal { journal in
                for id in ["a", "b", "c"] { try await journal.jobs.accept(job(id: id), now: at(0)) }
                #expect(try await journal.jobs.claim(limit: 2, capacity: ["video": 2], now: at(1)).count == 2)
            }
            try await place.journal { journal in
                #expect(try await journal.recover(now: at(100)).jobs == 2)
                #expect(try await journal.recover(now: at(100)).jobs == 0)
                let jobs = try await journal.jobs.list()
                #expect(jobs.allSatisfy { $0.state == .queued && $0.attempt == 0 && $0.lease == nil })
                let room = ["video": 9]
                #expect(try await journal.jobs.claim(limit: 9, capacity: room, now: at(100)).count == 3)
            }
        }
    }

    @Test("lists are newest first, page by number, and leave bodies out", arguments: Engine.allCases)
    func lists(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for number in 0..<5 {
                var new = job(number.isMultiple(of: 2) ? "video" : "script", id: "\(number)")
                new.owner = number < 2 ? "ann" : nil
                try await journal.jobs.accept(new, now: at(0))
            }
            let page = try await journal.jobs.list(JobFilter(limit: 2))
            #expect(page.map(\.id) == ["4", "3"])
            #expect(page.allSatisfy { $0.body.isEmpty })
            let next = try await journal.jobs.list(JobFilter(before: page.last?.number, limit: 9))
            #expect(next.map(\.id) == ["2", "1", "0"])
            #expect(try await journal.jobs.list(JobFilter(function: "video")).map(\.id) == ["4", "2", "0"])
            #expect(
                try await journal.jobs.list(JobFilter(owner: "ann", states: [.queued, .failed])).map(\.id)
                    == ["1", "0"]
            )
            #expect(try await journal.jobs.list(JobFilter(states: [.running])).isEmpty)
        }
    }

    @Test("pruning takes old and surplus ended jobs, and the counters go on", arguments: Engine.allCases)
    func pruning(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for number in 0..<6 {
                try await journal.jobs.accept(job(id: "\(number)"), now: at(0))
                if number < 5 { _ = try await journal.jobs.cancel("\(number)", now: at(Int64(number))) }
            }
            #expect(try await journal.prune(jobsEndedBefore: at(2), keepJobs: 2, now: at(9)) == 3)
            #expect(try await journal.jobs.list().map(\.id) == ["5", "4", "3"])
            let counts = try await journal.jobs.counts()
            #expect(
                counts.contains(
                    JobCount(function: "video", state: .cancelled, present: 2, ever: 5, pruned: 3)
                )
            )
            #expect(counts.contains(JobCount(function: "video", state: .queued, present: 1, ever: 6)))
        }
    }

    @Test("a job that is accepted again by its id is there once", arguments: Engine.allCases)
    func repeated(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let first = try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, lease) = try await claimOne(journal)
            let again = try await journal.jobs.accept(job(id: "a"), now: at(2))
            #expect(again.id == "a" && again.number == first.number && again.state == .running)
            try await journal.jobs.requeue("a", lease: lease, runAt: at(3), now: at(3))
            #expect(try await journal.jobs.audit().map(\.accepted) == [1])
            #expect(try await journal.jobs.claim(limit: 9, capacity: ["video": 9], now: at(3)).count == 1)
        }
    }
}
