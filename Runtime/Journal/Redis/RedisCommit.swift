import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// What one step is to write, and what must still be so for that.
struct RedisCommit {
    let keys: RedisJobKeys
    private let now: Instant
    private var guards: [Bytes] = []
    private var steps: [Bytes] = []
    /// How many guards there are.
    private(set) var guardCount = 0

    init(_ keys: RedisJobKeys, now: Instant) {
        self.keys = keys
        self.now = now
    }

    /// The arguments of the script.
    var arguments: [Bytes] {
        [Bytes("\(now.microseconds)"), Bytes("\(guardCount)")] + guards + steps
    }

    // MARK: Guards

    /// A field must be as it was read; nil for none.
    mutating func require(_ key: Bytes, _ field: Bytes, is text: Bytes?) {
        guards += ["is", key, field, text ?? Bytes()]
        guardCount += 1
    }

    mutating func require(_ key: Bytes, _ field: Bytes, below most: Int) {
        guards += ["below", key, field, Bytes("\(most)")]
        guardCount += 1
    }

    // MARK: Steps

    mutating func add(_ words: [Bytes]) {
        steps.append(Bytes("\(words.count)"))
        steps += words
    }

    /// A new job, where there is none of its id.
    mutating func insert(_ job: JobRecord, _ policy: JobLanePolicy, unique: UniqueWish? = nil) {
        require(keys.job(job.id), "v", is: nil)
        var fields = RedisJobCodec.fields(of: job)
        if let unique { fields += ["unique", Bytes(unique.key)] }
        let lane = job.place.isReady ? keys.ready(job.function, job.place.key) : Bytes()
        let (front, back) = job.member
        let place = [Bytes(job.owner ?? ""), Bytes(job.state.rawValue), front, back, lane]
        add(["insert", Bytes(job.id), Bytes(job.function)] + place + fields)
        count(job.function, ["accepted": 1])
        count(job.function, job.state, present: 1)
        if job.state.isFinal { return add(["ZADD", keys.ended, job.updated.score, Bytes(job.id)]) }
        wait(job)
        enter(job, policy, always: true)
        settle(job.function, job.place.key, job.weight)
        tell(job, mayBegin: true)
    }

    /// What holds in a job's lane: `always`, or where the lane is new.
    mutating func enter(_ job: JobRecord, _ policy: JobLanePolicy, always: Bool) {
        add([
            "enter", Bytes(job.function), Bytes(job.place.key), always ? "1" : "0",
            Bytes(policy.perKey.map { "\($0)" } ?? ""), Bytes(policy.rate.map { "\($0.interval)" } ?? ""),
            Bytes(policy.rate.map { "\($0.burst)" } ?? ""),
        ])
    }

    /// So many jobs have come to a lane, or left it.
    mutating func settle(_ function: String, _ lane: String, _ weight: LaneWeight) {
        add(["lane", Bytes(function), Bytes(lane), Bytes("\(weight.held)"), Bytes("\(weight.later)")])
    }

    /// So many of a lane's jobs have begun: it is the others' turn, and it rests where its rate says so.
    mutating func serve(_ function: String, _ lane: OpenLane, count: Int, now: Instant) {
        let (fullAt, freeAt) = lane.served(count, now: now)
        add([
            "serve", Bytes(function), Bytes(lane.key), Bytes("\(fullAt)"), Bytes("\(freeAt)"),
            count > 0 ? "1" : "0",
        ])
    }

    /// A step of a job, with all the places where the job is to be found.
    mutating func store(_ change: JobChange, version: Int64, lane isSettled: Bool = true) {
        let (before, job) = (change.before, change.job)
        let key = keys.job(job.id)
        require(key, "v", is: Bytes("\(version)"))
        var (set, gone) = RedisJobCodec.difference(job, from: before)
        if let result = change.result { set += ["result", result.body] }
        if job.weight != before.weight || job.runAt != before.runAt {
            let (front, back) = job.member
            set += ["member", Bytes(front.array + Array(job.number.padded.utf8) + back.array)]
        }
        if !set.isEmpty { add(["HSET", key] + set) }
        if job.state != .running { gone.append("host") }
        if !gone.isEmpty { add(["HDEL", key] + gone) }
        add(["HINCRBY", key, "v", "1"])
        if before.state != job.state {
            add(["ZREM", keys.jobs(job.function, before.state), Bytes(job.id)])
            add(["ZADD", keys.jobs(job.function, job.state), Bytes("\(job.number)"), Bytes(job.id)])
            count(job.function, before.state, present: -1)
            count(job.function, job.state, present: 1)
        }
        move(job, from: before)
        if isSettled, job.weight != before.weight {
            settle(job.function, job.place.key, job.weight - before.weight)
        }
        if let attempt = change.attempt {
            add(["RPUSH", keys.attempts(job.id), RedisJobCodec.text(attempt)])
            add(["LTRIM", keys.attempts(job.id), Bytes("-\(JobLimits.attempts)"), "-1"])
        }
        tell(job, mayBegin: before.state != job.state && job.state != .running)
    }

