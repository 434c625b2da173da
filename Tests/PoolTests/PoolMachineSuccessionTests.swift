import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("pool machine: one pool in another's place", .timeLimit(.minutes(1)))
struct PoolMachineSuccessionTests {
    @Test("warming brings up as many workers as are missing, and no more than the function may have")
    func warming() {
        var bench = MachineBench { $0.scale.max = 3 }
        bench.warm(2)
        #expect(bench.taken() == [.spawn(1), .spawn(2)])
        bench.warm(2)
        #expect(bench.taken() == [])
        #expect(bench.machine.servingCount == 0)
        bench.ready(1)
        bench.ready(2)
        #expect(bench.machine.servingCount == 2)
        bench.warm(9)
        #expect(bench.taken() == [.spawn(3)])
    }

    @Test("a superseded pool serves what waits, then its workers leave, those of `min` as well")
    func superseded() {
        var bench = MachineBench {
            $0.scale.min = 1
            $0.scale.max = 1
        }
        bench.arrive(1)
        bench.arrive(2)
        bench.ready(1)
        _ = bench.taken()
        bench.supersede()
        #expect(bench.taken() == [])
        bench.finish(1)
        #expect(bench.taken() == [.send(2, 1, attempt: 1)])
        bench.finish(2)
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(1))
        #expect(bench.taken() == [.retire(1)])
        bench.exit(1)
        #expect(bench.machine.isEmpty && bench.machine.nextTick == nil)
    }

    @Test("a superseded pool without work lets its workers go at once")
    func idle() {
        var bench = MachineBench { $0.scale.min = 1 }
        bench.arrive(1)
        bench.ready(1)
        bench.finish(1)
        _ = bench.taken()
        bench.supersede()
        #expect(bench.taken() == [.retire(1)])
    }

    @Test("what waits in a superseded pool gets a worker even where the only one has crashed")
    func crash() {
        var bench = MachineBench { $0.scale.max = 1 }
        bench.arrive(1)
        _ = bench.taken()
        bench.supersede()
        bench.exit(1, "crashed")
        #expect(bench.taken().contains(.spawn(2)))
        bench.ready(2)
        #expect(bench.taken().contains(.send(1, 2, attempt: 1)))
    }
}
