import FunctionCore
import Invocations
import NIOCore
import Processes
import Scaling

/// A pool's view of the host's capacity: what it asks for, and what it could spare.
extension FunctionPool {
    private func holder(_ id: PoolMachine.WorkerID) -> CapacityLedger.Holder {
        CapacityLedger.Holder(manifest.name, pool: seat, worker: id)
    }

    /// Asks for room for a worker.
    func reserve(_ id: PoolMachine.WorkerID, urgent: Bool) {
        guard let capacity else { return }
        if capacity.request(holder(id), capacity.profile.need(of: manifest), urgent: urgent) {
            return roomGranted(id)
        }
        // Told once for a wait, however many workers and invocations it holds up.
        guard urgent, !lacksRoom else { return }
        lacksRoom = true
        report(.lacksRoom(function: manifest.name, lacking: capacity.lacking(holder(id)).text))
    }

    func roomGranted(_ id: PoolMachine.WorkerID) {
        perform(machine.granted(id, at: .now))
        if machine.pendingCount == 0 { lacksRoom = false }
    }

    /// A worker has gone, or is not wanted any more.
    func freeRoom(_ id: PoolMachine.WorkerID) { capacity?.release(holder(id)) }

    /// Tells which workers could leave.
    func offerRoom() {
        let spare = machine.spare
        offered = spare
        capacity?.offer(seat, spare)
    }

    /// While somebody waits for room, every change of what could be spared is told.
    func offerRoomIfPressed() {
        guard let capacity, capacity.isPressed, machine.spare != offered else { return }
        offerRoom()
    }

    /// Somebody else needs the room of a worker that was idle.
    func makeRoom(_ id: PoolMachine.WorkerID) {
        if machine.spare[id] == nil {
            capacity?.keep(holder(id))
        } else {
            perform(machine.evicted(id, at: .now))
        }
    }
}

/// What a pool with a target remembers to look at itself.
struct PoolScaler {
    /// Often enough that a burst is met within half a second; a look takes some microseconds.
    static let period = Duration.milliseconds(250)
    /// Two minutes; the admin port gives them out as a trace.
    private static let recentMax = 480

    private(set) var policy: ScalePolicy
    /// What waits outside the host, by source.
    var backlogs: [String: Int] = [:]
    var decision: ScaleDecision?
    private(set) var recent: [ScaleSample] = []
    private var last: Monotonic
    private var arrivals = 0
    private var used: [PoolMachine.WorkerID: Duration] = [:]
    var timer: RepeatedTask?

    init(_ scale: Manifest.Scale, at now: Monotonic) {
        policy = ScalePolicy(scale)
        last = now
    }

    /// Looks at the machine and decides.
    mutating func look(
        _ machine: PoolMachine,
        _ processes: [PoolMachine.WorkerID: Int32],
        at now: Monotonic
    ) -> Int {
        let seconds = max(Double((now - last).nanoseconds) / 1e9, 0.001)
        last = now
        var values: [ScaleMetric: Double] = [:]
        for metric in machine.scale.target.keys {
            switch metric {
            case .inFlight: values[metric] = Double(machine.runningCount)
            case .queueDepth:
                values[metric] = Double(machine.waitingCount + backlogs.values.reduce(0, +))
            case .connections: values[metric] = Double(machine.connectionCount)
            case .requestRate: values[metric] = Double(machine.arrivals - arrivals) / seconds
            case .cpu: values[metric] = processorTime(processes) / seconds * 100
            }
        }
        arrivals = machine.arrivals
        let sample = ScaleSample(at: now, workers: machine.workerCount, values: values)
        if recent.count >= PoolScaler.recentMax { recent.removeFirst(PoolScaler.recentMax / 4) }
        recent.append(sample)
        let decision = policy.decide(sample)
        self.decision = decision
        return decision.wanted
    }

    /// Seconds of processor time since the last look, of all workers.
    private mutating func processorTime(_ processes: [PoolMachine.WorkerID: Int32]) -> Double {
        var total = Duration.zero
        var now: [PoolMachine.WorkerID: Duration] = [:]
        for (id, pid) in processes {
            guard let time = Processes.processorTime(of: pid) else { continue }
            now[id] = time
            total += max(.zero, time - (used[id] ?? .zero))
        }
        used = now
        return Double(total.nanoseconds) / 1e9
    }

    /// There is something to look at, from now on.
    mutating func begin(at now: Monotonic) { last = now }

    /// Nothing is left to look at: what comes next begins anew.
    mutating func rest(_ scale: Manifest.Scale) {
        timer?.cancel()
        timer = nil
        policy = ScalePolicy(scale)
        decision = nil
        used = [:]
    }
}

extension FunctionPool {
    /// Sets the timer of a pool that has a target, while there is something to look at.
    func wakeScaler() {
        guard scaler != nil, scaler?.timer == nil, !isAtRest else { return }
        scaler?.begin(at: .now)
        let period = TimeAmount.nanoseconds(PoolScaler.period.nanoseconds)
        scaler?.timer = loop.scheduleRepeatedTask(initialDelay: period, delay: period) { [weak self] _ in
            self?.rescale()
        }
    }

    /// So many events wait outside the host; counted as `queueDepth`.
    package func backlog(in source: String, _ count: Int) {
        guard manifest.scale.target[.queueDepth] != nil else { return }
        loop.execute { self.scaler?.backlogs[source] = count }
    }

    private func rescale() {
        guard !isAtRest else {
            scaler?.rest(manifest.scale)
            return
        }
        let now = Monotonic.now
        let processes = links.mapValues(\.pid).filter { $0.value > 0 }
        guard let wanted = scaler?.look(machine, processes, at: now) else { return }
        perform(machine.scaled(to: wanted, at: now))
        if isAtRest { scaler?.rest(manifest.scale) }
    }

    /// Nothing is to be scaled: there is neither work nor worker, or the pool is on its way out.
    private var isAtRest: Bool { machine.isAsleep || machine.draining || successor != nil }
}
