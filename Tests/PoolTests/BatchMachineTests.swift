import FunctionCore
import Invocations
import Seeds
import Testing

@testable import WorkerPool

@Suite("batches", .timeLimit(.minutes(1)))
struct BatchMachineTests {
    private let start = Monotonic(nanoseconds: 0)
    private let anybody = BatchMachine.Kin()

    private func check(_ actions: [BatchMachine.Action], _ expected: [BatchMachine.Action]) {
        #expect(actions == expected)
    }

    private func machine(max: Int = 3, bytes: Int = 1000) -> BatchMachine {
        BatchMachine(Manifest.Batch(max: max, window: .milliseconds(5)), bytesMax: bytes)
    }

    @Test("a batch leaves when it is full, or when its window is over, in the order of arrival")
    func fullAndDue() {
        var machine = machine()
        let due = start + .milliseconds(5)
        check(machine.arrived(1, anybody, bytes: 1, at: start), [.wake(at: due)])
        check(machine.arrived(2, anybody, bytes: 1, at: start), [])
        check(machine.arrived(3, anybody, bytes: 1, at: start), [.send([1, 2, 3])])
        check(machine.due(at: due), [])
        _ = machine.arrived(4, anybody, bytes: 1, at: due)
        check(machine.due(at: due), [])
        check(machine.due(at: due + .milliseconds(5)), [.send([4])])
        #expect(machine.waiting == 0)
    }

    @Test("what would make a batch too large begins the next one")
    func bytes() {
        var machine = machine()
        _ = machine.arrived(1, anybody, bytes: 900, at: start)
        let actions = machine.arrived(2, anybody, bytes: 200, at: start)
        #expect(actions == [.send([1]), .wake(at: start + .milliseconds(5))])
    }

    @Test("events of two principals never go together")
    func kin() {
        var machine = machine(max: 2)
        _ = machine.arrived(1, BatchMachine.Kin(principal: "a"), bytes: 1, at: start)
        _ = machine.arrived(2, BatchMachine.Kin(principal: "b"), bytes: 1, at: start)
        check(machine.arrived(3, BatchMachine.Kin(principal: "a"), bytes: 1, at: start), [.send([1, 3])])
    }

    @Test("whoever leaves while he waits is not run")
    func leaving() {
        var machine = machine()
        _ = machine.arrived(1, anybody, bytes: 1, at: start)
        let (first, second) = (machine.left(1), machine.left(1))
        #expect(first && !second)
        check(machine.due(at: start + .seconds(1)), [])
    }

    @Test("whatever comes in whatever order, each event leaves once, in a batch that keeps the rules")
    func random() {
        for seed in UInt64(0)..<200 {
            var dice = SeededRandom(seed)
            var machine = machine(max: 4, bytes: 50)
            var (now, sent, gone, sizes) = (start, [Int](), Set<Int>(), [Int: Int]())
            func take(_ actions: [BatchMachine.Action]) {
                for case .send(let ids) in actions {
                    #expect(ids.count <= 4 && ids == ids.sorted())
                    #expect(ids.count == 1 || ids.reduce(0) { $0 + (sizes[$1] ?? 0) } <= 50)
                    sent += ids
                }
            }
            for id in 1...100 {
                sizes[id] = Int.random(in: 1...60, using: &dice)
                let kin = BatchMachine.Kin(principal: Bool.random(using: &dice) ? "a" : nil)
                take(machine.arrived(id, kin, bytes: sizes[id] ?? 0, at: now))
                if Int.random(in: 0..<5, using: &dice) == 0, machine.left(id) { gone.insert(id) }
                now = now + .milliseconds(Int.random(in: 0...3, using: &dice))
                take(machine.due(at: now))
            }
            take(machine.due(at: now + .seconds(1)))
            #expect(Set(sent).union(gone) == Set(1...100) && sent.count + gone.count == 100, "seed \(seed)")
        }
    }
}
