import FunctionCore
import Invocations
import Journal
import Seeds
import Storage
import Testing
import TestSupport

@Suite(
    "Priority, keys, rates and ends of time among jobs that wait, on every engine",
    .timeLimit(.minutes(2))
)
struct LaneTests {
    private func new(_ id: String, key: String = "", _ policy: JobLanePolicy = JobLanePolicy()) -> NewJob {
        var new = job(id: id)
        new.key = key
        new.lane = policy
        return new
    }

    private func claim(
        _ journal: HostJournal,
        _ limit: Int,
        _ now: Instant = at(1)
    ) async throws -> [JobRecord] {
        try await journal.jobs.claim(limit: limit, capacity: ["video": limit], now: now)
    }

    private func end(_ journal: HostJournal, _ job: JobRecord, _ now: Instant = at(2)) async throws {
        let result = JobResult(status: 200, contentType: "a/b", body: "")
        try await journal.jobs.complete(job.id, lease: try #require(job.lease), result, now: now)
    }

    @Test("the higher priority runs first, whoever came first", arguments: Engine.allCases)
    func priority(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for (id, priority) in [("low", 0), ("high", 9), ("mid", 5), ("high2", 9)] {
                var new = new(id)
                new.priority = priority
                try await journal.jobs.accept(new, now: at(0))
            }
            var order: [String] = []
            while let job = try await claim(journal, 1).first { order.append(job.id) }
            #expect(order == ["high", "high2", "mid", "low"])
        }
    }

    @Test(
        "one key with a hundred jobs lets others wait for one of them, and not for all",
        arguments: Engine.allCases
    )
    func fairness(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for number in 0..<100 { try await journal.jobs.accept(new("a\(number)", key: "a"), now: at(0)) }
            for key in ["b", "c"] {
                for number in 0..<2 {
                    try await journal.jobs.accept(new("\(key)\(number)", key: key), now: at(0))
                }
            }
            var order: [String] = []
            for _ in 0..<6 { order.append(try #require(try await claim(journal, 1).first).place.key) }
            #expect(
                order.filter { $0 == "b" }.count == 2 && order.filter { $0 == "c" }.count == 2,
                "\(order)"
            )
            // Also where many begin at once.
            for number in 2..<4 { try await journal.jobs.accept(new("b\(number)", key: "b"), now: at(0)) }
            #expect(Set(try await claim(journal, 4).map(\.place.key)) == ["a", "b"])
        }
    }

