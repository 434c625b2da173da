import FunctionCore
import Invocations
import NIOCore

/// The connected clients of a pool, by the numbers under which the machine knows them.
extension FunctionPool {
    /// A client is connected; the events of its connection belong to it.
    ///
    /// Threading: any. Never at once: a caller may hold a lock.
    package func leaseTaken(by connection: String) {
        loop.execute { [self] in
            guard successor == nil, leases[connection] == nil else { return }
            nextLease = nextLease == .max ? 1 : nextLease + 1
            leases[connection] = nextLease
            perform(machine.leaseTaken(nextLease, at: .now))
        }
    }

    /// The client is gone.
    ///
    /// Threading: any. Never at once, as above.
    package func leaseReturned(by connection: String) {
        loop.execute { [self] in
            guard let lease = leases.removeValue(forKey: connection) else { return }
            perform(machine.leaseReturned(lease, at: .now))
        }
    }

    /// Whose event one of a connection is.
    func lease(of connection: ConnectionEvent?) -> UInt32 {
        guard let connection else { return LeaseTable.none }
        return leases[connection.id] ?? LeaseTable.none
    }
}
