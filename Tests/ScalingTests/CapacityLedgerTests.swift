import FunctionCore
import Invocations
import Scaling
import Testing

@Suite("capacity ledger", .timeLimit(.minutes(1)))
struct CapacityLedgerTests {

    private func holder(_ pool: Int, _ worker: Int) -> CapacityLedger.Holder {
        .init("f\(pool)", pool: pool, worker: worker)
    }

    private let start = Monotonic(nanoseconds: 1_000_000_000_000)

    private func memory(_ mebibytes: Int) -> Amounts { [.memory: mebibytes << 20] }

    /// A card of 8192 MB: 500 for the system, 500 spare, two light jobs or one of 4000 MB and more.
    private let card = SlotProfile(
        name: "gpu",
        total: 8192 << 20,
        system: 500 << 20,
        buffer: 500 << 20,
        jobs: 2,
        heavy: 4000 << 20
    )

    private func need(_ mebibytes: Int) -> Amounts {
        var manifest = Manifest(name: "image")
        manifest.resources.slots = [.init(name: "gpu", model: mebibytes << 20)]
        manifest.resources.memory = 0
        return HostProfile(cpu: 1000, memory: 0, slots: [card]).need(of: manifest)
    }

    @Test("what fits is granted at once, what does not waits until something is free again")
    func grants() {
        var ledger = CapacityLedger(total: memory(512))
        let (a, b, c) = (holder(1, 1), holder(1, 2), holder(2, 1))
        #expect(ledger.requested(a, memory(256), urgent: true, at: start) == [.grant(a)])
        #expect(ledger.requested(b, memory(256), urgent: true, at: start) == [.grant(b)])
        // The function that holds what is lacking is asked for room.
        #expect(ledger.requested(c, memory(256), urgent: true, at: start) == [.ask(1)])
        #expect(ledger.lacking(c) == memory(256))
        #expect(ledger.released(a) == [.grant(c)])
        #expect(ledger.waiting == [])
        #expect(ledger.free == memory(0))
    }

    @Test("the worker that has been idle longest makes room, and no more of them than are needed")
    func leastRecentlyUsed() {
        var ledger = CapacityLedger(total: memory(768))
        for holder in [holder(1, 1), holder(1, 2), holder(2, 1)] {
            _ = ledger.requested(holder, memory(256), urgent: true, at: start)
        }
        let c = holder(3, 1)
        #expect(ledger.requested(c, memory(300), urgent: true, at: start) == [.ask(1), .ask(2)])
        // Nobody is chosen before all have been heard.
        #expect(ledger.offered(1, [1: start + .seconds(3), 2: start + .seconds(1)]) == [])
        #expect(
            ledger.offered(2, [1: start + .seconds(2)]) == [.evict(holder(1, 2)), .evict(holder(2, 1))]
        )
        #expect(ledger.released(holder(1, 2)) == [])
        #expect(ledger.released(holder(2, 1)) == [.grant(c)])
    }

    @Test("one that is at work again stays, and the next is asked")
    func kept() {
        var ledger = CapacityLedger(total: memory(512))
        for holder in [holder(1, 1), holder(2, 1)] {
            _ = ledger.requested(holder, memory(256), urgent: true, at: start)
        }
        _ = ledger.requested(holder(3, 1), memory(256), urgent: true, at: start)
        _ = ledger.offered(1, [1: start])
        #expect(ledger.offered(2, [1: start + .seconds(1)]) == [.evict(holder(1, 1))])
        #expect(ledger.kept(holder(1, 1)) == [.evict(holder(2, 1))])
        #expect(ledger.released(holder(2, 1)) == [.grant(holder(3, 1))])
    }

    @Test("a forecast makes nobody leave, and waits behind work; asked for by work, it does")
    func forecast() {
        var ledger = CapacityLedger(total: memory(256))
        _ = ledger.requested(holder(1, 1), memory(256), urgent: true, at: start)
        let (b, c) = (holder(2, 1), holder(3, 1))
        #expect(ledger.requested(b, memory(256), urgent: false, at: start) == [])
        #expect(!ledger.isPressed)
        #expect(ledger.requested(c, memory(256), urgent: true, at: start) == [.ask(1)])
        #expect(ledger.released(holder(1, 1)) == [.grant(c)])
        #expect(ledger.requested(b, memory(256), urgent: true, at: start) == [.ask(3)])
        #expect(ledger.waiting.count == 1)
    }

    @Test("one who waits for memory does not hold up one who needs something else")
    func others() {
        var ledger = CapacityLedger(total: [.memory: 100, .cpu: 1000])
        _ = ledger.requested(holder(1, 1), [.memory: 100], urgent: true, at: start)
        _ = ledger.requested(holder(2, 1), [.memory: 10], urgent: true, at: start)
        #expect(
            ledger.requested(holder(3, 1), [.cpu: 500], urgent: true, at: start) == [.grant(holder(3, 1))]
        )
    }

    @Test("two light jobs share the card; the third waits, and a heavy one runs alone")
    func concurrency() {
        let profile = HostProfile(cpu: 1000, memory: 0, slots: [card])
        var ledger = CapacityLedger(total: profile.amounts)
        #expect(ledger.total[.slot("gpu")] == 7192 << 20)
        let lights = (1...3).map { holder(4, $0) }
        for light in lights.prefix(2) {
            #expect(ledger.requested(light, need(2000), urgent: true, at: start) == [.grant(light)])
        }
        #expect(ledger.requested(lights[2], need(2000), urgent: true, at: start).first == .ask(4))
        #expect(ledger.lacking(lights[2]) == [.places("gpu"): 1])
        let heavy = holder(5, 1)
        #expect(ledger.requested(heavy, need(5000), urgent: true, at: start) == [])
        #expect(ledger.released(lights[0]) == [.grant(lights[2])])
        #expect(ledger.released(lights[1]) == [])
        // One who comes after the heavy one does not pass it.
        let late = holder(6, 1)
        #expect(ledger.requested(late, need(1000), urgent: true, at: start) == [])
        #expect(ledger.released(lights[2]).first == .grant(heavy))
        #expect(ledger.lacking(late) == [.places("gpu"): 1])
        #expect(ledger.released(heavy) == [.grant(late)])
    }

    @Test("the same slot serves one function, and then another that had waited for it")
    func timeSharing() {
        var ledger = CapacityLedger(total: [.slot("desk"): 1])
        let (trading, learning) = (holder(7, 1), holder(8, 1))
        #expect(ledger.requested(trading, [.slot("desk"): 1], urgent: true, at: start) == [.grant(trading)])
        #expect(ledger.requested(learning, [.slot("desk"): 1], urgent: true, at: start) == [.ask(7)])
        #expect(ledger.offered(7, [:]) == [])
        // The window closes, and trading falls idle.
        #expect(ledger.offered(7, [1: start + .seconds(9)]) == [.evict(trading)])
        #expect(ledger.released(trading) == [.grant(learning)])
    }
}

