import FunctionCore

extension Manifest {
    /// How often a function may be asked for over HTTP, by one caller or by all.
    package struct RateLimit: Sendable, Hashable {
        /// Whose requests are counted together.
        package enum Partition: Sendable, Hashable {
            case function
            /// The principal; requests without one count together.
            case user
            /// The client's address; of IPv6 its /64.
            case address
            /// The value of a header, such as an API key; requests without it count together.
            case key(header: String)

            /// The word in the manifest, in messages and as a metric's label.
            package var label: String {
                switch self {
                case .function: "function"
                case .user: "user"
                case .address: "address"
                case .key: "key"
                }
            }
        }

        package var per: Partition
        /// So many requests in each `window`, over time.
        package var count: Int
        package var window: Duration
        /// So many at once, after a rest.
        package var burst: Int
        package var line: Int

        package init(per: Partition, count: Int, window: Duration, burst: Int, line: Int = 0) {
            self.per = per
            self.count = count
            self.window = window
            self.burst = burst
            self.line = line
        }

        /// The bucket's measures.
        package var rule: BucketRule {
            BucketRule(interval: window.nanoseconds / 1000 / Int64(count), burst: Int64(burst))
        }
    }
}

/// The measures of a token bucket, in whole microseconds, so that a host and Redis reckon alike.
package struct BucketRule: Sendable, Hashable {
    /// From one token to the next.
    package let interval: Int64
    /// Tokens in a full bucket.
    package let burst: Int64

    /// `interval` from 100 µs, `burst` from 1; both small enough that a full bucket stays below 2^52 µs.
    package init(interval: Int64, burst: Int64) {
        self.interval = max(1, interval)
        self.burst = max(1, burst)
    }

    /// How long an empty bucket takes to fill.
    package var capacity: Int64 { interval * burst }

    /// How a bucket stands that is full after `lead` microseconds.
    package func standing(lead: Int64) -> BucketStanding {
        let missing = max(0, lead)
        return BucketStanding(
            remaining: Int(max(0, (capacity - missing) / interval)),
            retryAfter: max(0, missing + interval - capacity),
            fullAfter: missing
        )
    }
}

/// How a bucket stands.
package struct BucketStanding: Sendable, Hashable {
    /// Whole tokens that are left.
    package var remaining: Int
    /// Microseconds until there is a token; 0 where there is one.
    package var retryAfter: Int64
    /// Microseconds until the bucket is full.
    package var fullAfter: Int64
}

/// A token bucket, kept as the one instant at which it is full again (the generic cell rate algorithm): as
/// exact as a count of tokens, and without anything to refill.
package struct TokenBucket: Sendable, Hashable {
    /// In microseconds on the caller's clock.
    package private(set) var fullAt: Int64

    /// A full bucket.
    package init(fullAt: Int64 = .min) {
        self.fullAt = fullAt
    }

    package func isFull(at now: Int64) -> Bool { fullAt <= now }

    package func standing(_ rule: BucketRule, at now: Int64) -> BucketStanding {
        rule.standing(lead: isFull(at: now) ? 0 : fullAt - now)
    }

    /// Takes a token out, if there is one.
    package mutating func take(_ rule: BucketRule, at now: Int64) -> Bool {
        guard standing(rule, at: now).retryAfter == 0 else { return false }
        fullAt = max(fullAt, now) + rule.interval
        return true
    }
}

/// One request's claim to a token of one bucket.
package struct RateClaim: Sendable, Hashable {
    /// The bucket's name, the same on every host: function, limit, and the caller's hash.
    package var bucket: String
    package var rule: BucketRule

    package init(bucket: String, rule: BucketRule) {
        self.bucket = bucket
        self.rule = rule
    }
}

/// What became of a request's claims: all tokens are taken, or none.
package struct RateVerdict: Sendable, Hashable {
    /// How each bucket stands after it, in the order of the claims.
    package var standings: [BucketStanding]
    package var isAdmitted: Bool

    package init(standings: [BucketStanding], isAdmitted: Bool) {
        self.standings = standings
        self.isAdmitted = isAdmitted
    }

    /// Where it was refused: the claim that has longest to wait.
    package var refused: Int? {
        guard !isAdmitted else { return nil }
        return standings.indices.max { standings[$0].retryAfter < standings[$1].retryAfter }
    }
}
