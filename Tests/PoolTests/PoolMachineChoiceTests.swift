import FunctionCore
import Invocations
import Seeds
import Testing

@testable import WorkerPool

@Suite("pool machine: which worker", .timeLimit(.minutes(1)))
struct PoolMachineChoiceTests {
    private func serial(_ workers: Int, perWorker: Int = 8) -> MachineBench {
        var bench = MachineBench {
            $0.scale.max = workers
            $0.scale.min = workers
            $0.limits.perWorker = perWorker
        }
        bench.start()
        for worker in 1...workers { bench.ready(worker, serial: true) }
        _ = bench.taken()
        return bench
    }

    private func sent(_ actions: [PoolMachine.Action]) -> [PoolMachine.WorkerID] {
        actions.compactMap { if case .send(_, let worker, _) = $0 { worker } else { nil } }
    }

    @Test("a free serial worker comes before a place behind somebody, the one used last first")
    func freeFirst() {
        var bench = serial(3)
        for key in 1...3 { bench.arrive(UInt32(key)) }
        #expect(sent(bench.taken()) == [3, 2, 1])
        bench.finish(2)
        bench.arrive(4)
        #expect(sent(bench.taken()) == [2])
        // All are busy: behind as few as can be.
        for key in 5...7 { bench.arrive(UInt32(key)) }
        #expect(Set(sent(bench.taken())) == [1, 2, 3])
    }

    @Test("what finds itself behind a slow one is taken back after 10 ms and goes where there is room first")
    func recall() {
        var bench = serial(2)
        for key in 1...6 { bench.arrive(UInt32(key)) }
        #expect(sent(bench.taken()) == [2, 1, 2, 1, 2, 1])
        for key in [2, 4, 6] { bench.finish(UInt32(key)) }
        bench.pass(.milliseconds(9))
        #expect(bench.taken() == [])
        bench.pass(.milliseconds(1))
        #expect(bench.taken() == [.recall([1, 3, 5], 2)])
        bench.withdraw([(3, 13), (5, 15)])
        #expect(bench.taken() == [.send(13, 1, attempt: 1)])
        bench.finish(13)
        #expect(bench.taken() == [.send(15, 1, attempt: 1)])
        // It is asked once, and nothing more is put behind the slow one.
        bench.arrive(20)
        bench.pass(.seconds(1))
        #expect(!bench.taken().contains { if case .recall(_, 2) = $0 { true } else { false } })
        #expect(bench.machine.runningCount + bench.machine.waitingCount == 3)
    }

    @Test("what is taken back brings a worker into being, where there may be one more")
    func recallStarts() {
        var bench = MachineBench {
            $0.scale.max = 2
            $0.limits.perWorker = 8
        }
        bench.arrive(1)
        bench.ready(1, serial: true)
        bench.arrive(2)
        bench.arrive(3)
        #expect(bench.taken() == [.spawn(1)] + [1, 2, 3].map { .send($0, 1, attempt: 1) })
        bench.pass(.milliseconds(10))
        #expect(bench.taken() == [.recall([1, 2, 3], 1)])
        bench.withdraw([(2, 12), (3, 13)])
        #expect(bench.taken() == [.spawn(2)])
        bench.ready(2, serial: true)
        #expect(bench.taken() == [.send(12, 2, attempt: 1)])
        bench.finish(1)
        #expect(bench.taken() == [.send(13, 1, attempt: 1)])
    }

    @Test("a serial function that is known to be slow is not queued ahead, and a quick one is again")
    func pace() {
        var bench = serial(1)
        for key in 1...20 {
            bench.arrive(UInt32(key))
            bench.pass(.milliseconds(40))
            bench.finish(UInt32(key))
        }
        _ = bench.taken()
        bench.arrive(31)
        bench.arrive(32)
        #expect(bench.taken() == [.send(31, 1, attempt: 1)])
        #expect(bench.machine.waitingCount == 1)
        for key in 31...60 {
            bench.arrive(UInt32(key + 2))
            bench.pass(.microseconds(20))
            bench.finish(UInt32(key))
        }
        _ = bench.taken()
        #expect(bench.machine.waitingCount == 0)
        #expect(bench.machine.runningCount == 2)
    }

    @Test("a cancelled one that its worker had not begun leaves no mark on the worker")
    func cancelBehind() {
        var bench = serial(1)
        bench.arrive(1)
        bench.arrive(2)
        bench.cancel(2)
        #expect(bench.taken().suffix(2) == [.end(2, .cancelled), .cancel(2, 1)])
        bench.withdraw([(2, 2)])
        bench.pass(.seconds(5))
        #expect(bench.taken() == [])
        bench.finish(1)
        #expect(bench.machine.idleCount == 1)
    }

    @Test("workers that run side by side are filled to half their room one after the other, then evenly")
    func packing() {
        var bench = MachineBench {
            $0.scale.max = 2
            $0.scale.min = 2
            $0.limits.perWorker = 4
        }
        bench.start()
        bench.ready(1)
        bench.ready(2)
        _ = bench.taken()
        for key in 1...8 { bench.arrive(UInt32(key)) }
        #expect(sent(bench.taken()) == [2, 2, 1, 1, 2, 1, 2, 1])
        for key in 1...8 { bench.finish(UInt32(key)) }
        bench.arrive(9)
        bench.arrive(10)
        #expect(Set(sent(bench.taken())).count == 1)
    }
}

@Suite("key table", .timeLimit(.minutes(1)))
struct KeyTableMachineTests {
    @Test("it holds what a dictionary holds, through any changes", arguments: 1...10 as ClosedRange<UInt64>)
    func likeDictionary(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var table = KeyTable<UInt32, Int>()
        var dictionary: [UInt32: Int] = [:]
        // Keys that count up, as ids do, and keys that fall on each other's places.
        let spread = [1, 64, 4096].randomElement(using: &random) ?? 1
        for step in 0..<20_000 {
            let key = UInt32(Int.random(in: 1...300, using: &random) * spread)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                table[key] = step
                dictionary[key] = step
            case 1:
                table[key]? += 1
                dictionary[key]? += 1
            case 2: #expect(table.removeValue(forKey: key) == dictionary.removeValue(forKey: key))
            default:
                table[key] = nil
                dictionary[key] = nil
            }
            #expect(table.count == dictionary.count)
            #expect(table[key] == dictionary[key])
        }
        #expect(table.keys.sorted() == dictionary.keys.sorted())
        for (key, value) in dictionary { #expect(table[key] == value) }
        for key in dictionary.keys { table[key] = nil }
        #expect(table.isEmpty && table.keys.isEmpty && table.values.isEmpty)
        #expect(table[0] == nil)
    }
}