    /// Takes a job out of all places.
    mutating func remove(_ job: JobRecord, version: Int64, unique: String?) {
        let id = Bytes(job.id)
        require(keys.job(job.id), "v", is: Bytes("\(version)"))
        add(["DEL", keys.job(job.id), keys.attempts(job.id)])
        add(["ZREM", keys.jobs(job.function, job.state), id])
        add(["ZREM", keys.ended, id])
        if let owner = job.owner { add(["ZREM", keys.owner(owner), id]) }
        if let unique { add(["free", keys.unique(job.function, unique), "job", id]) }
        add(["forget", id])
        add(["HINCRBY", keys.counts, Bytes("present:\(job.state.rawValue):\(job.function)"), "-1"])
        add(["HINCRBY", keys.counts, Bytes("pruned:\(job.state.rawValue):\(job.function)"), "1"])
    }

    /// Tells the other hosts.
    mutating func tell(_ job: JobRecord, mayBegin: Bool) {
        add(["PUBLISH", keys.feed, Bytes("\(mayBegin ? "due" : "changed") \(keys.host) \(job.id)")])
    }

    // MARK: Places

    /// Where a job stands that waits, runs, or has ended.
    private mutating func move(_ job: JobRecord, from before: JobRecord) {
        let (id, lane) = (Bytes(job.id), keys.ready(job.function, job.place.key))
        if before.weight.ready > 0, job.weight.ready == 0 {
            add(["ZREM", lane, before.wholeMember])
        } else if before.weight.ready == 0, job.weight.ready > 0 {
            add(["ZADD", lane, "0", job.wholeMember])
        }
        if before.waitsLater, !job.waitsLater || job.runAt != before.runAt {
            add(["ZREM", keys.later(job.function), id])
        }
        if before.isWaiting, before.expires != nil, !job.isWaiting { add(["ZREM", keys.expiring, id]) }
        if before.state == .running, job.state != .running { add(["ZREM", keys.running, id]) }
        if before.state.isFinal, !job.state.isFinal { add(["ZREM", keys.ended, id]) }
        if job.state == .running, let until = job.life.lease?.until, until != before.life.lease?.until {
            add(["ZADD", keys.running, until.score, id])
        }
        if job.state.isFinal { add(["ZADD", keys.ended, job.updated.score, id]) }
        wait(job)
    }

    private mutating func wait(_ job: JobRecord) {
        if job.waitsLater { add(["ZADD", keys.later(job.function), job.runAt.score, Bytes(job.id)]) }
        if job.isWaiting, let expires = job.expires {
            add(["ZADD", keys.expiring, expires.score, Bytes(job.id)])
        }
    }

    private mutating func count(_ function: String, _ state: JobState, present: Int) {
        count(function, ["present:\(state.rawValue)": present])
        if present > 0 { count(function, ["ever:\(state.rawValue)": 1]) }
        if state == .queued || state == .retryWait {
            add(["HINCRBY", keys.counts, "waiting", Bytes("\(present)")])
        }
    }

    private mutating func count(_ function: String, _ numbers: [String: Int]) {
        for (name, number) in numbers {
            add(["HINCRBY", keys.counts, Bytes("\(name):\(function)"), Bytes("\(number)")])
        }
    }
}

extension JobRecord {
    fileprivate var isWaiting: Bool { state == .queued || state == .retryWait }
    fileprivate var waitsLater: Bool { isWaiting && !place.isReady }

    /// Its place in the order of its lane, as text that sorts so: what comes before its number and after it.
    var member: (front: Bytes, back: Bytes) {
        (Bytes("\(9 - place.priority)\(due.padded)"), Bytes(":\(id)"))
    }

    fileprivate var wholeMember: Bytes {
        Bytes(member.front.array + Array(number.padded.utf8) + member.back.array)
    }
}

extension Int64 {
    /// As many digits as any has that is not negative.
    fileprivate var padded: String {
        let digits = String(Swift.max(self, 0))
        return String(repeating: "0", count: 19 - digits.utf8.count) + digits
    }
}
