import FunctionCore
import Invocations
import Journal
import RedisTrigger
import Storage
import TestSupport
import Testing

/// What is Redis' own: a server between hosts, which forgets its scripts, restarts, and goes away.
@Suite("Jobs of several hosts in one Redis", .timeLimit(.minutes(2)))
struct RedisJobsTests {
    private let result = JobResult(status: 200, contentType: "a/b", body: "x")

    private func host(_ client: RedisClient) async throws -> (HostJournal, Workspace) {
        let workspace = Workspace()
        return (try await HostJournal.open(directory: workspace.path, redis: client), workspace)
    }

    /// Two hosts, each with a directory and a connection of its own.
    private func withTwo(_ body: (HostJournal, HostJournal) async throws -> Void) async throws {
        try await RedisServer.run { server in
            try await withClient(server) { first in
                try await withClient(server) { second in
                    let (one, _) = try await host(first)
                    let (two, _) = try await host(second)
                    try await body(one, two)
                    let lines = try await one.jobs.audit()
                    #expect(isBalanced(lines), "\(lines)")
                    await one.close()
                    await two.close()
                }
            }
        }
    }

    @Test("two hosts that claim at once never get the same job, and together get all")
    func twoHosts() async throws {
        try await withTwo { one, two in
            for number in 0..<120 {
                var new = job(id: "\(number)")
                new.key = "key\(number % 5)"
                try await (number.isMultiple(of: 2) ? one : two).jobs.accept(new, now: at(0))
            }
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                for journal in [one, two] {
                    for _ in 0..<2 {
                        group.addTask {
                            var ids: [String] = []
                            while try await journal.jobs.nextDue(of: ["video"]) != nil {
                                let room = ["video": 4]
                                ids += try await journal.jobs.claim(limit: 4, capacity: room, now: at(1)).map(
                                    \.id
                                )
                            }
                            return ids
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(ids.count == 120 && Set(ids).count == 120)
        }
    }

    @Test("of one key no more begin on all hosts together than may")
    func sharedLimit() async throws {
        try await withTwo { one, two in
            for number in 0..<40 {
                var new = job(id: "\(number)")
                (new.key, new.lane) = ("k", JobLanePolicy(perKey: 2))
                try await one.jobs.accept(new, now: at(0))
            }
            var ended: Set<String> = []
            for _ in 0..<60 where ended.count < 40 {
                async let first = one.jobs.claim(limit: 8, capacity: ["video": 8], now: at(1))
                async let second = two.jobs.claim(limit: 8, capacity: ["video": 8], now: at(1))
                let running = try await first + second
                #expect(running.count <= 2)
                for job in running {
                    let lease = try #require(job.lease)
                    try await two.jobs.complete(job.id, lease: lease, result, now: at(2))
                    #expect(ended.insert(job.id).inserted)
                }
            }
            #expect(ended.count == 40)
        }
    }

    @Test("what a host held that is gone comes to another after its lease, and to itself at its start")
    func lostHost() async throws {
        try await withTwo { one, two in
            for id in ["a", "b"] { try await one.jobs.accept(job(id: id), now: at(0)) }
            let held = try await one.jobs.claim(limit: 1, capacity: ["video": 1], now: at(0))
            let other = try await two.jobs.claim(limit: 1, capacity: ["video": 1], now: at(0))
            #expect(try await two.jobs.renew(["b": try #require(other[0].lease)], now: at(20)).isEmpty)
            #expect(try await two.jobs.rescue(alive: [], now: at(29)).isEmpty)
            #expect(try await two.jobs.rescue(alive: [], now: at(31)).map(\.id) == ["a"])
            let again = try await two.jobs.claim(limit: 1, capacity: ["video": 1], now: at(31))
            #expect(again.map(\.id) == ["a"])
            let late = await #expect(throws: StorageError.self) {
                let lease = try #require(held[0].lease)
                return try await one.jobs.complete("a", lease: lease, result, now: at(32))
            }
            #expect(late?.code == .staleLease)
            // At its start a host takes back what is its own, and nothing else.
            #expect(try await one.recover(now: at(33)).jobs == 0)
            #expect(try await two.recover(now: at(33)).jobs == 2)
        }
    }

    @Test("a host hears at once of what another has accepted, and of how far its job is")
    func feed() async throws {
        try await withTwo { one, two in
            try await one.jobs.accept(job(id: "a"), now: at(0))
            let changed = WakeSignal()
            _ = two.jobs.changes.listen(to: "a", changed)
            var changes = changed.wakes().makeAsyncIterator()
            var due = two.jobs.due.wakes().makeAsyncIterator()
            // The feed is there from the first wake on that it gives.
            two.jobs.due.wake()
            _ = await due.next()
            let claimed = try await one.jobs.claim(limit: 1, capacity: ["video": 1], now: at(1))
            #expect(claimed.count == 1)
            for percent in 1...100 {
                try await one.jobs.progress("a", stage: "frames", percent: percent, now: at(2))
            }
            _ = await changes.next()
            #expect(try await two.jobs.job("a")?.stage == "frames")
            _ = try await one.jobs.cancel("a", now: at(3))
            _ = await due.next()
        }
    }

    @Test("a server that has forgotten the scripts is given them again")
    func forgottenScripts() async throws {
        try await RedisServer.run { server in
            try await withClient(server) { client in
                let (journal, _) = try await host(client)
                for round in 0..<3 {
                    _ = try await client.send(["SCRIPT", "FLUSH"])
                    try await journal.jobs.accept(job(id: "\(round)"), now: at(0))
                    let claimed = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: at(1))
                    #expect(claimed.map(\.id) == ["\(round)"])
                }
                await journal.close()
            }
        }
    }

    /// Has a job accepted by asking until it is, with the same id.
    private func insist(_ journal: HostJournal, _ client: RedisClient, _ id: String) async throws {
        for _ in 0..<50 {
            if (try? await journal.jobs.accept(job(id: id), now: at(0))) != nil { return }
            try? await client.connect()
        }
        throw RedisError(.unavailable, "\(id) was not accepted")
    }

    @Test("connections that are cut again and again lose no job and double none")
    func cutConnections() async throws {
        try await RedisServer.run { server in
            try await withClient(server) { client in
                try await withClient(server) { knife in
                    let (journal, _) = try await host(client)
                    // Few cuts: after each the client waits longer before it connects again.
                    for round in 0..<4 {
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for number in 0..<15 {
                                group.addTask {
                                    try await insist(journal, client, "\(round)-\(number)")
                                }
                            }
                            _ = try await knife.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
                            try await group.waitForAll()
                        }
                    }
                    try? await client.connect()
                    let lines = try await journal.jobs.audit()
                    #expect(isBalanced(lines) && lines.map(\.accepted) == [60], "\(lines)")
                    await journal.close()
                }
            }
        }
    }

