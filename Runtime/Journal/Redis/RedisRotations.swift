import FunctionCore
import RedisTrigger
import Storage

/// Rotations in Redis: of the hosts that share it, the one whose name stands in the lease lets the windows take turns.
///
/// The lease ends by the server's clock, and a holder stops earlier by its own: it counts from before it asked.
final class RedisRotations: RotationBook {
    let lease: Duration?
    private let client: RedisClient
    private let keys: RedisJobKeys

    init(_ client: RedisClient, _ keys: RedisJobKeys, lease: Duration) {
        self.client = client
        self.lease = lease
        self.keys = keys
    }

    private static let taking = RedisScript(
        """
        local holder = redis.call('GET', ARGV[1])
        if holder and holder ~= ARGV[2] then return 0 end
        redis.call('SET', ARGV[1], ARGV[2], 'PX', ARGV[3])
        return holder and 1 or 2
        """
    )

    private static let releasing = RedisScript(
        """
        if redis.call('GET', ARGV[1]) == ARGV[2] then redis.call('DEL', ARGV[1]) end
        return 1
        """
    )

    /// The row is left out where it is the last one already: a call whose reply was lost is sent again.
    private static let recording = RedisScript(
        """
        if redis.call('GET', ARGV[1]) ~= ARGV[2] then return 0 end
        redis.call('SET', ARGV[3], ARGV[4])
        if redis.call('LINDEX', ARGV[5], -1) ~= ARGV[6] then redis.call('RPUSH', ARGV[5], ARGV[6]) end
        redis.call('LTRIM', ARGV[5], -tonumber(ARGV[7]), -1)
        return 1
        """
    )

    func hold(_ rotation: String) async throws -> RotationHold {
        let milliseconds = (lease ?? .zero).nanoseconds / 1_000_000
        let answer = try await call(
            RedisRotations.taking,
            [keys.rotationLease(rotation), Bytes(keys.host), Bytes("\(milliseconds)")]
        )
        return answer == 0 ? .elsewhere : .mine(isNew: answer == 2)
    }

    func release(_ rotation: String) async {
        // Where Redis is away the lease ends by itself.
        _ = try? await call(
            RedisRotations.releasing,
            [keys.rotationLease(rotation), Bytes(keys.host)]
        )
    }

    func state(of rotation: String) async throws -> String? {
        try await client.ask([["GET", keys.rotationState(rotation)]]).first?.bytes?.text
    }

    func record(_ rotation: String, _ state: String, _ row: RotationRow) async throws -> Bool {
        let answer = try await call(
            RedisRotations.recording,
            [
                keys.rotationLease(rotation), Bytes(keys.host), keys.rotationState(rotation), Bytes(state),
                keys.rotationLog(rotation), Bytes(row.text), Bytes("\(RotationRow.kept)"),
            ]
        )
        return answer == 1
    }

    func rows(of rotation: String, limit: Int) async throws -> [RotationRow] {
        let command = ["LRANGE", keys.rotationLog(rotation), Bytes("-\(limit)"), "-1"]
        guard case .array(let rows)? = try await client.ask([command]).first else { return [] }
        return rows.compactMap { $0.bytes.flatMap { RotationRow(text: $0.text) } }
    }

    private func call(_ script: RedisScript, _ arguments: [Bytes]) async throws -> Int64 {
        guard case .integer(let answer)? = try await script.call(client, keys.base, [arguments]).first else {
            throw StorageError(.failed, "the journal's Redis: a script of the rotations has no answer")
        }
        return answer
    }
}

extension RotationRow {
    fileprivate var text: String {
        let numbers = [at, opens, hardStop].map { String($0.nanoseconds) }
        return ([kind, window, String(token)] + numbers + [reason ?? ""]).joined(separator: ",")
    }

    fileprivate init?(text: String) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 7, let token = UInt64(fields[2]), let at = Int64(fields[3]),
            let opens = Int64(fields[4]), let hardStop = Int64(fields[5])
        else { return nil }
        self.init(
            kind: String(fields[0]),
            window: String(fields[1]),
            token: token,
            at: Instant(nanoseconds: at),
            opens: Instant(nanoseconds: opens),
            hardStop: Instant(nanoseconds: hardStop),
            reason: fields[6].isEmpty ? nil : String(fields[6])
        )
    }
}
