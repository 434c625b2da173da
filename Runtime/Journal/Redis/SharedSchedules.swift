import FunctionCore
import Glibc
import RedisTrigger
import Storage

/// What hosts that share a Redis tell each other of their schedules: which are paused, and how many runs there
/// were of those that have so many in all.
///
/// Each host decides by itself, also while Redis is away; what another one said counts from when it is heard,
/// within milliseconds while both are connected.
package final class SharedSchedules: Sendable {
    /// An entry that has so many runs in all, and how many of them its host knows of.
    package struct Counted: Sendable {
        package var schedule: String
        package var runs: Int

        package init(schedule: String, runs: Int) {
            self.schedule = schedule
            self.runs = runs
        }
    }

    private let client: RedisClient
    private let keys: RedisJobKeys

    /// Whose account of what became of a time this host gives: every host decides, and notes, by itself.
    package let account: String

    init(_ client: RedisClient, _ keys: RedisJobKeys, account: String) {
        self.client = client
        self.keys = keys
        self.account = account
    }

    /// The machine's name and the data directory.
    static func account(_ directory: String) -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return directory }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + ":\(directory)"
    }

    /// `ARGV`: the key of what changes, that of the version, the feed, this host, and a command.
    private static let telling = RedisScript(
        """
        local changed
        if ARGV[5] == 'ran' then changed = redis.call('SADD', ARGV[1], ARGV[6])
        elseif ARGV[5] == 'offer' then changed = redis.call('HSETNX', ARGV[1], ARGV[6], ARGV[7])
        else changed = redis.call('HSET', ARGV[1], ARGV[6], ARGV[7]) + 1 end
        if changed > 0 then
            redis.call('INCR', ARGV[2])
            redis.call('PUBLISH', ARGV[3], 'schedules ' .. ARGV[4] .. ' -')
        end
        return changed
        """
    )

    /// What a host knows of before anybody counted is where the count begins.
    private static let counting = RedisScript(
        """
        local ran = redis.call('SCARD', ARGV[1])
        redis.call('HSETNX', ARGV[2], ARGV[3], math.max(tonumber(ARGV[4]) - ran, 0))
        return redis.call('HGET', ARGV[2], ARGV[3]) + ran
        """
    )

    /// Grows with each change.
    package func version() async throws -> Int64 {
        let answer = try await client.ask([["GET", keys.scheduleVersion]]).first?.bytes
        return answer.flatMap { Int64($0.text) } ?? 0
    }

    /// The note of each schedule of which anybody said whether it is paused; an empty one where it goes on.
    package func pauses() async throws -> [String: String] {
        guard case .array(let fields)? = try await client.ask([["HGETALL", keys.schedulePauses]]).first else {
            return [:]
        }
        let texts = fields.map { $0.bytes?.text ?? "" }
        let pairs = stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) }
        return Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }

    /// Says that a schedule is paused, or with nil that it goes on.
    package func setPause(_ schedule: String, _ note: String?) async throws {
        try await tell(keys.schedulePauses, ["pause", Bytes(schedule), Bytes(note ?? "")])
    }

    /// Says that a schedule is paused, where nobody has said anything yet.
    package func offerPause(_ schedule: String, _ note: String) async throws {
        try await tell(keys.schedulePauses, ["offer", Bytes(schedule), Bytes(note)])
    }

    /// Counts a run, by its job: the same one once, whoever tells it and however often.
    package func ran(_ schedule: String, job: String) async throws {
        try await tell(keys.scheduleRuns(schedule), ["ran", Bytes(job)])
    }

    /// How many runs there were on all hosts, of each schedule.
    package func runs(of entries: [Counted]) async throws -> [Int] {
        let calls: [[Bytes]] = entries.map { entry in
            let id = entry.schedule
            return [keys.scheduleRuns(id), keys.scheduleBase, Bytes(id), Bytes("\(entry.runs)")]
        }
        return try await SharedSchedules.counting.call(client, keys.base, calls).map { answer in
            guard case .integer(let count) = answer else {
                throw StorageError(.failed, "the journal's Redis: a schedule's count has no answer")
            }
            return Int(count)
        }
    }

    private func tell(_ key: Bytes, _ arguments: [Bytes]) async throws {
        let call = [key, keys.scheduleVersion, keys.feed, Bytes(keys.host)] + arguments
        _ = try await SharedSchedules.telling.call(client, keys.base, [call])
    }
}
