import FunctionCore
import Glibc
import Synchronization
import TestSupport

/// A host, a Redis and a file of effects, and what producers were told.
final class FaultWorld: Sendable {
    private struct State {
        var log = FaultLog()
        /// What each producer is at: the event, how often it was sent, and the last answer.
        var sending: [String: String] = [:]
        var problems: [String] = []
        /// How far the clock stands from the real one, and how far at most it ever did, in seconds.
        var clock = (now: 0, most: 0)
        var isOver = false
    }

    let host: DevHost
    let redis: RedisServer
    private let recordFile: String
    private let state = Mutex(State())

    /// What paying users have at the beginning.
    static let grant = 10_000_000

    private init(host: DevHost, redis: RedisServer, place: String) {
        self.host = host
        self.redis = redis
        recordFile = "\(place)/record"
        state.withLock { $0.log.grant = FaultWorld.grant }
    }

    /// Runs `body` with a world below a place; the host has a disk of so many bytes, where the test may mount one.
    static func run(_ place: String, disk: Int, _ body: (FaultWorld) async throws -> Void) async throws {
        try await RedisServer.run(persistent: true) { redis in
            var options = FixtureProject.options(in: place)
            let manifest = """
                triggers:
                  http:
                    - {method: POST, path: /free, operation: free, mode: async}
                    - {method: POST, path: /ordered, operation: ordered, mode: async}
                    - {method: POST, path: /paid, operation: paid, mode: async}
                  redis:
                    - {stream: loose, batch: 10, concurrency: 4}
                    - {stream: narrow, batch: 5, concurrency: 1}
                    - {list: list, take: left, concurrency: 4}
                limits: {perWorker: 4, timeout: 10s, maxInFlight: 64, queue: 200}
                scale: {max: 3}
                jobs: {ordered: true}
                retry: {attempts: 100, backoff: 20ms, ceiling: 200ms, recoveries: 1000}
                credits: {paid: 1}
                environment: {RECORD_FILE: \(place)/record}
                """
            FixtureProject.write("record", manifest, in: place)
            options.disk = disk
            options.environment = [
                "REDIS_URL": redis.url, "SWIFTLET_PRINCIPAL_HEADER": "x-user",
                "SWIFTLET_WORKERS_SANDBOX": "off", "SWIFTLET_WORKERS_USERS": "off",
            ]
            try await DevHost.run(options) { host in
                try await body(FaultWorld(host: host, redis: redis, place: place))
            }
        }
    }

    // MARK: What producers and faults tell

    func accept(_ event: SentEvent, as delivery: String) {
        let known = state.withLock { $0.log.accepted.updateValue(delivery, forKey: event) }
        if let known, known != delivery { complain("\(event) was accepted as \(known) and as \(delivery)") }
    }

    func doubt(_ event: SentEvent) { state.withLock { _ = $0.log.unsure.insert(event) } }
    func note(_ fault: Fault) { state.withLock { $0.log.faults.append(fault) } }
    func complain(_ problem: String) { state.withLock { $0.problems.append(problem) } }
    func finish() { state.withLock { $0.isOver = true } }

    func sends(_ event: SentEvent, _ tries: Int, _ answer: String) {
        state.withLock { $0.sending[event.name] = "\(event) for the \(tries + 1). time, last \(answer)" }
    }

    func clockMoved(by seconds: Int) {
        state.withLock { state in
            state.clock.now += seconds
            state.clock.most = max(state.clock.most, state.clock.now)
        }
    }

    func clockIsReal() { state.withLock { $0.clock.now = 0 } }

    var isOver: Bool { state.withLock { $0.isOver } }
    /// By how much the clock must be moved so that nothing waits for an instant which it has shown before.
    var clockBehind: Int { state.withLock { $0.clock.most - $0.clock.now } }
    /// What was wrong on the way.
    var problems: [String] { state.withLock { $0.problems } }
    var sending: [String] { state.withLock { $0.sending.values.sorted() } }
    var acceptedCount: Int { state.withLock { $0.log.accepted.count } }

    // MARK: What is there