    @Test(
        "of one key no more are under way than may be, and other keys do not wait for it",
        arguments: Engine.allCases
    )
    func perKey(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let two = JobLanePolicy(perKey: 2)
            for number in 0..<4 {
                try await journal.jobs.accept(new("a\(number)", key: "a", two), now: at(0))
            }
            try await journal.jobs.accept(new("b0", key: "b", two), now: at(0))
            var running: [JobRecord] = []
            while true {
                let claimed = try await claim(journal, 8)
                if claimed.isEmpty { break }
                running += claimed
            }
            #expect(running.map(\.id).sorted() == ["a0", "a1", "b0"])
            #expect(try await journal.jobs.nextDue(of: ["video"]) == nil)
            try await end(journal, running[0])
            let next = try await claim(journal, 8)
            #expect(next.count == 1 && next[0].place.key == running[0].place.key || running[0].id == "b0")
        }
    }

    @Test(
        "an ordered key runs one at a time in the order of acceptance, also over retries and lost leases",
        arguments: Engine.allCases
    )
    func ordered(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let policy = JobLanePolicy(perKey: 1, isOrdered: true)
            for number in 0..<3 {
                try await journal.jobs.accept(new("a\(number)", key: "a", policy), now: at(0))
            }
            try await journal.jobs.accept(new("b0", key: "b", policy), now: at(0))
            let first = try await claim(journal, 8)
            #expect(Set(first.map(\.id)) == ["a0", "b0"])
            let a0 = try #require(first.first { $0.id == "a0" })
            let fault = JobError(code: "x", message: "", status: 500)
            try await journal.jobs.fail(
                "a0",
                lease: try #require(a0.lease),
                fault,
                retryAt: at(50),
                now: at(2)
            )
            // It waits for its second attempt, and the others of its key wait with it.
            #expect(try await claim(journal, 8, at(49)).isEmpty)
            #expect(try await journal.jobs.nextDue(of: ["video"]) == at(50))
            #expect(try await claim(journal, 8, at(50)).map(\.id) == ["a0"])
            #expect(try await journal.jobs.rescue(alive: ["b0"], now: at(90)).map(\.id) == ["a0"])
            let again = try await claim(journal, 8, at(91))
            #expect(again.map(\.id) == ["a0"])
            try await end(journal, again[0], at(92))
            #expect(try await claim(journal, 8, at(93)).map(\.id) == ["a1"])
            _ = try await journal.jobs.cancel("a1", now: at(94))
            #expect(try await claim(journal, 8, at(95)).map(\.id) == ["a2"])
        }
    }

    @Test(
        "of one key no more begin in a time than its rate says, and the lane wakes when it may",
        arguments: Engine.allCases
    )
    func rate(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let policy = JobLanePolicy(rate: BucketRule(interval: 5_000_000, burst: 2))
            for number in 0..<5 {
                try await journal.jobs.accept(new("a\(number)", key: "a", policy), now: at(0))
            }
            #expect(try await claim(journal, 8, at(0)).count == 2)
            #expect(try await claim(journal, 8, at(4)).isEmpty)
            #expect(try await journal.jobs.nextDue(of: ["video"]) == at(5))
            #expect(try await claim(journal, 8, at(5)).count == 1)
            #expect(try await claim(journal, 8, at(9)).isEmpty)
            #expect(try await claim(journal, 8, at(100)).count == 2)
        }
    }

    @Test("a rate is not forgotten when the lane is empty", arguments: Engine.allCases)
    func emptyLane(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let policy = JobLanePolicy(rate: BucketRule(interval: 10_000_000, burst: 1))
            for number in 0..<3 {
                try await journal.jobs.accept(new("a\(number)", key: "a", policy), now: at(0))
                for job in try await claim(journal, 1, at(0)) { try await end(journal, job, at(0)) }
            }
            #expect(try await journal.jobs.list(JobFilter(states: [.completed])).map(\.id) == ["a0"])
        }
    }

    @Test(
        "a job that still waits at the end of its time is a dead letter, and one that began is not",
        arguments: Engine.allCases
    )
    func expiry(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            for id in ["a", "b"] {
                var new = new(id)
                new.expires = at(10)
                try await journal.jobs.accept(new, now: at(0))
            }
            let begun = try await claim(journal, 1, at(9))
            #expect(try await journal.jobs.expireDue(now: at(9)).isEmpty)
            #expect(try await journal.jobs.nextDue(of: []) == at(10))
            #expect(try await claim(journal, 1, at(10)).isEmpty)
            let ended = try await journal.jobs.expireDue(now: at(10))
            #expect(ended.map(\.id) == ["b"] && ended[0].error?.code == "expired")
            try await end(journal, begun[0], at(11))
            #expect(try await journal.jobs.audit().map(\.deadLettered) == [1])
            // Tried again it has all the time there is.
            #expect(try await journal.jobs.redrive(JobFilter(), now: at(20)) == 1)
            #expect(try await journal.jobs.expireDue(now: at(999)).isEmpty)
        }
    }

    @Test("a unique job is there once in its period, or until it has ended", arguments: Engine.allCases)
    func unique(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            func accept(_ id: String, _ wish: UniqueWish, _ now: Instant) async throws -> String {
                var new = new(id)
                new.unique = wish
                return try await journal.jobs.accept(new, now: now).id
            }
            let daily = UniqueWish(key: "daily", period: .seconds(60))
            #expect(try await accept("a", daily, at(0)) == "a")
            #expect(try await accept("b", daily, at(59)) == "a")
            #expect(try await accept("c", daily, at(60)) == "c")
            let open = UniqueWish(key: "open")
            #expect(try await accept("d", open, at(0)) == "d")
            #expect(try await accept("e", open, at(9999)) == "d")
            _ = try await journal.jobs.cancel("d", now: at(9999))
            #expect(try await accept("f", open, at(9999)) == "f")
            try await journal.prune(jobsEndedBefore: at(0), keepJobs: 9, now: at(9999))
            #expect(try await accept("g", open, at(9999)) == "f")
            #expect(try await accept("h", daily, at(9999)) == "h")
        }
    }

    @Test(
        "a clock that is set back makes nothing wait that was due, and keeps the order of a key",
        arguments: Engine.allCases
    )
    func clockSetBack(_ engine: Engine) async throws {
        try await withJournal(engine) { journal in
            let policy = JobLanePolicy(perKey: 1, isOrdered: true)
            try await journal.jobs.accept(new("a0", key: "a", policy), now: at(100))
            try await journal.jobs.accept(new("a1", key: "a", policy), now: at(50))
            let first = try await claim(journal, 8, at(50))
            #expect(first.map(\.id) == ["a0"] && first[0].runAt == at(50))
            try await end(journal, first[0], at(50))
            #expect(try await claim(journal, 8, at(40)).map(\.id) == ["a1"])
            var later = new("later")
            later.runAt = at(100)
            try await journal.jobs.accept(later, now: at(50))
            #expect(try await claim(journal, 8, at(40)).isEmpty)
            #expect(try await claim(journal, 8, at(100)).map(\.id) == ["later"])
        }
    }

    @Test(
        "in any sequence the lanes say what the jobs say, and no key has more under way than it may",
        arguments: Engine.allCases,
        0..<6
    )
    func sequences(_ engine: Engine, _ seed: UInt64) async throws {
        try await withJournal(engine) { journal in
            var random = SeededRandom(seed)
            var running: [String: (lease: Int64, key: String)] = [:]
            var next: [String: Int] = [:]
            let policies = [
                "": JobLanePolicy(), "free": JobLanePolicy(), "two": JobLanePolicy(perKey: 2),
                "ordered": JobLanePolicy(perKey: 1, isOrdered: true),
                "slow": JobLanePolicy(rate: BucketRule(interval: 20_000_000, burst: 2)),
            ]
            for second in 0..<200 {
                let now = at(Int64(second * 5))
                let one = running.randomElement(using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0...3:
                    let (key, policy) = try #require(policies.randomElement(using: &random))
                    var new = new("\(key)-\(second)", key: key, policy)
                    new.priority = Int.random(in: 0...3, using: &random)
                    if !policy.isOrdered, Bool.random(using: &random) { new.runAt = now + .seconds(40) }
                    if Int.random(in: 0..<6, using: &random) == 0 { new.expires = now + .seconds(60) }
                    try await journal.jobs.accept(new, now: now)
                case 4...6:
                    _ = try await journal.jobs.expireDue(now: now)
                    for job in try await claim(journal, Int.random(in: 1...4, using: &random), now) {
                        #expect(running[job.id] == nil)
                        running[job.id] = (try #require(job.lease), job.place.key)
                        if job.place.key == "ordered" {
                            let number = Int(job.number)
                            #expect(number >= next["ordered"] ?? 0, "seed \(seed), step \(second)")
                            next["ordered"] = number
                        }
                    }
                case 7:
                    guard let one else { continue }
                    let result = JobResult(status: 200, contentType: "a/b", body: "")
                    try await journal.jobs.complete(one.key, lease: one.value.lease, result, now: now)
                    running[one.key] = nil
                case 8:
                    guard let one else { continue }
                    let fault = JobError(code: "x", message: "", status: 500)
                    let retry = now + .seconds(Int64.random(in: 0...30, using: &random))
                    try await journal.jobs.fail(
                        one.key,
                        lease: one.value.lease,
                        fault,
                        retryAt: retry,
                        now: now
                    )
                    running[one.key] = nil
                default:
                    guard let one else { continue }
                    _ = try await journal.jobs.cancel(one.key, now: now)
                    running[one.key] = nil
                }
                #expect(running.values.count { $0.key == "two" } <= 2)
                #expect(running.values.count { $0.key == "ordered" } <= 1)
                let lines = try await journal.jobs.audit()
                #expect(isBalanced(lines), "seed \(seed), step \(second): \(lines)")
            }
        }
    }
}
