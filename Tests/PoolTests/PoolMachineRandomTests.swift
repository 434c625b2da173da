import FunctionCore
import Invocations
import Seeds
import Testing

@testable import WorkerPool

@Suite("pool machine: random sequences", .timeLimit(.minutes(2)))
struct PoolMachineRandomTests {
    private static let steps = 6_000

    private func manifest(_ random: inout SeededRandom) -> Manifest {
        var manifest = Manifest(name: "random")
        manifest.limits.perWorker = [1, 1, 2, 5].randomElement(using: &random) ?? 1
        manifest.limits.maxInFlight = [1, 3, 64].randomElement(using: &random) ?? 1
        manifest.limits.queue = [0, 2, 30].randomElement(using: &random) ?? 1
        manifest.limits.timeout = .seconds(Int64.random(in: 1...6, using: &random))
        manifest.limits.grace = .milliseconds([0, 500, 2000].randomElement(using: &random) ?? 500)
        if Bool.random(using: &random) { manifest.limits.firstByte = .seconds(1) }
        if Bool.random(using: &random) { manifest.limits.idle = .milliseconds(700) }
        manifest.scale.max = Int.random(in: 1...5, using: &random)
        manifest.scale.min = Int.random(in: 0...manifest.scale.max, using: &random)
        manifest.scale.idle = .seconds(Int64.random(in: 1...8, using: &random))
        manifest.idempotent = Bool.random(using: &random)
        if Bool.random(using: &random) {
            manifest.scale.target = [.inFlight: Int.random(in: 1...5, using: &random)]
        }
        return manifest
    }

    private func step(
        _ world: inout PoolWorld,
        _ random: inout SeededRandom,
        calm: Bool,
        pause: Duration = .milliseconds(600)
    ) {
        let worker = world.workers.keys.sorted().randomElement(using: &random)
        let held = worker.flatMap { world.workers[$0]?.held.sorted().randomElement(using: &random) }
        if let pending = world.pending.sorted().randomElement(using: &random), Bool.random(using: &random) {
            world.grant(pending)
        }
        if !world.manifest.scale.target.isEmpty, Int.random(in: 0..<10, using: &random) == 0 {
            world.scale(to: Int.random(in: 0...6, using: &random))
        }
        if Int.random(in: 0..<20, using: &random) == 0 { world.keep(Int.random(in: 0...2, using: &random)) }
        if Int.random(in: 0..<40, using: &random) == 0 { world.rest() }
        if world.asksForCapacity, let worker, Int.random(in: 0..<20, using: &random) == 0 {
            world.evict(worker)
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<28:
            let timeouts: [Duration?] = [nil, nil, .milliseconds(300), .seconds(100)]
            world.arrive(timeout: timeouts.randomElement(using: &random) ?? nil)
        case 28..<43: if let worker { world.becomeReady(worker) }
        case 43..<50: if let worker, let held { world.begin(held, on: worker) }
        case 50..<57: if let worker, let held { world.reply(held, on: worker) }
        case 57..<77: if let worker, let held { world.finish(held, on: worker) }
        case 77..<81:
            world.cancel(UInt32.random(in: 0...UInt32(max(world.arrived.count, 1)), using: &random))
        case 81..<(calm ? 82 : 86): if let worker { world.exit(worker) }
        case 86..<90:
            // What was asked to leave, or killed, goes.
            for (id, state) in world.workers.sorted(by: { $0.key < $1.key })
            where state.leaving || state.killed {
                world.exit(id)
            }
        default: world.pass(.nanoseconds(Int64.random(in: 0...pause.nanoseconds, using: &random)))
        }
    }

    private func settle(_ world: inout PoolWorld, _ random: inout SeededRandom) {
        world.drain()
        for _ in 0..<50 { step(&world, &random, calm: true) }
        world.abandon()
        for id in world.workers.keys.sorted() { world.exit(id) }
    }

    @Test(
        "in any order of facts everything ends once, no rule is broken, and nothing is left after a drain",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed)
        let calm = seed.isMultiple(of: 2)
        let manifest = manifest(&random)
        let asks = seed % 8 < 4
        var world = PoolWorld(manifest, serial: seed % 4 < 2, asksForCapacity: asks)
        for index in 0..<PoolMachineRandomTests.steps where world.breaches.isEmpty {
            step(&world, &random, calm: calm)
            if let breach = world.breaches.first { Issue.record("seed \(seed), step \(index): \(breach)") }
        }
        guard world.breaches.isEmpty else { return }
        settle(&world, &random)
        #expect(world.breaches == [], "seed \(seed), at the end")
        #expect(world.arrived == world.ended, "seed \(seed): some never ended")
        #expect(world.machine.isEmpty, "seed \(seed)")
        #expect(world.machine.nextTick == nil, "seed \(seed)")
        #expect(world.machine.runningCount == 0, "seed \(seed)")
        // The walk must have been through the pool, not past it.
        #expect(
            world.sends > 50 && world.finishes > 30 && world.spawned > 20,
            "seed \(seed): \(world.sends) sends, \(world.finishes) finishes, \(world.spawned) workers"
        )
    }

    @Test("a walk with serial workers takes invocations back and ends them all, once")
    func recalls() {
        var random = SeededRandom(7)
        var manifest = Manifest(name: "serial")
        manifest.limits.perWorker = 5
        manifest.limits.queue = 30
        manifest.scale.max = 3
        var world = PoolWorld(manifest, serial: true)
        for _ in 0..<PoolMachineRandomTests.steps {
            step(&world, &random, calm: true, pause: .milliseconds(4))
        }
        #expect(world.recalls > 100)
        settle(&world, &random)
        #expect(world.breaches == [])
        #expect(world.arrived == world.ended)
        #expect(world.machine.isEmpty && world.machine.nextTick == nil)
    }
}
