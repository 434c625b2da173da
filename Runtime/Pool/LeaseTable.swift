/// Which worker serves which connected client.
///
/// A lease is bound to a worker while that one serves. Functions keep nothing between two events, so a lease
/// whose worker leaves is bound to another, and the client notices nothing.
struct LeaseTable: Sendable {
    typealias Lease = UInt32
    typealias WorkerID = PoolMachine.WorkerID

    /// No lease: an invocation that belongs to no client.
    static let none: Lease = 0

    /// How many clients a worker is to have.
    ///
    /// What is beyond is served where there is room, and bound when a worker more has come.
    private let target: Int
    private var holders: [Lease: WorkerID] = [:]
    /// The leases without a worker, the oldest first.
    private var unbound: [Lease] = []
    private var counts: [WorkerID: Int] = [:]

    init(target: Int?) {
        self.target = target ?? .max
    }

    /// How many clients there are.
    var count: Int { holders.count + unbound.count }

    /// How many clients a worker serves.
    func count(on worker: WorkerID) -> Int { counts[worker] ?? 0 }

    /// Who serves a client.
    func holder(of lease: Lease) -> WorkerID? { holders[lease] }

    /// A client has come.
    mutating func take(_ lease: Lease) {
        guard lease != LeaseTable.none, holders[lease] == nil, !unbound.contains(lease) else { return }
        unbound.append(lease)
    }

    /// A client has gone; the worker that has none now, if there is one.
    mutating func giveBack(_ lease: Lease) -> WorkerID? {
        guard let worker = holders.removeValue(forKey: lease) else {
            unbound.removeAll { $0 == lease }
            return nil
        }
        let left = count(on: worker) - 1
        counts[worker] = left > 0 ? left : nil
        return left > 0 ? nil : worker
    }

    /// Brings the leases in line with the workers that serve, the one used last at the end.
    ///
    /// The fullest below the target gets the next, so that the emptier ones can leave.
    mutating func settle(serving: [WorkerID]) {
        for worker in counts.keys.filter({ !serving.contains($0) }) {
            counts[worker] = nil
            // In order, so that a run can be repeated.
            let moved = holders.filter { $0.value == worker }.keys.sorted()
            for lease in moved { holders[lease] = nil }
            unbound += moved
        }
        var bound = 0
        for lease in unbound {
            guard let worker = fullest(of: serving) else { break }
            holders[lease] = worker
            counts[worker, default: 0] += 1
            bound += 1
        }
        unbound.removeFirst(bound)
    }

    private func fullest(of serving: [WorkerID]) -> WorkerID? {
        var best: WorkerID?
        for worker in serving where count(on: worker) < target {
            if count(on: worker) >= best.map({ count(on: $0) }) ?? 0 { best = worker }
        }
        return best
    }
}
