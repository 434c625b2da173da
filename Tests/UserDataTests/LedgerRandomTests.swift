import FunctionCore
import Invocations
import Seeds
import Testing
import TestSupport
import UserData

/// What a ledger has to come to, kept the simplest way.
private struct Model {
    struct Hold {
        var user: Int
        var credits: Int
        var end: (kind: LedgerTransfer.Kind, id: String)?
    }

    var posted: [Int: Int] = [:]
    var grants: [String: (user: Int, credits: Int)] = [:]
    var holds: [String: Hold] = [:]
    var ends: [String: (hold: String, kind: LedgerTransfer.Kind)] = [:]

    func held(_ user: Int) -> Int {
        holds.values.filter { $0.user == user && $0.end == nil }.reduce(0) { $0 + $1.credits }
    }

    mutating func grant(_ id: String, _ user: Int, _ credits: Int) -> Int {
        if let known = grants[id] { return known == (user, credits) ? 200 : 409 }
        grants[id] = (user, credits)
        posted[user, default: 0] += credits
        return 200
    }

    mutating func hold(_ id: String, _ user: Int, _ credits: Int) -> Int {
        if let known = holds[id] { return (known.user, known.credits) == (user, credits) ? 200 : 409 }
        if ends[id] != nil { return 409 }
        guard (posted[user] ?? 0) - held(user) >= credits else { return 402 }
        holds[id] = Hold(user: user, credits: credits)
        return 200
    }

    mutating func end(_ id: String, _ hold: String, _ user: Int, _ kind: LedgerTransfer.Kind) -> Int {
        guard let known = holds[hold] else { return 404 }
        if holds[id] != nil { return 409 }
        if let same = ends[id] { return same == (hold, kind) ? 200 : 409 }
        guard known.end == nil else { return 409 }
        holds[hold]?.end = (kind, id)
        ends[id] = (hold, kind)
        if kind == .post { posted[known.user, default: 0] -= known.credits }
        return 200
    }

    func total(_ kind: LedgerTransfer.Kind) -> Int {
        switch kind {
        case .grant: grants.values.reduce(0) { $0 + $1.credits }
        case .hold: holds.values.reduce(0) { $0 + $1.credits }
        case .post, .void, .expire: holds.values.filter { $0.end?.kind == kind }.reduce(0) { $0 + $1.credits }
        }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct LedgerRandomTests {
    /// Two users of one shard, and one of another.
    private static let users = [7, 8, 1007]

    @Test("random sequences come to what a simple model comes to, also over restarts", arguments: 1...12)
    func sequence(_ seed: UInt64) async throws {
        var random = SeededRandom(seed)
        var model = Model()
        let workspace = Workspace()
        for _ in 0..<4 {
            let shards = try await ShardMap.open(directory: workspace.path)
            let ledger = CreditLedger(shards)
            try await ledger.load()
            for step in 0..<60 {
                try await self.step(&random, &model, ledger, at(Int64(step)))
            }
            for user in Self.users {
                let balance = try await ledger.statement(of: user, limit: 1).balance
                let expected = CreditBalance(posted: model.posted[user] ?? 0, held: model.held(user))
                #expect(balance == expected, "user \(user), seed \(seed)")
            }
            for kind in LedgerTransfer.Kind.allCases {
                let total = ledger.totals.filter { $0.kind == kind }.reduce(0) { $0 + $1.credits }
                #expect(total == model.total(kind), "\(kind), seed \(seed)")
            }
            #expect(try await ledger.audit().flatMap(\.problems) == [], "seed \(seed)")
            await shards.close()
        }
    }

    /// One call with ids that are often the same, checked against the model's answer.
    private func step(
        _ random: inout SeededRandom,
        _ model: inout Model,
        _ ledger: CreditLedger,
        _ now: Instant
    ) async throws {
        let user = Self.users.randomElement(using: &random) ?? 7
        let credits = Int.random(in: 1...4, using: &random)
        // An id belongs to a shard; the model knows none, so that each has its own.
        let shard = (user - 1) / 1000
        let hold = "\(shard)-h\(Int.random(in: 0..<40, using: &random))"
        let end = "\(shard)-e\(Int.random(in: 0..<40, using: &random))"
        let expected: Int
        let call: () async throws -> LedgerTransfer
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            let id = "\(shard)-g\(Int.random(in: 0..<30, using: &random))"
            expected = model.grant(id, user, credits)
            call = { try await ledger.grant(credits, to: user, id: id, now: now) }
        case 2...5:
            let id = Int.random(in: 0..<12, using: &random) == 0 ? end : hold
            expected = model.hold(id, user, credits)
            call = {
                try await ledger.hold(credits, of: user, for: "film", id: id, expires: nil, now: now)
            }
        default:
            let kind = [LedgerTransfer.Kind.post, .void, .expire].randomElement(using: &random) ?? .post
            expected = model.end(end, hold, user, kind)
            call = { try await ledger.end(hold, of: user, kind, id: end, now: now) }
        }
        let error = await fault { _ = try await call() }
        #expect((error?.status ?? 200) == expected, "\(error?.description ?? "done")")
    }
}
