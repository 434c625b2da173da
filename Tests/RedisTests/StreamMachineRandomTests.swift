import FunctionCore
import Invocations
import RedisTrigger
import Testing

/// A Redis, a function and timers in one value: performs a machine's actions in a random order.
private struct World {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private var dice: Dice
    private var machine: StreamMachine
    private var settings: StreamSettings
    private var todo: [StreamAction] = []
    /// Entries that were never read, and those that some consumer has read and not settled.
    private var fresh: [String]
    private var pending: [String] = []
    private var foreign: [String]
    private var running: [Int: [String]] = [:]
    private var succeeded: Set<String> = []
    private var failures: [String: Int] = [:]
    private var isCalm = false
    private(set) var settled: Set<String> = []
    private(set) var dead: Set<String> = []
    private(set) var violations: [String] = []
    let all: Set<String>

    init(seed: UInt64) {
        dice = Dice(state: seed &+ 99)
        var retry = Manifest.Retry()
        retry.attempts = Int.random(in: 1...4, using: &dice)
        settings = StreamSettings(
            batch: Int.random(in: 1...5, using: &dice),
            concurrency: Int.random(in: 1...4, using: &dice),
            retry: retry,
            minIdle: .seconds(60)
        )
        settings.window = Bool.random(using: &dice) ? .seconds(1) : .zero
        settings.filter = StreamFilter([Manifest.FieldFilter("f", ["pass*"])])
        machine = StreamMachine(settings: settings, seed: seed)
        let ids = (1...60).map { "\($0)-0" }
        pending = Array(ids[..<5])
        foreign = Array(ids[5..<12])
        fresh = Array(ids[12...])
        all = Set(ids)
    }

    mutating func run(steps: Int) {
        tell(.connected)
        for _ in 0..<steps { step() }
    }

    /// Lets everything succeed until nothing is left to do but wait.
    mutating func calm() {
        isCalm = true
        for _ in 0..<5000 where settled.count + dead.count < all.count { step() }
    }

    mutating func stopped() -> Bool {
        tell(.stop)
        for _ in 0..<1500 where machine.state != .drained { step() }
        return machine.state == .drained
    }

    private mutating func tell(_ fact: StreamFact) {
        for action in machine.handle(fact) { note(action) }
        check(machine.inFlight <= settings.concurrency, "too many events at once")
        check(machine.heldCount <= settings.heldBound, "too many entries held")
    }

    /// An expectation would be too slow for every step.
    private mutating func check(_ isTrue: Bool, _ violation: @autoclosure () -> String) {
        if !isTrue { violations.append(violation()) }
    }

    /// Checks what must hold of an action the moment it is asked for.
    private mutating func note(_ action: StreamAction) {
        switch action {
        case .deliver(let event, let entries, _):
            check(entries.count <= settings.batch && !entries.isEmpty, "an event of \(entries.count)")
            let ids = entries.map(\.id)
            for id in ids {
                check(!running.values.joined().contains(id), "\(id) runs twice at once")
                check(!succeeded.contains(id), "\(id) runs again after its success")
                check(passes(id), "\(id) runs, and does not pass the filter")
            }
            running[event] = ids
        case .ack(let ids, _, .filtered):
            for id in ids { check(!passes(id), "\(id) is not run, and would pass") }
            todo.append(action)
        case .ack(let ids, _, _):
            for id in ids { check(succeeded.contains(id), "\(id) is acknowledged without a success") }
            todo.append(action)
        case .deadLetter(let letter):
            check(failures[letter.entry.id, default: 0] > 0, "\(letter.entry.id) is dead without a failure")
            check(!succeeded.contains(letter.entry.id), "\(letter.entry.id) is dead after a success")
            todo.append(action)
        default: todo.append(action)
        }
    }

    private mutating func step() {
        if !running.isEmpty, todo.isEmpty || Bool.random(using: &dice) { return finish() }
        guard !todo.isEmpty else { return }
        perform(todo.remove(at: Int.random(in: todo.indices, using: &dice)))
    }

