import FunctionCore
import Scaling
import Seeds
import Testing

@Suite("capacity ledger, at random", .timeLimit(.minutes(2)))
struct CapacityLedgerRandomTests {
    private typealias Holder = CapacityLedger.Holder

    /// The pools around a ledger: what they hold, which of their workers are idle, who has been asked what.
    private struct World {
        static let total: Amounts = [.memory: 1000, .cpu: 400, .slot("gpu"): 300, .places("gpu"): 2]

        var ledger = CapacityLedger(total: World.total)
        var now = Monotonic(nanoseconds: 1_000_000_000_000)
        /// Idle since, or nil for a worker at work.
        var held: [Holder: Monotonic?] = [:]
        var needs: [Holder: Amounts] = [:]
        var waiting: Set<Holder> = []
        var toAnswer: Set<Int> = []
        var toLeave: Set<Holder> = []
        var next = 0
        var grants = 0
        var evictions = 0
        var breach: String?

        mutating func perform(_ actions: [CapacityLedger.Action]) {
            for action in actions {
                switch action {
                case .grant(let holder):
                    grants += 1
                    if waiting.remove(holder) == nil { breach = "\(holder) was granted and did not wait" }
                    held[holder] = .some(nil)
                case .ask(let pool): toAnswer.insert(pool)
                case .evict(let holder):
                    evictions += 1
                    if held[holder] == nil { breach = "\(holder) is evicted and holds nothing" }
                    if !toLeave.insert(holder).inserted { breach = "\(holder) is evicted twice" }
                }
            }
            check()
        }

        private mutating func check() {
            var sum: Amounts = [:]
            for holder in held.keys {
                for (key, amount) in needs[holder] ?? [:] { sum[key, default: 0] += amount }
            }
            for (resource, amount) in World.total {
                let taken = sum[resource] ?? 0
                if taken > amount { breach = "\(resource.name) is overcommitted: \(taken) of \(amount)" }
                if ledger.free[resource] != amount - taken {
                    breach = "\(resource.name): the books are wrong"
                }
            }
            if Set(ledger.held.keys) != Set(held.keys) {
                breach = "the ledger and the world hold different things"
            }
            if Set(ledger.waiting.map(\.holder)) != waiting { breach = "different ones wait" }
            // Who is first of all that wait for work can only be kept by a lack.
            if let first = ledger.waiting.first(where: \.urgent), ledger.free.lacking(first.need).isEmpty {
                breach = "\(first.holder) waits although there is room"
            }
        }

        mutating func request(_ random: inout SeededRandom) {
            next += 1
            let pool = Int.random(in: 0...3, using: &random)
            let holder = Holder("f\(pool)", pool: pool, worker: next)
            var need: Amounts = [.memory: Int.random(in: 1...600, using: &random)]
            if Int.random(in: 0...2, using: &random) == 0 {
                need[.cpu] = Int.random(in: 1...400, using: &random)
            }
            if Int.random(in: 0...2, using: &random) == 0 {
                need[.slot("gpu")] = Int.random(in: 1...300, using: &random)
                need[.places("gpu")] = Int.random(in: 1...2, using: &random)
            }
            waiting.insert(holder)
            needs[holder] = need
            perform(
                ledger.requested(holder, need, urgent: Int.random(in: 0...3, using: &random) > 0, at: now)
            )
        }

        mutating func answer(_ pool: Int) {
            toAnswer.remove(pool)
            var spare: [Int: Monotonic] = [:]
            for (holder, idle) in held where holder.pool == pool && !toLeave.contains(holder) {
                if let idle { spare[holder.worker] = idle }
            }
            perform(ledger.offered(pool, spare))
        }

        mutating func release(_ holder: Holder) {
            held[holder] = nil
            waiting.remove(holder)
            toLeave.remove(holder)
            perform(ledger.released(holder))
        }

        mutating func step(_ random: inout SeededRandom) {
            now = now + .milliseconds(Int.random(in: 1...500, using: &random))
            let holders = held.keys.sorted()
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<25: request(&random)
            case 25..<45:
                // A worker falls idle, which its pool tells, or takes up work again.
                guard let holder = holders.randomElement(using: &random) else { return }
                held[holder] = held[holder]?.flatMap { $0 } == nil ? .some(now) : .some(nil)
                if ledger.isPressed { answer(holder.pool) }
            case 45..<60:
                if let pool = toAnswer.sorted().randomElement(using: &random) { answer(pool) }
            case 60..<80:
                guard let holder = toLeave.sorted().randomElement(using: &random) else { return }
                if held[holder]?.flatMap({ $0 }) == nil {
                    toLeave.remove(holder)
                    perform(ledger.kept(holder))
                } else {
                    release(holder)
                }
            case 80..<92: if let holder = holders.randomElement(using: &random) { release(holder) }
            default: if let holder = waiting.sorted().randomElement(using: &random) { release(holder) }
            }
        }
    }

    @Test(
        "in any order of facts nothing is overcommitted, and who waits is served once the rest has gone",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var world = World()
        for index in 0..<2000 where world.breach == nil {
            world.step(&random)
            if let breach = world.breach { Issue.record("seed \(seed), step \(index): \(breach)") }
        }
        #expect(
            world.grants > 200 && world.evictions > 20,
            "\(world.grants) grants, \(world.evictions) evictions"
        )
        // Holders leave one after the other; nobody may be left waiting.
        for _ in 0..<10_000 where !world.held.isEmpty && world.breach == nil {
            if let holder = world.held.keys.min() { world.release(holder) }
        }
        #expect(world.breach == nil)
        #expect(world.waiting == [])
        #expect(world.ledger.free == World.total)
    }

    @Test(
        "all idle workers leave for a big need in the end, however often they are used between",
        arguments: 1...10 as ClosedRange<UInt64>
    )
    func noStarvation(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var world = World()
        for worker in 1...10 {
            let holder = Holder("small", pool: 1, worker: worker)
            world.needs[holder] = [.memory: 100]
            world.waiting.insert(holder)
            world.perform(world.ledger.requested(holder, [.memory: 100], urgent: true, at: world.now))
        }
        let big = Holder("big", pool: 2, worker: 1)
        world.needs[big] = [.memory: 1000]
        world.waiting.insert(big)
        world.perform(world.ledger.requested(big, [.memory: 1000], urgent: true, at: world.now))
        for _ in 0..<20_000 where world.held[big] == nil {
            world.now = world.now + .milliseconds(1)
            guard let holder = world.held.keys.sorted().randomElement(using: &random) else { break }
            // One falls idle for a moment and is asked, before the next one does.
            world.held[holder] = .some(world.now)
            world.answer(1)
            if world.toLeave.contains(holder) { world.release(holder) }
            if world.held[holder] != nil { world.held[holder] = .some(nil) }
        }
        #expect(world.held[big] != nil)
        #expect(world.breach == nil)
    }
}
