import FunctionCore
import Invocations
import Journal
import Storage
import TestSupport
import Testing

@Suite("Leases, attempts, recoveries and dead letters, on every engine", .timeLimit(.minutes(2)))
struct LeaseTests {
    private func claimOne(_ journal: HostJournal, _ now: Instant) async throws -> (JobRecord, Int64) {
        let claimed = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: now)
        let record = try #require(claimed.first)
        return (record, try #require(record.lease))
    }

    private let fault = JobError(code: "provider_down", message: "no answer", status: 502)

    @Test(
        "a lease that is renewed holds, and one that is not is taken back by the rescuer",
        arguments: Engine.allCases
    )
    func rescue(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for id in ["a", "b"] { try await journal.jobs.accept(job(id: id), now: at(0)) }
            let (_, a) = try await claimOne(journal, at(0))
            let (_, b) = try await claimOne(journal, at(0))
            #expect(try await journal.jobs.renew(["a": a], now: at(20)).isEmpty)
            #expect(try await journal.jobs.rescue(alive: [], now: at(29)).isEmpty)
            let rescued = try await journal.jobs.rescue(alive: [], now: at(31))
            #expect(rescued.map(\.id) == ["b"])
            #expect(rescued.first?.state == .queued && rescued.first?.life.recoveries == 1)
            // Who has lost it hears so, and what it tells changes nothing.
            #expect(try await journal.jobs.renew(["a": a, "b": b], now: at(32)) == ["b"])
            let result = JobResult(status: 200, contentType: "a/b", body: "x")
            let late = await #expect(throws: StorageError.self) {
                try await journal.jobs.complete("b", lease: b, result, now: at(33))
            }
            #expect(late?.code == .staleLease)
            let (again, token) = try await claimOne(journal, at(34))
            #expect(again.id == "b" && token > b)
            try await journal.jobs.complete("b", lease: token, result, now: at(35))
        }
    }

    @Test("who is known to be alive keeps its job, whatever the clock says", arguments: Engine.allCases)
    func alive(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, lease) = try await claimOne(journal, at(0))
            #expect(try await journal.jobs.rescue(alive: ["a"], now: at(86_400)).isEmpty)
            #expect(try await journal.jobs.renew(["a": lease], now: at(86_400)).isEmpty)
            #expect(try await journal.jobs.job("a")?.life.lease?.until == at(86_430))
        }
    }

    @Test(
        "each attempt that failed is in the history, with its error, its times and its process",
        arguments: Engine.allCases
    )
    func history(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, first) = try await claimOne(journal, at(1))
            try await journal.jobs.fail(
                "a",
                lease: first,
                fault,
                retryAt: at(10),
                end: AttemptEnd(outcome: "failed", worker: "411"),
                now: at(3)
            )
            let (_, second) = try await claimOne(journal, at(10))
            let shed = try await journal.jobs.requeue("a", lease: second, runAt: at(11), now: at(11))
            #expect(try await journal.jobs.attempts(of: shed).count == 1)
            let (record, third) = try await claimOne(journal, at(11))
            try await journal.jobs.fail(
                "a",
                lease: third,
                JobError(code: "timed_out", message: "late", status: 504),
                retryAt: nil,
                end: AttemptEnd(outcome: "timed_out", worker: "412"),
                now: at(41)
            )
            let attempts = try await journal.jobs.attempts(of: record)
            #expect(attempts.map(\.attempt) == [1, 2])
            #expect(attempts.map(\.end.worker) == ["411", "412"])
            #expect(attempts.map(\.started) == [at(1), at(11)] && attempts.map(\.ended) == [at(3), at(41)])
            #expect(attempts.map(\.error?.code) == ["provider_down", "timed_out"])
        }
    }

    @Test(
        "a host that dies over a job again and again leaves a dead letter, and says so",
        arguments: Engine.allCases
    )
    func poison(_ engine: Engine) async throws {
        try await withPlace(engine) { place in
            try await place.journal { journal in
                var new = job(id: "a")
                new.maxRecoveries = 3
                try await journal.jobs.accept(new, now: at(0))
            }
            for round in 1...4 {
                try await place.journal { _ = try await claimOne($0, at(Int64(round))) }
                try await place.journal { journal in
                    #expect(try await journal.recover(now: at(Int64(round))).jobs == 1)
                    let job = try await journal.jobs.job("a")
                    #expect(job?.state == (round < 4 ? .queued : .failed))
                    #expect(job?.life.recoveries == round)
                }
            }
            try await place.journal { journal in
                let dead = try #require(try await journal.jobs.job("a"))
                #expect(dead.error?.code == "host_lost")
                #expect(try await journal.jobs.attempts(of: dead).map(\.end.outcome).count == 4)
            }
        }
    }

    @Test(
        "a function may have its job forgotten: it is cancelled, with the reason",
        arguments: Engine.allCases
    )
    func discard(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            try await journal.jobs.accept(job(id: "a"), now: at(0))
            let (_, lease) = try await claimOne(journal, at(1))
            let gone = try await journal.jobs.discard("a", lease: lease, fault, now: at(2))
            #expect(gone.state == .cancelled && gone.error == fault)
        }
    }

    @Test(
        "dead letters are tried again and purged by function, code and time, in steps, and counted all the same",
        arguments: Engine.allCases
    )
    func deadLetters(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let slow = JobError(code: "slow", message: "", status: 504)
            for number in 0..<450 {
                var new = job(number.isMultiple(of: 3) ? "script" : "video", id: "\(number)")
                new.maxAttempts = 1
                try await journal.jobs.accept(new, now: at(0))
            }
            while true {
                let room = ["video": 64, "script": 64]
                let claimed = try await journal.jobs.claim(limit: 64, capacity: room, now: at(1))
                if claimed.isEmpty { break }
                for job in claimed {
                    let even = (Int(job.id) ?? 0).isMultiple(of: 2)
                    _ = try await journal.jobs.fail(
                        job.id,
                        lease: try #require(job.lease),
                        even ? slow : fault,
                        retryAt: nil,
                        now: at(even ? 10 : 20)
                    )
                }
            }
            let jobs = journal.jobs
            #expect(
                try await jobs.redrive(JobFilter(function: "script", errorCode: "slow"), now: at(30)) == 75
            )
            #expect(
                try await jobs.redrive(JobFilter(function: "script", errorCode: "slow"), now: at(30)) == 0
            )
            #expect(try await jobs.purge(JobFilter(until: at(15)), now: at(30)) == 150)
            #expect(try await jobs.purge(JobFilter(from: at(21)), now: at(30)) == 0)
            #expect(try await jobs.redrive(JobFilter(), now: at(30)) == 225)
            let lines = try await jobs.audit()
            #expect(isBalanced(lines), "\(lines)")
            #expect(lines.map(\.function) == ["script", "video"])
            #expect(lines.map(\.accepted) == [150, 300])
            #expect(lines.map(\.deadLettered) == [0, 150] && lines.map(\.pending) == [150, 150])
        }
    }
}
