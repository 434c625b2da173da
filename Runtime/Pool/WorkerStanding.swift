import FunctionCore
import NIOCore

/// How one worker stands.
package struct WorkerStanding: Sendable {
    package var pid: Int32
    /// `starting`, `idle`, `running`, `leaving`, `condemned`.
    package var state: String
    package var inFlight: Int
    package var age: Duration
}

extension FunctionPool {
    /// How each worker stands, the oldest first.
    package func workers() -> EventLoopFuture<[WorkerStanding]> {
        loop.submit {
            let now = Monotonic.now
            return self.links.sorted { $0.key < $1.key }.compactMap { id, link in
                guard link.pid > 0, let worker = self.machine.workers[id] else { return nil }
                return WorkerStanding(
                    pid: link.pid,
                    state: worker.state,
                    inFlight: worker.inFlight,
                    age: now - worker.born
                )
            }
        }
    }
}

extension PoolMachine.Worker {
    fileprivate var state: String {
        switch phase {
        case .pending, .starting: "starting"
        case .serving: emptying ? "leaving" : inFlight > 0 ? "running" : "idle"
        case .condemned: "condemned"
        case .retiring, .killed: "leaving"
        }
    }
}