    @Test("with the server away accepting says so, and after its restart all is there that was accepted")
    func restart() async throws {
        try await RedisServer.run(persistent: true) { server in
            try await withClient(server) { client in
                let (journal, _) = try await host(client)
                for id in ["a", "b"] { try await journal.jobs.accept(job(id: id), now: at(0)) }
                let scope = IdempotencyScope(function: "video", principal: nil, key: "k")
                #expect(try await journal.idempotency.begin(scope, requestHash: "h", now: at(0)) == .proceed)
                let claimed = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: at(1))
                await server.kill()
                let away = await #expect(throws: StorageError.self) {
                    try await journal.jobs.accept(job(id: "c"), now: at(2))
                }
                #expect(away?.code == .unavailable && away?.functionError.status == 503)
                #expect(away?.functionError.retry == .after(.seconds(1)))
                // A key that could not be freed meanwhile is free to who comes again.
                await #expect(throws: StorageError.self) { try await journal.idempotency.abandon(scope) }
                try await server.start()
                // Each waits for one attempt at a connection.
                for _ in 0..<50 where (try? await client.send(["PING"])) == nil {
                    try? await client.connect()
                }
                #expect(try await journal.idempotency.begin(scope, requestHash: "h", now: at(3)) == .proceed)
                let lease = try #require(claimed.first?.lease)
                try await journal.jobs.complete("a", lease: lease, result, now: at(3))
                #expect(try await journal.jobs.list().map(\.id) == ["b", "a"])
                let lines = try await journal.jobs.audit()
                #expect(isBalanced(lines) && lines.map(\.accepted) == [2], "\(lines)")
                await journal.close()
            }
        }
    }

    @Test("all keys of a journal are in one slot, and none of them expires")
    func slot() async throws {
        try await RedisServer.run { server in
            try await withClient(server) { client in
                let (journal, _) = try await host(client)
                var new = job(id: "a")
                (new.key, new.owner) = ("k", "ann")
                (new.unique, new.expires) = (UniqueWish(key: "u", period: .seconds(9)), at(99))
                try await journal.jobs.accept(new, now: at(0))
                try await journal.jobs.accept(job(id: "b", runAt: at(50)), now: at(0))
                let scope = IdempotencyScope(function: "video", principal: "ann", key: "{other}")
                _ = try await journal.idempotency.begin(scope, requestHash: "h", now: at(0))
                let keys = (try await client.send(["KEYS", "*"]).array ?? []).compactMap(\.text)
                #expect(keys.count > 10 && keys.allSatisfy { $0.hasPrefix("swiftlet:{jobs}:") }, "\(keys)")
                for key in keys { #expect(try await client.send(["TTL", key]).int == -1) }
                await journal.close()
            }
        }
    }
}