    private mutating func finish() {
        guard let event = running.keys.sorted().randomElement(using: &dice), let ids = running[event] else {
            return
        }
        running[event] = nil
        let choice = isCalm ? 0 : Int.random(in: 0..<8, using: &dice)
        switch choice {
        case 0..<3:
            succeeded.formUnion(ids)
            tell(.eventFinished(event, .replied(status: 200)))
        case 3:
            let failed = ids.filter { _ in Bool.random(using: &dice) }
            for id in failed { failures[id, default: 0] += 1 }
            succeeded.formUnion(ids.filter { !failed.contains($0) })
            let errors = failed.map { ($0, FunctionError(code: "c", message: "m")) }
            tell(
                .eventFinished(event, .replied(status: 207), failed: Dictionary(uniqueKeysWithValues: errors))
            )
        case 4, 5:
            for id in ids { failures[id, default: 0] += 1 }
            tell(
                .eventFinished(
                    event,
                    choice == 4 ? .timedOut : .failed(FunctionError(code: "c", message: "m"))
                )
            )
        case 6: tell(.eventFinished(event, .shed(.overloaded, retryAfter: .seconds(1))))
        default: tell(.eventFinished(event, .cancelled))
        }
    }

    private mutating func perform(_ action: StreamAction) {
        let isBroken = !isCalm && Int.random(in: 0..<6, using: &dice) == 0
        switch action {
        case .ensureGroup: tell(isBroken ? .redisFailed(.passing) : .groupReady)
        case .readPending(let cursor, let count):
            if isBroken { return tell(.redisFailed(.passing)) }
            tell(
                .entriesRead(deliveries(Array(pending.filter { number($0) > number(cursor) }.prefix(count))))
            )
        case .read(let count):
            // A reply may be lost on its way: Redis has given the entries out all the same.
            let ids = Array(fresh.prefix(count))
            fresh.removeFirst(ids.count)
            pending = (pending + ids).sorted { number($0) < number($1) }
            if isBroken { return tell(.redisFailed(Bool.random(using: &dice) ? .passing : .groupGone)) }
            tell(ids.isEmpty ? .readTimedOut : .entriesRead(deliveries(ids)))
        case .claimStale(_, let count):
            if isBroken { return tell(.claimFailed) }
            // One's own idle entries are claimed as well, such as those of a lost reply.
            let ids = Array((foreign + pending).prefix(count))
            foreign.removeAll { ids.contains($0) }
            pending = Set(pending + ids).sorted { number($0) < number($1) }
            tell(.claimed(deliveries(ids), cursor: "0-0", lost: []))
        case .ack(let ids, _, _): settle(ids, isBroken, isDead: false)
        case .deadLetter(let letter): settle([letter.entry.id], isBroken, isDead: true)
        case .retryAt(let id, _): tell(.retryDue(id))
        case .armClaim: tell(.claimTick)
        case .armWindow: tell(.windowOver)
        case .settleAgain: tell(.settleDue)
        case .reconnect: tell(.connected)
        case .deliver, .renew, .recordFailure, .lost, .trim, .drained: break
        }
    }

    /// A broken settlement may have been done or not.
    private mutating func settle(_ ids: [String], _ isBroken: Bool, isDead: Bool) {
        if !isBroken || Bool.random(using: &dice) {
            pending.removeAll { ids.contains($0) }
            if isDead { dead.formUnion(ids) } else { settled.formUnion(ids) }
        }
        tell(isBroken ? .settleFailed(ids) : .settled(ids))
    }

    private func deliveries(_ ids: [String]) -> [StreamDelivery] {
        ids.map {
            let fields = [StreamField("f", passes($0) ? "passes" : "stays")]
            return StreamDelivery(StreamEntry(id: $0, fields: fields), failures: failures[$0, default: 0])
        }
    }

    private func passes(_ id: String) -> Bool { !number(id).isMultiple(of: 7) }

    private func number(_ id: String) -> Int {
        Int(id.prefix { $0 != "-" }) ?? 0
    }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamMachineRandomTests {
    @Test("in whatever order things happen, every entry is done or a dead letter in the end")
    func sequences() {
        for seed in UInt64(0)..<400 {
            var world = World(seed: seed)
            world.run(steps: 300)
            world.calm()
            #expect(world.settled.union(world.dead) == world.all, "seed: \(seed)")
            #expect(world.settled.isDisjoint(with: world.dead), "seed: \(seed)")
            let isDrained = world.stopped()
            #expect(isDrained, "seed: \(seed)")
            #expect(world.violations == [], "seed: \(seed)")
        }
    }

    @Test("a stop at any moment drains")
    func stops() {
        for seed in UInt64(0)..<200 {
            var world = World(seed: seed)
            world.run(steps: Int(seed))
            let isDrained = world.stopped()
            #expect(isDrained, "seed: \(seed)")
            #expect(world.violations == [], "seed: \(seed)")
        }
    }
}
