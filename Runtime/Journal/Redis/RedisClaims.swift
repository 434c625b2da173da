import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// Claims in Redis: what is open is read, `ClaimRules` choose, and of each lane all is written or nothing.
///
/// A lane's turn guards it: where another host has claimed of it meanwhile, it is read again.
extension RedisJobs {
    /// A lane, and its turn as it was read.
    private struct Found {
        var function: String
        var lane: OpenLane
        var turn: Bytes
    }

    private struct Candidate {
        /// As it was read.
        var stored: StoredJob
        /// As it begins.
        var job: JobRecord
        var lane: Int
    }

    /// How often a claim that found every lane taken from looks again; the runner comes back by itself.
    private static let claimRounds = 8

    package func claim(limit: Int, capacity: [String: Int], now: Instant) async throws -> [JobRecord] {
        let open = capacity.filter { $0.value > 0 }
        guard limit > 0, !open.isEmpty else { return [] }
        for _ in 0..<RedisJobs.claimRounds {
            let found = try await lanes(open, limit: limit, now: now)
            if found.isEmpty { return [] }
            let (claimed, isContended) = try await claim(found, open, limit: limit, now: now)
            for job in claimed { changes.changed(job.id) }
            if !claimed.isEmpty || !isContended { return claimed.sorted(by: ClaimRules.isBefore) }
        }
        return []
    }

    /// The lanes of which something may begin, of each function in their order.
    private func lanes(_ open: [String: Int], limit: Int, now: Instant) async throws -> [[Found]] {
        let functions = open.keys.sorted()
        let words = functions.flatMap { [Bytes($0), Bytes("\(min(open[$0] ?? 0, limit))")] }
        let arguments = [Bytes("\(now.microseconds)")] + words
        let reply = try await RedisJobScripts.prepare.call(client, keys.base, [arguments]).first
        return (reply?.array ?? []).map { part in
            let function = part.array?.first?.text ?? ""
            return (part.array ?? []).dropFirst().compactMap { lane in
                let words = (lane.array ?? []).map(\.bytes)
                guard words.count == 8, let key = words[0]?.text, let turn = words[2] else { return nil }
                func number(_ index: Int) -> Int64? { words[index].flatMap { Int64($0.text) } }
                var found = OpenLane(
                    key: key,
                    head: 9 - Int(number(1) ?? 9),
                    held: Int(number(3) ?? 0),
                    perKey: number(4).map { Int($0) },
                    bucket: TokenBucket(fullAt: number(7) ?? 0)
                )
                if let interval = number(5), let burst = number(6) {
                    found.rate = BucketRule(interval: interval, burst: burst)
                }
                return Found(function: function, lane: found, turn: turn)
            }
        }
    }

    private func claim(
        _ functions: [[Found]],
        _ open: [String: Int],
        limit: Int,
        now: Instant
    ) async throws -> ([JobRecord], isContended: Bool) {
        var (useful, shares): ([Found], [Int]) = ([], [])
        var commits: [RedisCommit] = []
        for lanes in functions {
            let room = min(open[lanes[0].function] ?? 0, limit)
            for (found, (lane, most)) in zip(
                lanes,
                ClaimRules.shares(lanes.map(\.lane), room: room, now: now)
            ) {
                if most > 0 {
                    useful.append(found)
                    shares.append(most)
                } else {
                    commits.append(rest(found, lane, now: now))
                }
            }
        }
        let candidates = try await heads(useful, shares, now: now)
        let next = candidates.sorted { ClaimRules.isBefore($0.job, $1.job) }.prefix(limit)
        var claimed: [[JobRecord]] = []
        var claims: [RedisCommit] = []
        for (index, part) in Dictionary(grouping: next, by: \.lane) {
            let begun = try part.map { candidate in
                var change = try JobChange.begin(candidate.job, now: now)
                change.before = candidate.stored.record
                return (change, candidate.stored.version)
            }
            claimed.append(begun.map(\.0.job))
            claims.append(begin(begun, of: useful[index], now: now))
        }
        let verdicts = try await commit(claims + commits)
        let done = zip(claimed, verdicts).flatMap { $1.isDone ? $0 : [] }
        return (done, next.isEmpty || !verdicts.allSatisfy(\.isDone))
    }

    /// The first jobs of lanes, which may begin.
    private func heads(_ lanes: [Found], _ shares: [Int], now: Instant) async throws -> [Candidate] {
        guard !lanes.isEmpty else { return [] }
        let arguments = zip(lanes, shares).flatMap { found, most in
            [keys.ready(found.function, found.lane.key), Bytes("\(9 - found.lane.head)"), Bytes("\(most)")]
        }
        let reply = try await RedisJobScripts.heads.call(client, keys.base, [arguments]).first
        return try (reply?.array ?? []).enumerated().flatMap { index, jobs in
            try (jobs.array ?? []).compactMap { job in
                guard let stored = try RedisJobCodec.job(all: job),
                    let begun = ClaimRules.beginning(stored.record, now: now)
                else { return nil }
                return Candidate(stored: stored, job: begun, lane: index)
            }
        }
    }

    /// Begins the attempts of one lane, and reckons with it.
    private func begin(
        _ begun: [(change: JobChange, version: Int64)],
        of found: Found,
        now: Instant
    ) -> RedisCommit {
        var commit = guarded(found, now: now)
        for (change, version) in begun {
            commit.store(change, version: version, lane: false)
            commit.add(["HSET", keys.job(change.job.id), "host", Bytes(keys.host)])
        }
        commit.serve(found.function, found.lane, count: begun.count, now: now)
        commit.settle(found.function, found.lane.key, LaneWeight(held: begun.count))
        return commit
    }

    /// Lets a lane rest that has no room after all, as after a change of its policy.
    private func rest(_ found: Found, _ lane: OpenLane, now: Instant) -> RedisCommit {
        var commit = guarded(found, now: now)
        commit.serve(found.function, lane, count: 0, now: now)
        commit.settle(found.function, lane.key, LaneWeight())
        return commit
    }

    private func guarded(_ found: Found, now: Instant) -> RedisCommit {
        var commit = RedisCommit(keys, now: now)
        commit.require(keys.lane(found.function, found.lane.key), "turn", is: found.turn)
        return commit
    }

    package func nextDue(of functions: [String]) async throws -> Instant? {
        let first: [[Bytes]] = [
            ["ZRANGE", keys.expiring, "0", "0", "WITHSCORES"]
        ]
        let others = functions.flatMap { function -> [[Bytes]] in
            [
                ["ZRANGE", keys.open(function), "0", "0"],
                ["ZRANGE", keys.later(function), "0", "0", "WITHSCORES"],
                ["ZRANGE", keys.resting(function), "0", "0", "WITHSCORES"],
            ]
        }
        let instants = try await ask(first + others).compactMap { reply -> Instant? in
            guard let words = reply.array, !words.isEmpty else { return nil }
            guard words.count == 2 else { return Instant(nanoseconds: 0) }
            return words[1].text.flatMap { Double($0) }.map { Instant(nanoseconds: Int64($0) * 1000) }
        }
        return instants.min()
    }
}
