import FunctionCore
import Invocations

@testable import WorkerPool

/// What a machine's decisions lead to: workers, what they hold, who has been answered.
///
/// It notes every breach of a rule.
struct PoolWorld {
    struct Worker {
        var ready = false
        var leaving = false
        var killed = false
        var held: Set<UInt32> = []
        var begun: Set<UInt32> = []
    }

    let manifest: Manifest
    /// Whether workers run one invocation after the other.
    let serial: Bool
    var machine: PoolMachine
    var now = Monotonic(nanoseconds: 5_000_000_000_000)
    private(set) var workers: [Int: Worker] = [:]
    /// Asked for, and not granted yet.
    private(set) var pending: Set<Int> = []
    let asksForCapacity: Bool
    private(set) var arrived: Set<UInt32> = []
    private(set) var ended: Set<UInt32> = []
    private let noted = Breaches()
    private(set) var spawned = 0
    /// How many were sent to a worker, and how many of them a worker finished.
    private(set) var sends = 0
    private(set) var finishes = 0
    /// How many were taken back from behind a slow one.
    private(set) var recalls = 0
    private var next: UInt32 = 0
    private var draining = false

    init(_ manifest: Manifest, serial: Bool, asksForCapacity: Bool = false) {
        self.manifest = manifest
        self.serial = serial
        self.asksForCapacity = asksForCapacity
        machine = PoolMachine(manifest, asksForCapacity: asksForCapacity)
        perform(machine.started(at: now))
    }

    /// What rules have been broken, in order.
    var breaches: [String] { noted.all }

    private final class Breaches {
        var all: [String] = []
    }

    private func expect(_ rule: Bool, _ breach: @autoclosure () -> String) {
        if !rule { noted.all.append(breach()) }
    }

    // MARK: Decisions

    private mutating func perform(_ actions: [PoolMachine.Action]) {
        var recalled: [(keys: [UInt32], id: Int)] = []
        for action in actions {
            switch action {
            case .spawn(let id):
                expect(asksForCapacity || id == spawned + 1, "worker ids do not count up: \(id)")
                expect(!draining, "a worker is started while the pool drains")
                spawned = id
                workers[id] = Worker()
                expect(workers.count <= manifest.scale.max, "\(workers.count) workers")
            case .reserve(let id, _):
                expect(asksForCapacity, "worker \(id) is asked for, and need not be")
                expect(!draining, "a worker is asked for while the pool drains")
                pending.insert(id)
                let count = workers.count + pending.count
                expect(count <= manifest.scale.max, "\(count) workers, \(pending.count) of them pending")
            case .giveUp(let id):
                expect(pending.remove(id) != nil, "worker \(id) is given up, and was not asked for")
            case .send(let key, let id, _): sent(key, id)
            case .cancel(let key, let id):
                expect(
                    workers[id]?.held.contains(key) == true,
                    "cancel \(key) of worker \(id), which does not have it"
                )
            case .recall(let keys, let id): recalled.append((keys, id))
            case .retire(let id):
                expect(workers[id]?.leaving == false, "worker \(id) is retired, but gone or leaving")
                expect(workers[id]?.held.isEmpty != false, "worker \(id) is retired with work")
                workers[id]?.leaving = true
            case .kill(let id, _):
                expect(workers[id]?.killed == false, "worker \(id) is killed, but gone or killed")
                workers[id]?.killed = true
            case .end(let key, _): end(key)
            }
        }
        check()
        for (keys, id) in recalled { takeBack(keys, from: id) }
    }

    /// As the shell does: what has begun stays; what has not goes by another key.
    private mutating func takeBack(_ keys: [UInt32], from id: Int) {
        expect(manifest.limits.perWorker > 1 && serial, "\(keys) are recalled from a worker without a queue")
        expect(keys == keys.sorted(), "\(keys) are recalled out of order")
        var taken: [(key: UInt32, newKey: UInt32)] = []
        for key in keys {
            guard workers[id]?.held.contains(key) == true else {
                expect(false, "\(key) is recalled from worker \(id), which does not have it")
                continue
            }
            guard workers[id]?.begun.contains(key) == false else { continue }
            workers[id]?.held.remove(key)
            next += 1
            arrived.remove(key)
            arrived.insert(next)
            taken.append((key, next))
        }
        recalls += taken.count
        if !taken.isEmpty { perform(machine.withdrawn(taken, at: now)) }
    }