    /// The lines that the function has written, in their order.
    func effects() -> [FaultEffect] {
        (Text.read(recordFile) ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 6, let process = Int(words[4]), let at = Int64(words[5]),
                let event = SentEvent(key: words[0], seq: Int(words[1]), copy: Int(words[2]))
            else {
                complain("an effect that nobody can read: \(line)")
                return nil
            }
            // An element has no id that outlives the host.
            let delivery = event.source == .list ? event.description : String(words[3])
            return FaultEffect(
                event: event,
                delivery: delivery,
                process: process,
                at: Monotonic(nanoseconds: at)
            )
        }
    }

    /// The host's audit, line by line.
    func audit() async throws -> [JSON] {
        let report = try await HTTP.get("\(host.admin)/v1/audit").json
        guard let lines = report["lines"]?.arrayValue else {
            throw DevHost.Failure("no audit: \(report.text)")
        }
        return lines
    }

    /// The group of the function, as Redis shows it.
    private func group(of stream: FaultSource) async throws -> [String: RedisAnswer] {
        let group = try await redis.ask("XINFO", "GROUPS", stream.rawValue).list.first?.list ?? []
        let pairs = stride(from: 0, to: group.count - 1, by: 2).map { (group[$0].text ?? "", group[$0 + 1]) }
        return Dictionary(pairs) { first, _ in first }
    }

    /// How many entries and elements are not done, or not even read.
    func pendingInRedis() async throws -> [FaultSource: Int] {
        var counts: [FaultSource: Int] = [:]
        for stream in [FaultSource.loose, .narrow] {
            let group = try await group(of: stream)
            for case .integer(let number)? in [group["pending"], group["lag"]] {
                counts[stream, default: 0] += number
            }
        }
        counts[.list] = try await taken().count
        if case .integer(let number) = try await redis.ask("LLEN", "list") { counts[.list]? += number }
        return counts
    }

    /// The deliveries that Redis holds for the host.
    func open() async throws -> Set<String> {
        var open = Set(try await taken())
        for stream in [FaultSource.loose, .narrow] {
            guard let name = try await group(of: stream)["name"]?.text else { continue }
            let rows = try await redis.ask("XPENDING", stream.rawValue, name, "-", "+", "1000").list
            open.formUnion(rows.compactMap { $0.list.first?.text }.map { "\(stream.rawValue)/\($0)" })
        }
        return open
    }

    private func taken() async throws -> [String] {
        var taken: [String] = []
        for key in try await redis.ask("KEYS", "swiftlet:taken:*").list.compactMap(\.text) {
            for value in try await redis.ask("LRANGE", key, "0", "-1").list.compactMap(\.text) {
                guard let data = try? JSON.parse(Bytes(value)), let key = data["key"]?.stringValue,
                    let event = SentEvent(key: key, seq: data["seq"]?.intValue, copy: data["copy"]?.intValue)
                else { throw DevHost.Failure("an element that nobody has sent: \(value)") }
                taken.append(event.description)
            }
        }
        return taken
    }

    /// All that the verdict needs, once all is quiet.
    func log() async throws -> FaultLog {
        var log = state.withLock { $0.log }
        log.effects = effects()
        for stream in [FaultSource.loose, .narrow] {
            for (id, fields) in try await entries(of: stream) {
                let event = SentEvent(
                    key: fields["key"] ?? "",
                    seq: fields["seq"].flatMap { Int($0) },
                    copy: fields["copy"].flatMap { Int($0) }
                )
                log.entries["\(stream.rawValue)/\(id)"] = event
            }
        }
        for (job, effects) in log.repeated where effects[0].event.source.isJob {
            let shown = try await HTTP.get("\(host.admin)/v1/jobs/\(job)").json["job"]
            log.setbacks[job] = shown?["attempts"]?.arrayValue?.count
        }
        log.audit = try await audit()
        for user in 1...FaultSource.paid.keys {
            let account = try await HTTP.get("\(host.admin)/v1/credits/\(user)").json
            log.accounts.append((account["posted"]?.intValue ?? 0, account["held"]?.intValue ?? 0))
        }
        return log
    }

    private func entries(of stream: FaultSource) async throws -> [(id: String, fields: [String: String])] {
        var found: [(id: String, fields: [String: String])] = []
        while true {
            let from = found.last.map { "(\($0.id)" } ?? "-"
            let page = try await redis.ask("XRANGE", stream.rawValue, from, "+", "COUNT", "10000")
            if page.list.isEmpty { return found }
            found += zip(page.list.map { $0.list.first?.text ?? "" }, page.entries).map { ($0, $1) }
        }
    }
}
