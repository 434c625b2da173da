import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("pool machine: endings", .timeLimit(.minutes(1)))
struct PoolMachineEndingTests {
    @Test("a time limit answers the caller, stops the invocation, and kills the worker after the grace")
    func timeout() {
        var bench = MachineBench()
        bench.serve(1)
        bench.pass(.milliseconds(9_999))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(1))
        #expect(bench.taken() == [.end(1, .timedOut), .cancel(1, 1)])
        bench.arrive(2)
        #expect(bench.taken() == [.spawn(2)])
        bench.pass(.seconds(2))
        let kills = bench.taken().filter { if case .kill(1, _) = $0 { true } else { false } }
        #expect(kills.count == 1)
        bench.exit(1, begun: [1], "killed")
        #expect(bench.taken() == [])
    }

    @Test("a worker that stops what timed out within the grace is replaced all the same")
    func timeoutObeyed() {
        var bench = MachineBench { $0.scale.max = 1 }
        bench.serve(1)
        bench.pass(.seconds(10))
        _ = bench.taken()
        bench.arrive(2)
        #expect(bench.taken() == [])
        bench.finish(1)
        #expect(bench.taken() == [.kill(1, why: "an invocation passed its time limit")])
        bench.exit(1)
        #expect(bench.taken() == [.spawn(2)])
        bench.ready(2)
        #expect(bench.taken() == [.send(2, 2, attempt: 1)])
    }

    @Test("siblings of a timed-out invocation run to the earlier of their own deadline and the grace")
    func siblings() {
        var bench = MachineBench { $0.limits.perWorker = 4 }
        bench.arrive(1, timeout: .seconds(3))
        bench.arrive(2, timeout: .seconds(4))
        bench.arrive(3)
        bench.arrive(4)
        bench.ready(1)
        _ = bench.taken()
        bench.pass(.seconds(3))
        #expect(bench.taken() == [.end(1, .timedOut), .cancel(1, 1)])
        bench.arrive(9)
        #expect(bench.taken() == [.spawn(2)])
        bench.pass(.seconds(1))
        #expect(bench.taken() == [.end(2, .timedOut), .cancel(2, 1)])
        bench.finish(3)
        #expect(bench.taken() == [])
        bench.pass(.seconds(1))
        #expect(bench.taken() == [.kill(1, why: "an invocation passed its time limit")])
        bench.exit(1, begun: [1, 2, 4], "killed")
        #expect(bench.taken() == [.end(4, .workerLost("killed"))])
    }

    @Test("a killed sibling of an idempotent function runs once more elsewhere")
    func idempotentSibling() {
        var bench = MachineBench {
            $0.limits.perWorker = 2
            $0.idempotent = true
        }
        bench.arrive(1, timeout: .seconds(1))
        bench.arrive(2)
        bench.ready(1)
        bench.pass(.seconds(3))
        _ = bench.taken()
        bench.exit(1, begun: [1, 2], "killed")
        #expect(bench.taken() == [.spawn(2)])
        bench.ready(2)
        #expect(bench.taken() == [.send(2, 2, attempt: 2)])
        bench.exit(2, begun: [2], "killed again")
        #expect(bench.taken() == [.end(2, .workerLost("killed again"))])
    }

    @Test("a first byte that does not come in time, and a pause in a stream, are timeouts")
    func streamLimits() {
        var bench = MachineBench {
            $0.limits.firstByte = .seconds(1)
            $0.limits.idle = .seconds(3)
        }
        bench.serve(1)
        bench.pass(.seconds(1))
        #expect(bench.taken() == [.end(1, .timedOut), .cancel(1, 1)])
        bench.serve(2, on: 2)
        bench.reply(2)
        bench.pass(.seconds(2))
        bench.reply(2)
        bench.pass(.milliseconds(2_999))
        #expect(!bench.taken().contains(.end(2, .timedOut)))
        bench.pass(.milliseconds(1))
        #expect(bench.taken().contains(.end(2, .timedOut)))
    }

    @Test("what waits and is cancelled ends at once and is never sent")
    func cancelWaiting() {
        var bench = MachineBench()
        bench.arrive(1)
        bench.cancel(1)
        #expect(bench.taken() == [.spawn(1), .end(1, .cancelled)])
        bench.ready(1)
        bench.cancel(1)
        #expect(bench.taken() == [])
    }

    @Test("what runs and is cancelled ends for its caller at once, and its worker serves on if it stops")
    func cancelRunning() {
        var bench = MachineBench()
        bench.serve(1)
        bench.cancel(1)
        bench.cancel(1)
        #expect(bench.taken() == [.end(1, .cancelled), .cancel(1, 1)])
        bench.pass(.seconds(1))
        bench.finish(1)
        bench.arrive(2)
        #expect(bench.taken() == [.send(2, 1, attempt: 1)])
    }

    @Test("a worker that does not stop a cancelled invocation within the grace is killed then")
    func cancelIgnored() {
        var bench = MachineBench()
        bench.serve(1)
        bench.cancel(1)
        _ = bench.taken()
        bench.pass(.milliseconds(1_999))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(1))
        #expect(bench.taken() == [.kill(1, why: "an invocation did not stop when asked")])
        bench.exit(1, begun: [1])
        #expect(bench.taken() == [])
        #expect(bench.machine.isEmpty)
    }

    @Test("a sibling of a cancelled invocation that does not stop has the grace as well")
    func cancelIgnoredWithSibling() {
        var bench = MachineBench { $0.limits.perWorker = 2 }
        bench.arrive(1)
        bench.arrive(2)
        bench.ready(1)
        bench.cancel(1)
        _ = bench.taken()
        bench.pass(.seconds(2))
        #expect(bench.taken() == [])
        #expect(bench.machine.isLeaving(1))
        bench.pass(.seconds(2))
        #expect(bench.taken() == [.kill(1, why: "an invocation passed its time limit")])
    }

    @Test("a crash ends what had begun, and what had not begun is sent elsewhere")
    func crash() {
        var bench = MachineBench {
            $0.limits.perWorker = 3
        }
        for key in 1...3 { bench.arrive(UInt32(key)) }
        bench.ready(1)
        _ = bench.taken()
        bench.exit(1, begun: [1])
        #expect(bench.taken() == [.end(1, .workerLost("signal 4")), .spawn(2)])
        bench.ready(2)
        // In their old order or not: both are sent, both as the first attempt.
        let sent = bench.taken()
        #expect(sent.count == 2)
        #expect(sent.contains(.send(2, 2, attempt: 1)) && sent.contains(.send(3, 2, attempt: 1)))
    }

    @Test("what its worker lost before it began keeps its place before the others")
    func orderKept() {
        var bench = MachineBench {
            $0.limits.perWorker = 3
            $0.scale.max = 1
        }
        for key in 1...5 { bench.arrive(UInt32(key)) }
        bench.ready(1)
        bench.exit(1, begun: [])
        _ = bench.taken()
        bench.ready(2)
        #expect(bench.taken() == [.send(1, 2, attempt: 1), .send(2, 2, attempt: 1), .send(3, 2, attempt: 1)])
    }

    @Test("an idempotent invocation runs a second time after a crash, and no third time")
    func idempotent() {
        var bench = MachineBench { $0.idempotent = true }
        bench.serve(1)
        bench.exit(1, begun: [1])
        bench.ready(2)
        #expect(bench.taken() == [.spawn(2), .send(1, 2, attempt: 2)])
        bench.exit(2, begun: [1])
        #expect(bench.taken() == [.end(1, .workerLost("signal 4"))])
    }

    @Test("a reply that has begun is never begun again, idempotent or not")
    func replyBegun() {
        var bench = MachineBench { $0.idempotent = true }
        bench.serve(1)
        bench.reply(1)
        bench.exit(1, begun: [1])
        #expect(bench.taken() == [.end(1, .workerLost("signal 4"))])
    }

    @Test("draining sheds what waits, lets what runs end, and retires each worker when it is done")
    func drain() {
        var bench = MachineBench {
            $0.limits.perWorker = 2
            $0.scale.max = 3
        }
        bench.arrive(1)
        bench.ready(1)
        for key in 2...6 { bench.arrive(UInt32(key)) }
        bench.ready(2)
        bench.finish(3)
        bench.finish(4)
        bench.finish(2)
        _ = bench.taken()
        // 1 runs 1 and 5 or 6 in some share; bring it to one running, one idle, one starting.
        bench.finish(5)
        bench.finish(6)
        _ = bench.taken()
        bench.drain()
        let drained = bench.taken()
        #expect(drained.contains(.retire(2)))
        #expect(!drained.contains(.retire(1)))
        bench.arrive(9)
        #expect(bench.taken() == [.end(9, .shed(.draining, retryAfter: .seconds(1)))])
        // What runs is not hurried by the time that a retired worker has to leave.
        bench.pass(.seconds(5))
        #expect(!bench.taken().contains { if case .kill(1, _) = $0 { true } else { false } })
        bench.finish(1)
        #expect(bench.taken() == [.retire(1)])
        bench.exit(1)
        bench.exit(2)
        bench.exit(3)
        #expect(bench.taken() == [])
        #expect(bench.machine.isEmpty)
    }

    @Test("draining sheds the queue and kills workers that are still starting")
    func drainStarting() {
        var bench = MachineBench()
        bench.arrive(1)
        _ = bench.taken()
        bench.drain()
        #expect(
            bench.taken() == [
                .end(1, .shed(.draining, retryAfter: .seconds(1))), .kill(1, why: "the host is stopping"),
            ]
        )
        bench.ready(1)
        bench.exit(1)
        #expect(bench.taken() == [])
        #expect(bench.machine.isEmpty)
    }

    @Test("abandoning kills what still runs, and its callers hear that the host is stopping")
    func abandon() {
        var bench = MachineBench { $0.idempotent = true }
        bench.serve(1)
        bench.drain()
        bench.abandon()
        #expect(
            bench.taken() == [
                .end(1, .shed(.draining, retryAfter: .seconds(1))), .kill(1, why: "the host is stopping"),
            ]
        )
        bench.exit(1, begun: [], "killed")
        #expect(bench.taken() == [])
        #expect(bench.machine.isEmpty)
    }

    @Test("a worker that is not ready in time is killed and counts as a crash")
    func startTimeout() {
        var bench = MachineBench()
        bench.arrive(1, timeout: .seconds(10))
        _ = bench.taken()
        bench.pass(PoolMachine.startMax)
        #expect(bench.taken().contains { if case .kill(1, _) = $0 { true } else { false } })
    }
}
