import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("pool machine: scaling", .timeLimit(.minutes(1)))
struct PoolMachineScaleTests {
    @Test("what the policy wants is started ahead of work, and stays although it is idle")
    func ahead() {
        var bench = MachineBench { $0.scale.target = [.connections: 10] }
        bench.scale(to: 2)
        #expect(bench.taken() == [.spawn(1), .spawn(2)])
        bench.ready(1)
        bench.ready(2)
        bench.pass(.seconds(600))
        #expect(bench.taken() == [])
        #expect(bench.machine.idleCount == 2)
    }

    @Test("the policy wants no more than max and no fewer than min")
    func bounds() {
        var bench = MachineBench {
            $0.scale.min = 1
            $0.scale.max = 3
            $0.scale.target = [.connections: 10]
        }
        bench.scale(to: 9)
        #expect(bench.taken() == [.spawn(1), .spawn(2), .spawn(3)])
        for worker in 1...3 { bench.ready(worker) }
        bench.scale(to: 0)
        #expect(bench.taken() == [.retire(1), .retire(2)])
    }

    @Test("a worker that is kept starts before anything arrives, and leaves when its turn is over")
    func kept() {
        var bench = MachineBench { $0.scale.min = 0 }
        bench.keep(1)
        #expect(bench.taken() == [.spawn(1)])
        bench.ready(1)
        bench.pass(.seconds(3600))
        #expect(bench.taken() == [], "it stays although it is idle")
        bench.keep(0)
        #expect(bench.taken() == [], "it has its idle time yet")
        bench.rest()
        #expect(bench.taken() == [.retire(1)])
    }

    @Test("where fewer are wanted idle ones leave at once, and busy ones when they are done")
    func drains() {
        var bench = MachineBench { $0.scale.target = [.inFlight: 1] }
        bench.scale(to: 3)
        for worker in 1...3 { bench.ready(worker) }
        for key in 1...2 { bench.arrive(UInt32(key)) }
        _ = bench.taken()
        // The third worker has one, the second has the other.
        bench.scale(to: 1)
        #expect(bench.taken() == [.retire(1)])
        bench.exit(1, "left")
        // The one that is to leave, the second, takes nothing more once it is done.
        bench.finish(2)
        #expect(bench.taken() == [.retire(2)])
        bench.arrive(3)
        #expect(bench.taken() == [.spawn(4)])
    }

    @Test("one that was to leave is called back before another is started")
    func recalled() {
        var bench = MachineBench {
            $0.limits.perWorker = 4
            $0.scale.target = [.inFlight: 2]
        }
        bench.scale(to: 2)
        bench.ready(1)
        bench.ready(2)
        for key in 1...4 { bench.arrive(UInt32(key)) }
        _ = bench.taken()
        bench.scale(to: 1)
        #expect(bench.taken() == [])
        // The other worker takes what it can; then the one that was to leave is there again.
        for key in 5...8 { bench.arrive(UInt32(key)) }
        let workers = bench.taken().compactMap { action -> Int? in
            if case .send(_, let worker, _) = action { worker } else { nil }
        }
        #expect(workers.count == 4)
        #expect(Set(workers) == [1, 2])
        bench.scale(to: 2)
        #expect(bench.taken() == [])
    }

    @Test("with a target the last used worker below it is chosen, and above it the one with least to do")
    func choice() {
        var bench = MachineBench {
            $0.limits.perWorker = 8
            $0.scale.target = [.inFlight: 2]
        }
        bench.scale(to: 2)
        bench.ready(1)
        bench.ready(2)
        for key in 1...6 { bench.arrive(UInt32(key)) }
        let workers = bench.taken().compactMap { action -> Int? in
            if case .send(_, let worker, _) = action { worker } else { nil }
        }
        #expect(workers == [2, 2, 1, 1, 2, 1])
    }

    @Test("a worker's life is counted until it is gone")
    func lives() {
        var bench = MachineBench()
        bench.serve(1)
        bench.pass(.seconds(3))
        #expect(bench.machine.workerTime(at: bench.now) == .seconds(3))
        bench.finish(1)
        bench.exit(1)
        bench.pass(.seconds(5))
        #expect(bench.machine.workerTime(at: bench.now) == .seconds(3))
    }
}

@Suite("pool machine: capacity", .timeLimit(.minutes(1)))
struct PoolMachineCapacityTests {
    private func bench(_ change: (inout Manifest) -> Void = { _ in }) -> MachineBench {
        MachineBench(asksForCapacity: true, change)
    }

    @Test("a worker is started when the ledger has granted it, however long that takes")
    func granted() {
        var bench = bench { $0.limits.timeout = .seconds(100) }
        bench.arrive(1)
        #expect(bench.taken() == [.reserve(1, urgent: true)])
        bench.pass(.seconds(50))
        #expect(bench.taken() == [])
        #expect(bench.machine.pendingCount == 1)
        #expect(bench.machine.workerCount == 0)
        bench.grant(1)
        #expect(bench.taken() == [.spawn(1)])
        bench.ready(1)
        #expect(bench.taken() == [.send(1, 1, attempt: 1)])
    }

    @Test("when who waited has gone or its time is over, the worker is given up; a late grant is nothing")
    func withdrawn() {
        var bench = bench { $0.limits.timeout = .seconds(5) }
        bench.arrive(1)
        bench.arrive(2)
        _ = bench.taken()
        bench.cancel(2)
        #expect(bench.taken() == [.end(2, .cancelled), .giveUp(2)])
        bench.pass(.seconds(6))
        #expect(bench.taken() == [.end(1, .expired), .giveUp(1)])
        bench.grant(1)
        #expect(bench.taken() == [])
        #expect(bench.machine.isEmpty)
    }

    @Test("a worker for a forecast is not urgent until somebody waits for it")
    func forecast() {
        var bench = bench { $0.scale.target = [.connections: 10] }
        bench.scale(to: 2)
        #expect(bench.taken() == [.reserve(1, urgent: false), .reserve(2, urgent: false)])
        bench.arrive(1)
        #expect(bench.taken() == [.reserve(1, urgent: true)])
        bench.scale(to: 1)
        #expect(bench.taken() == [.giveUp(2)])
    }

    @Test("those of min are urgent, and a drain gives up what is pending")
    func minimum() {
        var bench = bench { $0.scale.min = 1 }
        bench.start()
        #expect(bench.taken() == [.reserve(1, urgent: true)])
        bench.drain()
        #expect(bench.taken() == [.giveUp(1)])
        #expect(bench.machine.isEmpty)
    }

    @Test("idle workers can be spared but for min, the one idle longest first, and only those leave")
    func spare() {
        var bench = bench { $0.scale.min = 1 }
        bench.start()
        for key in 1...3 { bench.arrive(UInt32(key)) }
        for worker in 1...3 {
            bench.grant(worker)
            bench.ready(worker)
        }
        #expect(bench.machine.spare == [:])
        bench.finish(2)
        let first = bench.now
        bench.pass(.seconds(1))
        bench.finish(3)
        #expect(bench.machine.spare == [2: first, 3: bench.now])
        bench.finish(1)
        #expect(bench.machine.spare.keys.sorted() == [2, 3])
        _ = bench.taken()
        bench.evict(1)
        #expect(bench.taken() == [])
        bench.evict(2)
        #expect(bench.taken() == [.retire(2)])
    }
}
