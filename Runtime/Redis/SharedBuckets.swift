import FunctionCore
import Invocations
import NIOCore

/// Token buckets that hosts share: one script takes all of a request's tokens, or none, by the server's
/// clock.
///
/// A bucket is the instant at which it is full again, and expires then: a key that is gone and a full bucket
/// are the same thing, so that no expiry decides anything.
package struct SharedBuckets: Sendable {
    private let client: RedisClient
    private let prefix: Bytes

    /// A server that takes longer is as good as away: every request waits for it.
    private static let patience = Duration.milliseconds(250)

    /// Takes all tokens or none.
    ///
    /// Keys: the buckets. Arguments: of each, the interval between tokens in microseconds and the burst.
    /// Replies whether the tokens were taken, then of each bucket the microseconds until it is full. A clock
    /// that was put back leaves no bucket emptier than empty.
    private static let script: Bytes = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local full, admitted = {}, 1
        for i = 1, #KEYS do
            local interval = tonumber(ARGV[2 * i - 1])
            local capacity = interval * tonumber(ARGV[2 * i])
            local at = tonumber(redis.call('GET', KEYS[i]) or 0)
            full[i] = math.min(math.max(at, now), now + capacity)
            if full[i] + interval - now > capacity then admitted = 0 end
        end
        local reply = {admitted}
        for i = 1, #KEYS do
            if admitted == 1 then
                full[i] = full[i] + tonumber(ARGV[2 * i - 1])
                local life = math.ceil((full[i] - now) / 1000)
                redis.call('SET', KEYS[i], string.format('%.0f', full[i]), 'PX', life)
            end
            reply[i + 1] = full[i] - now
        end
        return reply
        """

    package init(client: RedisClient, prefix: String = "rate:") {
        self.client = client
        self.prefix = Bytes(prefix)
    }

    /// Asks the server; nil where it does not answer in time.
    ///
    /// `done` is called on the client's loop, once.
    package func take(_ claims: [RateClaim], _ done: @escaping @Sendable (RateVerdict?) -> Void) {
        var command: [Bytes] = ["EVAL", SharedBuckets.script, Bytes(String(claims.count))]
        command += claims.map { Bytes(prefix.array + Array($0.bucket.utf8)) }
        for claim in claims {
            command += [Bytes(String(claim.rule.interval)), Bytes(String(claim.rule.burst))]
        }
        let words = command
        if client.eventLoop.inEventLoop {
            ask(words, claims, done)
        } else {
            client.eventLoop.execute { ask(words, claims, done) }
        }
    }

    private func ask(
        _ command: [Bytes],
        _ claims: [RateClaim],
        _ done: @escaping @Sendable (RateVerdict?) -> Void
    ) {
        client.submit(command, timeout: SharedBuckets.patience) { result in
            guard case .success(let reply) = result, let parts = reply.array,
                parts.count == claims.count + 1, let admitted = parts[0].int
            else { return done(nil) }
            let standings = zip(claims, parts.dropFirst()).map { claim, lead in
                claim.rule.standing(lead: Int64(lead.int ?? 0))
            }
            done(RateVerdict(standings: standings, isAdmitted: admitted == 1))
        }
    }
}
