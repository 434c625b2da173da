import FunctionCore
import Invocations
import RedisTrigger
import Storage

extension RedisJobs {
    package func job(_ id: String) async throws -> JobRecord? {
        try RedisJobCodec.job(all: try await ask(["HGETALL", keys.job(id)]))?.record
    }

    /// Reads the sets that the filter names from their ends, and looks at each job for what no set is by.
    package func list(_ filter: JobFilter) async throws -> [JobRecord] {
        let sets = try await sets(filter)
        var before = filter.before.map { "(\($0)" } ?? "+inf"
        var found: [JobRecord] = []
        while !sets.isEmpty {
            let limit = Bytes("\(filter.limit)")
            let replies = try await ask(
                sets.map {
                    [
                        "ZRANGE", $0, Bytes(before), "-inf", "BYSCORE", "REV", "LIMIT", "0", limit,
                        "WITHSCORES",
                    ]
                }
            )
            let pairs = replies.flatMap { reply -> [(id: String, number: Int64)] in
                let words = (reply.array ?? []).compactMap(\.text)
                return stride(from: 0, to: words.count - 1, by: 2).map {
                    (words[$0], Int64(Double(words[$0 + 1]) ?? 0))
                }
            }
            let page = pairs.sorted { $0.number > $1.number }.prefix(filter.limit)
            guard let last = page.last else { break }
            found += try await light(page.map(\.id)).compactMap { $0?.record }.filter(filter.names)
            if found.count >= filter.limit { break }
            before = "(\(last.number)"
        }
        return Array(found.prefix(filter.limit))
    }

    private func sets(_ filter: JobFilter) async throws -> [Bytes] {
        if let owner = filter.owner { return [keys.owner(owner)] }
        let functions = if let one = filter.function { [one] } else { try await functions() }
        let states = filter.states.isEmpty ? JobState.allCases : filter.states
        return functions.flatMap { function in states.map { keys.jobs(function, $0) } }
    }

    private func functions() async throws -> [String] {
        (try await ask(["SMEMBERS", keys.functions]).array ?? []).compactMap(\.text).sorted()
    }

    package func missing(_ ids: [String]) async throws -> [String] {
        zip(ids, try await ask(ids.map { ["EXISTS", keys.job($0)] })).filter { $1.int == 0 }.map(\.0)
    }

    package func attempts(of job: JobRecord) async throws -> [JobAttempt] {
        let rows = try await ask(["LRANGE", keys.attempts(job.id), "0", "-1"]).array ?? []
        return try rows.compactMap(\.bytes).map(RedisJobCodec.attempt)
    }

    package func counts() async throws -> [JobCount] {
        let numbers = RedisCounts(try await ask(["HGETALL", keys.counts]))
        return try await functions().flatMap { function in
            JobState.allCases.sorted { $0.rawValue < $1.rawValue }.compactMap { state in
                let count = JobCount(
                    function: function,
                    state: state,
                    present: numbers["present", state, function],
                    ever: numbers["ever", state, function],
                    pruned: numbers["pruned", state, function]
                )
                return count.ever == 0 ? nil : count
            }
        }
    }

    // MARK: What is to be stepped on

    package func leased(until: Instant) async throws -> [String] {
        try await ids(["ZRANGE", keys.running, "-inf", until.score, "BYSCORE"])
    }

    package func leftBehind() async throws -> [String] {
        let running = try await ids(["ZRANGE", keys.running, "0", "-1"])
        let hosts = try await ask(running.map { ["HGET", keys.job($0), "host"] }).map(\.text)
        return zip(running, hosts).filter { $1 == keys.host }.map(\.0)
    }

    package func expiring(by now: Instant) async throws -> [String] {
        try await ids(["ZRANGE", keys.expiring, "-inf", now.score, "BYSCORE", "LIMIT", "0", "256"])
    }

    package func ended(before horizon: Instant?, limit: Int) async throws -> [String] {
        let most = horizon.map { Bytes("(\($0.score.text)") } ?? "+inf"
        return try await ids(["ZRANGE", keys.ended, "-inf", most, "BYSCORE", "LIMIT", "0", Bytes("\(limit)")])
    }

    private func ids(_ command: [Bytes]) async throws -> [String] {
        (try await ask(command).array ?? []).compactMap(\.text)
    }

    /// A unique job's key goes with the job.
    package func tidy(now: Instant) async throws {
        let names = try await ids(["ZRANGE", keys.spent, "-inf", Bytes("\(now.microseconds)"), "BYSCORE"])
        let commits = names.map { name -> RedisCommit in
            var commit = RedisCommit(keys, now: now)
            commit.add(["ZREM", keys.spent, Bytes(name)])
            let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            commit.settle(String(parts[0]), parts.count > 1 ? String(parts[1]) : "", LaneWeight())
            return commit
        }
        _ = try await commit(commits)
    }
}

extension JobFilter {
    /// Whether a job is one of those, also by what no index knows.
    fileprivate func names(_ job: JobRecord) -> Bool {
        (function == nil || job.function == function) && (owner == nil || job.owner == owner)
            && (states.isEmpty || states.contains(job.state))
            && (errorCode == nil || job.error?.code == errorCode)
            && (from.map { job.updated >= $0 } ?? true) && (until.map { job.updated < $0 } ?? true)
    }
}

/// The counters, by what they count.
struct RedisCounts {
    private let numbers: [Bytes: Bytes]

    init(_ reply: RedisValue) {
        numbers = RedisJobCodec.table(reply)
    }

    subscript(_ name: String) -> Int { numbers[Bytes(name)].flatMap { Int($0.text) } ?? 0 }

    subscript(_ what: String, _ state: JobState, _ function: String) -> Int {
        self["\(what):\(state.rawValue):\(function)"]
    }
}
