import FunctionCore
import Invocations

/// A lane of which something may begin, as an engine found it.
struct OpenLane: Sendable {
    var key: String
    /// The priority at its head.
    var head: Int
    /// How many of its jobs are under way.
    var held: Int
    var perKey: Int?
    var rate: BucketRule?
    var bucket: TokenBucket

    /// How many more may begin.
    func room(at now: Instant) -> Int {
        let tokens = rate.map { bucket.standing($0, at: now.microseconds).remaining } ?? .max
        return min(perKey.map { $0 - held } ?? .max, tokens)
    }

    /// After so many of its jobs have begun: when its bucket is full again, and until when it rests for its
    /// rate, 0 for not at all; in microseconds.
    func served(_ count: Int, now: Instant) -> (fullAt: Int64, freeAt: Int64) {
        guard let rate else { return (max(bucket.fullAt, 0), 0) }
        var bucket = bucket
        for _ in 0..<count { _ = bucket.take(rate, at: now.microseconds) }
        let wait = bucket.standing(rate, at: now.microseconds).retryAfter
        return (max(bucket.fullAt, 0), wait > 0 ? now.microseconds + wait : 0)
    }
}

/// Which jobs begin next, whatever engine keeps them.
///
/// A lane is open where one of its jobs may begin. Open lanes take turns, those with the highest priority at
/// their head first, so that whoever has many jobs waits behind its own.
enum ClaimRules {
    /// How many of each lane may be looked at, of those that an engine gives in the order of priority and
    /// turn; 0 for a lane that has no room after all, as after a change of its policy.
    static func shares(_ open: [OpenLane], room: Int, now: Instant) -> [(lane: OpenLane, most: Int)] {
        let first = open.filter { $0.head == open.first?.head }
        let share = max(1, room / max(first.count, 1))
        return first.map { ($0, max(0, min(share, $0.room(at: now)))) }
    }

    /// A ready job as it begins now; nil where its time is over.
    ///
    /// What was due stays so where the clock was set back: waiting, it would let others of its key pass that
    /// came later.
    static func beginning(_ job: JobRecord, now: Instant) -> JobRecord? {
        guard job.expires.map({ $0 > now }) ?? true else { return nil }
        var job = job
        job.life.runAt = min(job.runAt, now)
        return job
    }

    /// The order among jobs of several lanes and functions.
    static func isBefore(_ left: JobRecord, _ right: JobRecord) -> Bool {
        (right.place.priority, left.runAt, left.number) < (left.place.priority, right.runAt, right.number)
    }
}

/// What a job weighs in its lane.
struct LaneWeight: Hashable {
    var ready = 0
    var held = 0
    var later = 0

    static func - (left: LaneWeight, right: LaneWeight) -> LaneWeight {
        LaneWeight(
            ready: left.ready - right.ready,
            held: left.held - right.held,
            later: left.later - right.later
        )
    }

    var sum: Int { ready + held + later }
}

extension JobRecord {
    /// What it weighs in its lane; an ordered lane is held by the job that waits for its next attempt too.
    var weight: LaneWeight {
        switch state {
        case .queued where place.isReady, .retryWait where place.isReady: LaneWeight(ready: 1)
        case .running: LaneWeight(held: 1)
        case .retryWait where place.isOrdered: LaneWeight(held: 1)
        case .queued, .retryWait: LaneWeight(later: 1)
        case .created, .completed, .failed, .cancelled, .expired: LaneWeight()
        }
    }
}

extension Instant {
    var microseconds: Int64 { nanoseconds / 1000 }
}
