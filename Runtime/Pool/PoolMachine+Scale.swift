import FunctionCore
import Invocations
import Scaling

/// How many workers there are: by what waits, by `min`, by the policy, by what the host has left.
extension PoolMachine {
    /// Below this no worker leaves for being idle.
    var floor: Int { min(max(scale.min, wanted, kept), scale.max) }

    /// How far a worker is filled before the next is used: to the target, where there is one for what it runs.
    static func fill(_ manifest: Manifest) -> Int {
        let room = manifest.limits.perWorker
        let target = [ScaleMetric.inFlight, .connections].compactMap { manifest.scale.target[$0] }.min()
        return min(target ?? (room + 1) / 2, room)
    }

    // MARK: Facts

    /// The policy wants so many workers.
    ///
    /// Where that is fewer, those with least to do take nothing new and leave when they are done.
    package mutating func scaled(to wanted: Int, at now: Monotonic) -> [Action] {
        guard wanted != self.wanted else { return [] }
        return step(now) { machine in
            let before = machine.floor
            machine.wanted = wanted
            if machine.floor < before, machine.waiting.isEmpty { machine.shrink(at: now) }
        }
    }

    /// So many are to be there whether anything arrives or not, as for a window that opens soon.
    package mutating func keep(_ count: Int, at now: Monotonic) -> [Action] {
        guard count != kept else { return [] }
        return step(now) { $0.kept = count }
    }

    /// Nothing more is to come for a while, as a window is over: idle workers leave at once.
    package mutating func rest(at now: Monotonic) -> [Action] {
        step(now) { machine in
            machine.kept = 0
            machine.retireIdle(now, after: .zero)
        }
    }

    /// The host's ledger has what a worker takes.
    package mutating func granted(_ id: WorkerID, at now: Monotonic) -> [Action] {
        step(now) { machine in
            guard machine.workers[id]?.phase == .pending else { return }
            machine.workers[id] = Worker(.starting, at: now)
            machine.pendingCount -= 1
            machine.actions.append(.spawn(id))
        }
    }

    /// Somebody else needs the room of a worker; only one that `spare` tells of leaves.
    package mutating func evicted(_ id: WorkerID, at now: Monotonic) -> [Action] {
        step(now) { machine in
            guard machine.spare[id] != nil else { return }
            machine.idle.removeAll { $0 == id }
            machine.retire(id, at: now)
        }
    }

    // MARK: What the shell may ask

    /// The workers that could leave without harm, and since when each has been idle: all idle ones without a
    /// client, but `min` stay.
    package var spare: [WorkerID: Monotonic] {
        let alive = workers.values.count { $0.phase == .serving || $0.phase == .starting }
        let free = idle.filter { id in workers[id].map { isSpare(id, $0) } ?? false }
        // The first of `idle` has not been used for longest.
        return free.prefix(max(0, alive - scale.min)).reduce(into: [:]) { $0[$1] = workers[$1]?.since }
    }

    /// For how long workers have lived, all together.
    package func workerTime(at now: Monotonic) -> Duration {
        workers.values.reduce(lived) { $1.phase == .pending ? $0 : $0 + (now - $1.born) }
    }

    /// Whether the policy has nothing to look at.
    package var isAsleep: Bool { isEmpty && wanted == 0 && leases.count == 0 }

    // MARK: Decisions

    /// Starts workers for what still waits and up to the floor, and gives up those that are no longer wanted.
    mutating func grow(at now: Monotonic) {
        var (starting, alive, serial) = (0, 0, false)
        workers.forEach { _, worker in
            serial = serial || worker.serial
            switch worker.phase {
            case .starting:
                starting += 1
                alive += 1
            case .serving: alive += worker.emptying ? 0 : 1
            case .pending, .condemned, .retiring, .killed: break
            }
        }
        // What somebody waits for, and what is wanted besides.
        var (work, missing) = (0, 0)
        if !draining, crashes.closedFor(at: now) == nil {
            // What the host's bound holds back needs no worker more.
            let served = isHeld ? 0 : min(waiting.count, max(0, limits.maxInFlight - unanswered))
            let each = serial ? pace.ahead(atMost: limits.perWorker) : limits.perWorker
            // Those that a successor starts with are awaited by whoever is to hand over to it.
            let promised = max(scale.min, warming) - alive
            work = max((served + each - 1) / each - starting, promised, 0)
            missing = max(work, floor - alive)
        }
        if pendingCount > 0 { review(work: work, missing: missing) }
        // Condemned workers still hold their memory, so they count against `max` until they are gone.
        let most = min(missing, pendingCount + scale.max - workers.count)
        guard pendingCount < most else { return }
        for index in pendingCount..<most { add(urgent: index < work, at: now) }
    }

    /// Gives up pending workers beyond what is missing, and has those that work waits for served first.
    private mutating func review(work: Int, missing: Int) {
        let pending = workers.keys.filter { workers[$0]?.phase == .pending }.sorted()
        for id in pending.dropFirst(missing) { giveUp(id) }
        for id in pending.prefix(work) where workers[id]?.urgent == false {
            workers[id]?.urgent = true
            actions.append(.reserve(id, urgent: true))
        }
    }

    private mutating func add(urgent: Bool, at now: Monotonic) {
        nextWorker += 1
        recount = true
        var worker = Worker(asksForCapacity ? .pending : .starting, at: now)
        worker.urgent = urgent
        workers[nextWorker] = worker
        if asksForCapacity { pendingCount += 1 }
        actions.append(asksForCapacity ? .reserve(nextWorker, urgent: urgent) : .spawn(nextWorker))
    }

    mutating func giveUp(_ id: WorkerID) {
        workers[id] = nil
        pendingCount -= 1
        actions.append(.giveUp(id))
    }

    /// Workers that were to leave, and have room for more.
    var recallable: [WorkerID] {
        // Without a target no worker is ever emptied.
        if scale.target.isEmpty { return [] }
        return workers.keys.filter { id in
            guard let worker = workers[id] else { return false }
            return worker.phase == .serving && worker.emptying && worker.inFlight < limits.perWorker
        }.sorted()
    }

    /// Calls back workers that were to leave, where they are wanted again.
    ///
    /// True where one was.
    mutating func callBack() -> Bool {
        let useful = recallable
        guard !draining, !useful.isEmpty else { return false }
        let alive = workers.values.count {
            $0.phase == .starting || ($0.phase == .serving && !$0.emptying)
        }
        let waits = unanswered >= limits.maxInFlight ? 0 : waiting.count
        let needed = max((waits + limits.perWorker - 1) / limits.perWorker, floor - alive)
        guard needed > 0 else { return false }
        for id in useful.prefix(needed) {
            workers[id]?.emptying = false
            idle.append(id)
        }
        recount = true
        return true
    }

    /// Lets workers above the floor go: idle ones at once, the others when they are done.
    ///
    /// Their clients are the others' from now on.
    private mutating func shrink(at now: Monotonic) {
        let serving = workers.keys.filter { workers[$0]?.phase == .serving && workers[$0]?.emptying == false }
        func rank(_ id: WorkerID) -> (Int, Monotonic, WorkerID) {
            ((workers[id]?.inFlight ?? 0) + leases.count(on: id), workers[id]?.since ?? now, id)
        }
        for id in serving.sorted(by: { rank($0) < rank($1) }).prefix(max(0, serving.count - floor)) {
            idle.removeAll { $0 == id }
            if workers[id]?.inFlight == 0 {
                retire(id, at: now)
            } else {
                workers[id]?.emptying = true
            }
        }
    }
}
