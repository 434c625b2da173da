import FunctionCore
import Invocations
import NIOCore

/// Workers that are killed because somebody wants to see it.
extension FunctionPool {
    /// Whether the worker is to die of this invocation, which it is just about to reply to, or to call for: then it
    /// does.
    ///
    /// At that moment, as it has begun by then whatever it is: what has not begun would go to another worker.
    func isDoomed(_ ticket: PoolTicket, _ link: WorkerLink) -> Bool {
        guard let trial = ticket.invocation.trial, trial.faults.contains(.workerKill) else { return false }
        link.kill("it was killed, as x-swiftlet-fault asked")
        return true
    }

    /// Kills a worker, one at work where there is one; its process, or nil where there is none.
    package func killOne(_ why: String) -> EventLoopFuture<Int32?> {
        loop.submit {
            let running = self.links.values.filter { $0.pid > 0 }
            guard let link = running.first(where: { $0.onlyServed != nil }) ?? running.first else {
                return nil
            }
            link.kill(why)
            return link.pid
        }
    }
}