@Suite("capacity of a host", .timeLimit(.minutes(1)))
struct HostProfileTests {
    @Test("a worker counts with limits.memory, or with what resources says")
    func needs() {
        let profile = HostProfile(cpu: 2000, memory: 1 << 30)
        var manifest = Manifest(name: "a")
        #expect(profile.need(of: manifest) == [.memory: 256 << 20])
        manifest.resources.memory = 32 << 20
        manifest.resources.cpu = 500
        #expect(profile.need(of: manifest) == [.memory: 32 << 20, .cpu: 500])
        #expect(profile.need(of: manifest).text == "cpu 500m, memory 32MiB")
    }

    @Test(
        "a budget of 8192 MB: with 500 for the system and 500 spare, model and job have 7192",
        arguments: [(3000, 2000, true), (4192, 3000, true), (4193, 3000, false), (5000, 3000, false)]
    )
    func budget(_ model: Int, _ inference: Int, _ fits: Bool) {
        let card = SlotProfile(name: "gpu", total: 8192 << 20, system: 500 << 20, buffer: 500 << 20)
        let profile = HostProfile(cpu: 1000, memory: 1 << 40, slots: [card])
        var manifest = Manifest(name: "image")
        manifest.resources.slots = [.init(name: "gpu", model: model << 20, inference: inference << 20)]
        #expect(profile.amounts.lacking(profile.need(of: manifest)).isEmpty == fits)
    }
}

@Suite("memory plan", .timeLimit(.minutes(1)))
struct MemoryPlanTests {
    private func plan(_ model: Int, _ inference: Int, _ room: Int, without: Set<String> = []) -> MemoryPlan? {
        let known = MemoryTechnique.allCases.map(\.rawValue).filter { !without.contains($0) }
        let slot = Manifest.Slot(name: "gpu", model: model, inference: inference, techniques: known)
        return MemoryPlan.fitting(slot, into: room)
    }

    @Test("what fits by itself is only made faster")
    func nothing() {
        #expect(plan(4000, 3000, 7192)?.techniques == [.xformers])
        #expect(plan(4000, 3000, 7192)?.size == 7000)
        #expect(plan(4000, 3000, 7192, without: ["xformers"])?.techniques == [])
    }

    @Test("what loses nothing comes first, and of that what costs least time")
    func lossless() {
        #expect(plan(5000, 2700, 7192)?.techniques == [.xformers, .vaeSlicing])
        #expect(plan(5000, 3000, 7192)?.techniques == [.xformers, .attentionSlicing])
        #expect(plan(5000, 3500, 7192)?.techniques == [.xformers, .vaeSlicing, .attentionSlicing])
    }

    @Test("then half the bits, and only then fewer")
    func lossy() {
        #expect(plan(8000, 4000, 7192)?.techniques == [.xformers, .fp16])
        #expect(plan(8000, 4000, 7192)?.size == 6000)
        #expect(plan(14_000, 1000, 7192, without: ["fp16"]) == nil)
        #expect(plan(11_000, 500, 7192, without: ["fp16"])?.techniques.last == .quantisation)
        #expect(plan(16_000, 4000, 7192)?.techniques == [.xformers, .fp16, .quantisation])
    }

    @Test("of all sets that fit none loses less", arguments: [1000, 3000, 5000, 7000, 9000, 12_000, 20_000])
    func least(_ model: Int) {
        for room in stride(from: 500, through: 8000, by: 500) {
            guard let chosen = plan(model, 3000, room) else {
                // Then all of them together do not fit.
                #expect(model * 3 / 10 + 3000 * 28 / 100 > room)
                continue
            }
            #expect(chosen.size <= room)
            if chosen.techniques.contains(.quantisation) {
                #expect(plan(model, 3000, room, without: ["quantisation"]) == nil)
            }
            if chosen.techniques.contains(.fp16), !chosen.techniques.contains(.quantisation) {
                #expect(plan(model, 3000, room, without: ["fp16", "quantisation"]) == nil)
            }
        }
    }
}
