import LambdaEvents
import LambdaRuntime
import Processes
import Seeds
import Testing

@Suite("Runtime machine, any sequence", .timeLimit(.minutes(1)))
struct RuntimeSequenceTests {
    /// What has to hold whatever a runtime does.
    private struct World {
        var machine: RuntimeMachine
        let concurrency: Int
        var sent: Set<UInt32> = []
        var ended: Set<UInt32> = []
        /// Clients of which each waits for one answer.
        var asking: Set<Int> = []
        var sending: Set<Int> = []
        var readies = 0
        var ends = 0
        var faults: [String] = []

        init(_ concurrency: Int) {
            self.concurrency = concurrency
            machine = RuntimeMachine(concurrency: concurrency)
        }

        mutating func take(_ actions: [RuntimeMachine.Action]) {
            for action in actions {
                switch action {
                case .ready, .startFailed: readies += 1
                case .hand(let key, let client, _):
                    if asking.remove(client) == nil { faults.append("\(client) had not asked") }
                    if !sent.contains(key) || ended.contains(key) { faults.append("\(key) was handed out") }
                case .answer(let client, _):
                    if asking.remove(client) == nil, sending.remove(client) == nil {
                        faults.append("\(client) had nothing to hear")
                    }
                case .take(_, let client, _), .takeInitError(let client):
                    if !sending.contains(client) { faults.append("\(client) sent nothing") }
                case .complete(let key), .fail(let key, _), .leaveOut(let key):
                    if !ended.insert(key).inserted { faults.append("\(key) ended twice") }
                case .end: ends += 1
                case .terminate, .kill: break
                }
            }
        }
    }

    @Test(
        "every invocation ends once, every request is answered once, and the worker ends once",
        arguments: 0..<300
    )
    func sequences(seed: UInt64) {
        var random = SeededRandom(seed)
        var world = World(Int.random(in: 1...3, using: &random))
        var key: UInt32 = 0
        for _ in 0..<200 {
            let client = Int.random(in: 1...4, using: &random)
            let isBusy = world.asking.contains(client) || world.sending.contains(client)
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2 where world.readies > 0 && world.sent.count - world.ended.count < world.concurrency:
                key += 1
                world.sent.insert(key)
                world.take(world.machine.invoked(key, request: "r\(key)"))
            case 3...5 where !isBusy:
                world.asking.insert(client)
                world.take(world.machine.asked(client))
            case 6 where world.sending.contains(client): world.take(world.machine.sent(client))
            case 7 where !isBusy:
                world.sending.insert(client)
                let asError = Bool.random(using: &random)
                let request = "r\(UInt32.random(in: 0...max(1, key), using: &random))"
                world.take(world.machine.responded(client, to: request, asError: asError, mode: nil))
            case 8 where world.sending.contains(client): world.take(world.machine.exceeded(client))
            case 9:
                let actions = world.machine.left(client)
                world.take(actions)
                world.asking.remove(client)
                world.sending.remove(client)
            case 10: world.take(world.machine.cancelled(key, isOverdue: Bool.random(using: &random)))
            default: break
            }
            #expect(world.readies <= 1)
        }
        world.take(world.machine.drained())
        world.take(world.machine.exited(.signalled(15), .exited("signal: terminated")))
        #expect(world.ends == 1)
        #expect(world.faults == [], "seed \(seed)")
    }
}
