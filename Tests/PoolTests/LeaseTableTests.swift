import Seeds
import Testing

@testable import WorkerPool

@Suite("leases", .timeLimit(.minutes(1)))
struct LeaseTableTests {
    @Test("the fullest worker below the target gets the next client, which waits where all are full")
    func fill() {
        var table = LeaseTable(target: 10)
        for lease in 1...11 as ClosedRange<UInt32> {
            table.take(lease)
            table.settle(serving: [1])
        }
        #expect(table.count == 11)
        #expect(table.count(on: 1) == 10)
        #expect(table.holder(of: 11) == nil)
        table.settle(serving: [1, 2])
        #expect(table.holder(of: 11) == 2)
        #expect(table.giveBack(3) == nil)
        table.take(12)
        table.settle(serving: [1, 2])
        #expect(table.holder(of: 12) == 1)
        #expect(table.giveBack(11) == 2)
        #expect(table.giveBack(11) == nil)
    }

    @Test("the clients of a worker that leaves go to the others")
    func move() {
        var table = LeaseTable(target: nil)
        for lease in 1...4 as ClosedRange<UInt32> { table.take(lease) }
        table.settle(serving: [7])
        table.settle(serving: [8, 9])
        #expect(table.count(on: 7) == 0)
        #expect(table.count(on: 9) == 4)
        table.settle(serving: [])
        #expect(table.count == 4)
        #expect(table.holder(of: 1) == nil)
    }

    @Test("whatever happens, each client has one worker that serves, or waits because all are full")
    func random() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed)
            let target = Int.random(in: 1...5, using: &random)
            var table = LeaseTable(target: target)
            var leases: [UInt32] = []
            var serving: [Int] = []
            var next: UInt32 = 0
            for _ in 0..<200 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    next += 1
                    leases.append(next)
                    table.take(next)
                case 2:
                    guard let index = leases.indices.randomElement(using: &random) else { continue }
                    _ = table.giveBack(leases.remove(at: index))
                case 3: serving.append((serving.max() ?? 0) + 1)
                default:
                    guard let index = serving.indices.randomElement(using: &random) else { continue }
                    serving.remove(at: index)
                }
                table.settle(serving: serving)
                #expect(table.count == leases.count)
                let held = serving.map { table.count(on: $0) }
                #expect(held.allSatisfy { $0 <= target })
                #expect(held.reduce(0, +) == min(leases.count, serving.count * target), "seed \(seed)")
                for lease in leases {
                    guard let holder = table.holder(of: lease) else { continue }
                    #expect(serving.contains(holder))
                }
            }
        }
    }
}
