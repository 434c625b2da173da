import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("pool machine: serving", .timeLimit(.minutes(1)))
struct PoolMachineServingTests {
    @Test("the first invocation starts a worker and is sent when it is ready")
    func coldStart() {
        var bench = MachineBench()
        bench.arrive(1)
        #expect(bench.taken() == [.spawn(1)])
        #expect(bench.machine.waitingCount == 1)
        bench.ready(1)
        #expect(bench.taken() == [.send(1, 1, attempt: 1)])
        bench.finish(1)
        #expect(bench.taken() == [])
        bench.arrive(2)
        #expect(bench.taken() == [.send(2, 1, attempt: 1)])
    }

    @Test("a burst starts as many workers as it needs, up to max, and never more for the same wait")
    func burst() {
        var bench = MachineBench { $0.scale.max = 3 }
        for key in 1...5 { bench.arrive(UInt32(key)) }
        #expect(bench.taken() == [.spawn(1), .spawn(2), .spawn(3)])
        bench.ready(2)
        bench.ready(1)
        #expect(bench.taken() == [.send(1, 2, attempt: 1), .send(2, 1, attempt: 1)])
        bench.finish(2)
        #expect(bench.taken() == [.send(3, 1, attempt: 1)])
    }

    @Test("the worker used last is used first")
    func lastUsedFirst() {
        var bench = MachineBench()
        for key in 1...3 { bench.arrive(UInt32(key)) }
        for worker in 1...3 { bench.ready(worker) }
        bench.finish(3)
        bench.finish(1)
        bench.finish(2)
        _ = bench.taken()
        for key in 11...13 { bench.arrive(UInt32(key)) }
        #expect(
            bench.taken() == [.send(11, 2, attempt: 1), .send(12, 1, attempt: 1), .send(13, 3, attempt: 1)]
        )
    }

    @Test("a worker takes as many as perWorker says, and one is started for what is more")
    func perWorker() {
        var bench = MachineBench { $0.limits.perWorker = 2 }
        for key in 1...3 { bench.arrive(UInt32(key)) }
        #expect(bench.taken() == [.spawn(1), .spawn(2)])
        bench.ready(1)
        #expect(bench.taken() == [.send(1, 1, attempt: 1), .send(2, 1, attempt: 1)])
        bench.ready(2)
        #expect(bench.taken() == [.send(3, 2, attempt: 1)])
        bench.arrive(4)
        #expect(bench.taken() == [.send(4, 2, attempt: 1)])
        bench.finish(1)
        bench.arrive(5)
        #expect(bench.taken() == [.send(5, 1, attempt: 1)])
    }

    @Test("maxInFlight holds back what workers would have room for, and starts no worker for it")
    func maxInFlight() {
        var bench = MachineBench {
            $0.limits.maxInFlight = 2
            $0.limits.perWorker = 8
        }
        for key in 1...3 { bench.arrive(UInt32(key)) }
        bench.ready(1)
        #expect(bench.taken() == [.spawn(1), .send(1, 1, attempt: 1), .send(2, 1, attempt: 1)])
        bench.finish(1)
        #expect(bench.taken() == [.send(3, 1, attempt: 1)])
    }

    @Test("what the queue has no place for is shed with 429 and a time to come again")
    func queueBound() throws {
        var bench = MachineBench {
            $0.limits.queue = 2
            $0.scale.max = 1
        }
        bench.serve(1)
        bench.arrive(2)
        bench.arrive(3)
        #expect(bench.taken() == [])
        bench.arrive(4)
        #expect(bench.taken() == [.end(4, .shed(.overloaded, retryAfter: .seconds(1)))])
        let outcome = PoolMachine.End.shed(.overloaded, retryAfter: .seconds(1)).outcome
        #expect(outcome.error?.status == 429)
        #expect(outcome.retryAfter == .seconds(1))
    }

    @Test("a function without a queue is served where a worker has room, or one can be started")
    func noQueue() {
        var bench = MachineBench {
            $0.limits.queue = 0
            $0.scale.max = 1
        }
        bench.arrive(1)
        #expect(bench.taken() == [.spawn(1)])
        bench.arrive(2)
        #expect(bench.taken() == [.end(2, .shed(.overloaded, retryAfter: .seconds(1)))])
        bench.ready(1)
        bench.finish(1)
        bench.arrive(3)
        #expect(bench.taken() == [.send(1, 1, attempt: 1), .send(3, 1, attempt: 1)])
    }

    @Test("what waits beyond its time is expired, to the moment, and the rest waits on")
    func expiry() {
        var bench = MachineBench { $0.scale.max = 1 }
        bench.serve(1)
        bench.arrive(2, timeout: .seconds(1))
        bench.arrive(3)
        bench.pass(.milliseconds(999))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(1))
        #expect(bench.taken() == [.end(2, .expired)])
        bench.finish(1)
        #expect(bench.taken() == [.send(3, 1, attempt: 1)])
    }

    @Test("an idle worker is retired after its time, the one used last the latest, and min are kept")
    func idleRetirement() {
        var bench = MachineBench {
            $0.scale.min = 1
            $0.scale.idle = .seconds(5)
        }
        bench.start()
        #expect(bench.taken() == [.spawn(1)])
        bench.ready(1)
        for key in 1...3 { bench.arrive(UInt32(key)) }
        bench.ready(2)
        bench.ready(3)
        for key in 1...3 { bench.finish(UInt32(key)) }
        _ = bench.taken()
        bench.pass(.seconds(3))
        bench.arrive(9)
        bench.finish(9)
        _ = bench.taken()
        bench.pass(.seconds(2))
        #expect(bench.taken() == [.retire(1), .retire(2)])
        bench.exit(1, "exit status 0")
        bench.exit(2, "exit status 0")
        bench.pass(.seconds(60))
        #expect(bench.taken() == [])
        #expect(bench.machine.workerCount == 1)
    }

    @Test("a worker that does not leave when asked is killed")
    func retirementRefused() {
        var bench = MachineBench { $0.scale.idle = .seconds(1) }
        bench.serve(1)
        bench.finish(1)
        bench.pass(.seconds(1))
        #expect(bench.taken() == [.retire(1)])
        bench.pass(PoolMachine.leaveMax)
        #expect(bench.taken() == [.kill(1, why: "it did not leave when asked")])
    }

    @Test("min workers are there from the start and are brought back when one dies")
    func minWorkers() {
        var bench = MachineBench { $0.scale.min = 2 }
        bench.start()
        #expect(bench.taken() == [.spawn(1), .spawn(2)])
        bench.ready(1)
        bench.ready(2)
        bench.exit(1)
        #expect(bench.taken() == [.spawn(3)])
    }

    @Test("no moment that has passed is asked for again")
    func noSpinning() {
        var bench = MachineBench {
            $0.scale.min = 1
            $0.scale.idle = .seconds(1)
            $0.limits.perWorker = 2
        }
        bench.start()
        bench.ready(1)
        for key in 1...3 { bench.arrive(UInt32(key)) }
        // One worker is at work, one is starting: min is kept, though there are more than min processes.
        bench.finish(1)
        bench.finish(2)
        bench.pass(.seconds(3))
        if let next = bench.machine.nextTick { #expect(next > bench.now) }
        bench.arrive(5)
        bench.arrive(6)
        bench.cancel(5)
        bench.pass(.seconds(2))
        // The cancelled one did not stop: its worker is condemned, its sibling has the grace.
        if let next = bench.machine.nextTick { #expect(next > bench.now) }
    }
}