    private mutating func sent(_ key: UInt32, _ id: Int) {
        expect(!ended.contains(key), "\(key) is sent after its end")
        expect(!workers.values.contains { $0.held.contains(key) }, "\(key) is sent twice")
        guard let worker = workers[id] else {
            return expect(false, "\(key) is sent to worker \(id), which is gone")
        }
        expect(
            worker.ready && !worker.leaving && !worker.killed,
            "\(key) is sent to worker \(id) in \(worker)"
        )
        expect(
            worker.held.count < manifest.limits.perWorker,
            "worker \(id) holds \(worker.held.count) and gets \(key)"
        )
        if serial, !worker.held.isEmpty {
            let free = workers.filter { other, state in
                state.ready && !state.leaving && !state.killed && state.held.isEmpty
                    && !machine.isLeaving(other)
            }
            expect(free.isEmpty, "\(key) is put behind another, while \(free.keys.sorted()) are free")
        }
        workers[id]?.held.insert(key)
        sends += 1
        let answered = workers.values.reduce(into: 0) { $0 += $1.held.count { !ended.contains($0) } }
        expect(answered <= manifest.limits.maxInFlight, "\(answered) are in flight")
    }

    private mutating func end(_ key: UInt32) {
        expect(arrived.contains(key), "\(key) ends and never arrived")
        let first = ended.insert(key).inserted
        expect(first, "\(key) ends twice")
    }

    private func check() {
        let limits = manifest.limits
        expect(
            machine.workerCount == workers.count,
            "the machine counts \(machine.workerCount) of \(workers.count)"
        )
        if machine.waitingCount > 0, machine.runningCount < limits.maxInFlight {
            let free = workers.filter { id, worker in
                worker.ready && !worker.leaving && !worker.killed
                    && worker.held.count < (serial ? 1 : limits.perWorker) && !machine.isLeaving(id)
            }
            expect(free.isEmpty, "\(machine.waitingCount) wait while workers \(free.keys.sorted()) have room")
            let starting = !pending.isEmpty || workers.values.contains { !$0.ready }
            let room = workers.count < manifest.scale.max && machine.crashes.closedFor(at: now) == nil
            expect(starting || !room, "\(machine.waitingCount) wait and no worker is started")
        }
        if let due = machine.nextTick {
            expect(machine.alarm.map { $0 <= due } ?? false, "the alarm is later than what is due")
        }
        let most = limits.queue + manifest.scale.max * limits.perWorker
        expect(machine.waitingCount <= most, "\(machine.waitingCount) wait")
    }

    // MARK: Facts

    mutating func arrive(timeout: Duration?) {
        next += 1
        arrived.insert(next)
        perform(machine.arrived(next, timeout: timeout, at: now))
    }

    mutating func becomeReady(_ id: Int) {
        guard workers[id]?.ready == false, workers[id]?.killed == false else { return }
        workers[id]?.ready = true
        perform(machine.becameReady(id, serial: serial, at: now))
    }

    mutating func grant(_ id: Int) {
        guard pending.remove(id) != nil else { return }
        perform(machine.granted(id, at: now))
    }

    mutating func evict(_ id: Int) { perform(machine.evicted(id, at: now)) }

    mutating func scale(to wanted: Int) { perform(machine.scaled(to: wanted, at: now)) }

    mutating func keep(_ count: Int) { perform(machine.keep(count, at: now)) }
    mutating func rest() { perform(machine.rest(at: now)) }

    mutating func begin(_ key: UInt32, on id: Int) { workers[id]?.begun.insert(key) }

    mutating func reply(_ key: UInt32, on id: Int) {
        workers[id]?.begun.insert(key)
        if !ended.contains(key) { machine.replied(key, at: now) }
    }

    mutating func finish(_ key: UInt32, on id: Int) {
        guard workers[id]?.held.remove(key) != nil else { return }
        workers[id]?.begun.remove(key)
        if !ended.contains(key) { end(key) }
        finishes += 1
        perform(machine.finished(key, at: now))
    }

    mutating func cancel(_ key: UInt32) { perform(machine.cancelled(key, at: now)) }

    mutating func exit(_ id: Int) {
        guard let worker = workers.removeValue(forKey: id) else { return }
        perform(machine.exited(id, reason: "gone", begun: worker.begun, at: now))
    }

    mutating func pass(_ duration: Duration) {
        now = now + duration
        perform(machine.ticked(at: now))
        if let tick = machine.nextTick {
            expect(tick > now, "after a tick the machine asks for a moment \(now - tick) ago")
        }
    }

    mutating func drain() {
        draining = true
        perform(machine.drain(at: now))
    }

    mutating func abandon() { perform(machine.abandon(at: now)) }
}
