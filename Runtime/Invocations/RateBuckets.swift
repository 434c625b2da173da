/// The buckets of one host: a bounded table that forgets full ones, which are as good as new.
///
/// A value: the caller has the clock. At the bound the older half is forgotten: whoever has as many names as
/// that gets more than its due, and the table stays small.
package struct RateBuckets: Sendable {
    private var young: [String: TokenBucket] = [:]
    private var old: [String: TokenBucket] = [:]
    private let half: Int

    /// `bound` buckets at most.
    package init(bound: Int) {
        half = max(1, bound / 2)
    }

    package var count: Int { young.count + old.count }

    /// Takes a token for every claim, or none at all; `now` in microseconds, monotonic.
    package mutating func take(_ claims: [RateClaim], at now: Int64) -> RateVerdict {
        var buckets = claims.map { young[$0.bucket] ?? old[$0.bucket] ?? TokenBucket() }
        var isAdmitted = true
        for (index, claim) in claims.enumerated() {
            isAdmitted = isAdmitted && buckets[index].standing(claim.rule, at: now).retryAfter == 0
        }
        if isAdmitted {
            for (index, claim) in claims.enumerated() { _ = buckets[index].take(claim.rule, at: now) }
        }
        for (index, claim) in claims.enumerated() where !buckets[index].isFull(at: now) {
            keep(claim.bucket, buckets[index], at: now)
        }
        let standings = claims.indices.map { buckets[$0].standing(claims[$0].rule, at: now) }
        return RateVerdict(standings: standings, isAdmitted: isAdmitted)
    }

    private mutating func keep(_ name: String, _ bucket: TokenBucket, at now: Int64) {
        if young.updateValue(bucket, forKey: name) != nil { return }
        old[name] = nil
        guard young.count >= half else { return }
        young = young.filter { !$0.value.isFull(at: now) }
        // A sweep that frees little would be repeated at each new name.
        guard young.count > half / 2 else { return }
        old = young
        young = [:]
    }
}
