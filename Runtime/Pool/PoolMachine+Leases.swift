import FunctionCore
import Invocations

/// Connected clients: each is a lease on a worker, which gets the client's events and does not leave for being
/// idle.
///
/// A lease never holds an event up: where its worker has no room and another has, the event goes there.
extension PoolMachine {
    // MARK: Facts

    /// A client is connected.
    package mutating func leaseTaken(_ lease: UInt32, at now: Monotonic) -> [Action] {
        step(now) { $0.leases.take(lease) }
    }

    /// The client is gone.
    package mutating func leaseReturned(_ lease: UInt32, at now: Monotonic) -> [Action] {
        step(now) { machine in
            guard let id = machine.leases.giveBack(lease), let worker = machine.workers[id],
                worker.phase == .serving, worker.inFlight == 0
            else { return }
            // Idle since its last client left, not since that one last said something.
            machine.workers[id]?.since = now
            guard machine.draining else { return }
            machine.idle.removeAll { $0 == id }
            machine.retire(id, at: now)
        }
    }

    // MARK: What the shell may ask

    /// Users who are connected: WebSocket clients, and streams that are open.
    package var connectionCount: Int {
        leases.count
            + running.values.count { $0.replyBegan != nil && !$0.answered && $0.lease == LeaseTable.none }
    }

    // MARK: Decisions

    /// Whether a worker may leave for being idle: it has nothing to do, and no client.
    func isSpare(_ id: WorkerID, _ worker: Worker) -> Bool {
        worker.inFlight == 0 && leases.count(on: id) == 0
    }

    /// The place in `idle` of the worker that takes an event of a client's, or any other.
    func chosen(for lease: UInt32, at now: Monotonic) -> Int? {
        if lease != LeaseTable.none, let holder = leases.holder(of: lease),
            let index = idle.firstIndex(of: holder), let worker = workers[holder],
            worker.inFlight == 0 || !worker.serial
        {
            return index
        }
        return chosen(at: now)
    }

    /// Workers have come or gone.
    mutating func settleLeases() {
        guard leases.count > 0 else { return }
        let full = workers.keys.filter { id in
            guard let worker = workers[id] else { return false }
            return worker.phase == .serving && !worker.emptying && !idle.contains(id)
        }.sorted()
        leases.settle(serving: full + idle)
    }
}
