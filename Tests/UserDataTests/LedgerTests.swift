import FunctionCore
import Invocations
import Storage
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct LedgerTests {
    private let workspace = Workspace()

    private func withLedger(_ body: (CreditLedger, ShardMap) async throws -> Void) async throws {
        let shards = try await ShardMap.open(directory: workspace.path)
        let ledger = CreditLedger(shards)
        try await ledger.load()
        try await body(ledger, shards)
        #expect(try await ledger.audit().flatMap(\.problems) == [])
        await shards.close()
    }

    private func job(_ id: String, of user: Int = 7, credits: Int = 3, key: String? = nil) -> PaidJob {
        PaidJob(
            id: id,
            user: user,
            function: "film",
            credits: credits,
            key: key,
            requestHash: "hash of \(key ?? id)",
            job: "{}",
            body: "body"
        )
    }

    @Test("a hold is taken from what is available; a post spends it, a void gives it back")
    func holds() async throws {
        try await withLedger { ledger, _ in
            _ = try await ledger.grant(10, to: 7, id: "g", now: at(0))
            func hold(_ credits: Int, _ id: String) async throws {
                _ = try await ledger.hold(credits, of: 7, for: "film", id: id, expires: nil, now: at(1))
            }
            try await hold(4, "a")
            try await hold(6, "b")
            let refused = await fault { try await hold(1, "c") }
            #expect(refused?.status == 402 && refused?.code == "insufficient_credits")
            #expect(refused?.message.contains("10 are held") == true)
            _ = try await ledger.end("a", of: 7, .post, id: "a:end", now: at(2))
            _ = try await ledger.end("b", of: 7, .void, id: "b:end", now: at(2))
            let (balance, transfers) = try await ledger.statement(of: 7, limit: 10)
            #expect(balance == CreditBalance(posted: 6, held: 0))
            #expect(transfers.map(\.kind) == [.void, .post, .hold, .hold, .grant])
        }
    }

    @Test("the same id answers as the first time, and is refused with other content")
    func sameID() async throws {
        try await withLedger { ledger, _ in
            let first = try await ledger.grant(10, to: 7, id: "g", now: at(0))
            #expect(try await ledger.grant(10, to: 7, id: "g", now: at(9)) == first)
            for (credits, user) in [(11, 7), (10, 8)] {
                let error = await fault {
                    _ = try await ledger.grant(credits, to: user, id: "g", now: at(9))
                }
                #expect(error?.code == "transfer_conflict" && error?.status == 409)
            }
            let hold = try await ledger.hold(3, of: 7, for: "film", id: "h", expires: at(50), now: at(1))
            #expect(
                try await ledger.hold(3, of: 7, for: "film", id: "h", expires: at(50), now: at(2)) == hold
            )
            let post = try await ledger.end("h", of: 7, .post, id: "e", now: at(3))
            #expect(try await ledger.end("h", of: 7, .post, id: "e", now: at(4)) == post)
            let other = await fault { _ = try await ledger.end("h", of: 7, .void, id: "v", now: at(4)) }
            #expect(other?.code == "hold_ended")
            let conflict = await fault { _ = try await ledger.end("h", of: 7, .void, id: "e", now: at(4)) }
            #expect(conflict?.code == "transfer_conflict")
            let none = await fault { _ = try await ledger.end("none", of: 7, .post, id: "n", now: at(4)) }
            #expect(none?.status == 404)
            #expect(try await ledger.statement(of: 7, limit: 9).balance == CreditBalance(posted: 7, held: 0))
        }
    }

    @Test(
        "no row is ever changed, removed or replaced, and none is added that does not follow",
        arguments: [
            "UPDATE ledger_transfers SET credits = 1",
            "DELETE FROM ledger_transfers",
            "UPDATE ledger_entries SET posted = 1",
            "DELETE FROM ledger_entries",
            """
            INSERT OR REPLACE INTO ledger_transfers (id, kind, user, account, credits, created, total)
            VALUES ('grant:g', 'grant', 7, 'grants', 1000, 0, 0)
            """,
            """
            INSERT OR REPLACE INTO ledger_entries
            (seq, transfer, account, posted, held, posted_balance, held_balance)
            VALUES (1, 1, 'user:7', 1000, 0, 1000, 0)
            """,
            """
            INSERT INTO ledger_entries (transfer, account, posted, held, posted_balance, held_balance)
            VALUES (1, 'user:7', 5, 0, 5, 0)
            """,
            """
            INSERT INTO ledger_entries (transfer, account, posted, held, posted_balance, held_balance)
            VALUES (1, 'user:7', -11, 0, -1, 0)
            """,
            """
            INSERT INTO ledger_entries (transfer, account, posted, held, posted_balance, held_balance)
            VALUES (1, 'user:7', 0, 11, 10, 11)
            """,
        ]
    )
    func appendOnly(_ sql: String) async throws {
        try await withLedger { ledger, shards in
            _ = try await ledger.grant(10, to: 7, id: "g", now: at(0))
            await #expect(throws: StorageError.self) {
                try await shards.use(ShardPlace(user: 7)) { file in
                    try await file.write { _ = try $0.run(sql) }
                }
            }
        }
    }

    @Test("of ten concurrent jobs of three credits on a balance of three, one is accepted")
    func concurrent() async throws {
        try await withLedger { ledger, _ in
            _ = try await ledger.grant(3, to: 7, id: "g", now: at(0))
            let refusals = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        await fault { _ = try await ledger.accept(self.job("j\(number)"), now: at(1)) }?
                            .status
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(refusals.filter { $0 == nil }.count == 1)
            #expect(refusals.filter { $0 == 402 }.count == 9)
            #expect(try await ledger.pendingJobs(limit: 20).count == 1)
        }
    }

    @Test("a key stands for its job for a day: the same request finds it, another is refused")
    func keys() async throws {
        try await withLedger { ledger, _ in
            _ = try await ledger.grant(30, to: 7, id: "g", now: at(0))
            #expect(try await ledger.accept(job("a", key: "k"), now: at(1)) == nil)
            #expect(try await ledger.accept(job("b", key: "k"), now: at(2)) == "a")
            var other = job("c", key: "k")
            other.requestHash = "another"
            let error = await fault { _ = try await ledger.accept(other, now: at(3)) }
            #expect(error?.code == "idempotency_mismatch" && error?.status == 422)
            #expect(try await ledger.accept(other, now: at(24 * 3600 + 2)) == nil)
            #expect(try await ledger.statement(of: 7, limit: 9).balance == CreditBalance(posted: 30, held: 6))
        }
    }

    @Test("a hold whose time is over is given back, but not while no journal has its job")
    func expiry() async throws {
        try await withLedger { ledger, _ in
            _ = try await ledger.grant(10, to: 7, id: "g", now: at(0))
            _ = try await ledger.hold(2, of: 7, for: "film", id: "h", expires: at(50), now: at(1))
            _ = try await ledger.accept(job("a"), now: at(1))
            #expect(try await ledger.expire(now: at(49)) == 0)
            #expect(try await ledger.expire(now: at(50)) == 1)
            let late = at(1) + PaidJob.holdExpiry
            #expect(try await ledger.expire(now: late) == 0)
            try await ledger.markJournaled(try await ledger.pendingJobs(limit: 9), now: at(60))
        }
        try await withLedger { ledger, _ in
            let late = at(1) + PaidJob.holdExpiry
            let expired = try await ledger.expire(now: late)
            #expect(expired == 1)
            // The job's own end comes too late, and says so.
            #expect(try await ledger.settle(job: "a", of: 7, succeeded: true, now: late).kind == .expire)
            #expect(try await ledger.statement(of: 7, limit: 9).balance == CreditBalance(posted: 10, held: 0))
        }
    }
}
