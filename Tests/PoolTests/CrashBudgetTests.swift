import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("crash budget", .timeLimit(.minutes(1)))
struct CrashBudgetTests {
    private let start = Monotonic(nanoseconds: 1_000_000_000_000)

    @Test(
        "four crashes in a row are allowed, the fifth closes for half a second, and the wait doubles to 30 s"
    )
    func waits() {
        var budget = CrashBudget()
        var waits: [Duration?] = []
        for _ in 0..<13 {
            budget.crashed(at: start)
            waits.append(budget.closedFor(at: start))
        }
        #expect(waits[..<4].allSatisfy { $0 == nil })
        let seconds = waits[4...].map { $0.map { Double($0.nanoseconds) / 1e9 } }
        #expect(seconds == [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    }

    @Test("the wait passes, and a served invocation ends the row")
    func served() {
        var budget = CrashBudget()
        for _ in 0..<6 { budget.crashed(at: start) }
        #expect(budget.closedFor(at: start + .milliseconds(999)) == .milliseconds(1))
        #expect(budget.closedFor(at: start + .seconds(1)) == nil)
        budget.served()
        budget.crashed(at: start + .seconds(1))
        #expect(budget.closedFor(at: start + .seconds(1)) == nil)
    }

    @Test("a minute without a crash ends the row")
    func decays() {
        var budget = CrashBudget()
        for _ in 0..<4 { budget.crashed(at: start) }
        budget.crashed(at: start + .seconds(61))
        #expect(budget.closedFor(at: start + .seconds(61)) == nil)
    }

    @Test("a function whose workers crash is closed, sheds at once, and is tried again after the wait")
    func loop() {
        var bench = MachineBench()
        bench.arrive(1)
        bench.arrive(2)
        for worker in 1...4 { bench.exit(worker) }
        // The two workers first started die, then their successors.
        #expect(bench.machine.waitingCount == 2)
        _ = bench.taken()
        bench.exit(5)
        let wait = Duration.milliseconds(500)
        #expect(
            bench.taken() == [
                .end(1, .shed(.crashLoop, retryAfter: wait)), .end(2, .shed(.crashLoop, retryAfter: wait)),
            ]
        )
        bench.arrive(3)
        #expect(bench.taken() == [.end(3, .shed(.crashLoop, retryAfter: wait))])
        bench.pass(wait)
        bench.exit(6)
        _ = bench.taken()
    }

    @Test("min workers of a crashing function are tried again after each wait, and not before")
    func minWorkers() {
        var bench = MachineBench { $0.scale.min = 1 }
        bench.start()
        for worker in 1...5 { bench.exit(worker) }
        #expect(bench.taken().filter { if case .spawn = $0 { true } else { false } }.count == 5)
        bench.pass(.milliseconds(499))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(2))
        #expect(bench.taken() == [.spawn(6)])
        bench.exit(6)
        bench.pass(.milliseconds(999))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(2))
        #expect(bench.taken() == [.spawn(7)])
    }

    @Test("a worker that told its caller why it could not start has served nobody")
    func failedStarts() {
        var bench = MachineBench()
        for start in 1...5 {
            bench.serve(UInt32(start), on: start)
            bench.finish(UInt32(start), served: false)
            bench.exit(start)
        }
        _ = bench.taken()
        bench.arrive(6)
        #expect(bench.taken() == [.end(6, .shed(.crashLoop, retryAfter: .milliseconds(500)))])
    }

    @Test("a worker that leaves when asked, or is killed for a time limit, is no crash")
    func notCrashes() {
        var bench = MachineBench { $0.scale.idle = .seconds(1) }
        for key in 1...8 {
            bench.serve(UInt32(key), on: key)
            bench.pass(.seconds(10))
            bench.finish(UInt32(key))
            bench.exit(key)
        }
        _ = bench.taken()
        bench.arrive(99)
        #expect(bench.taken() == [.spawn(9)])
    }
}
