import FunctionCore
import Invocations
import NIOCore

/// Why a pool's workers did not come up.
package struct WarmingError: Error, Sendable, CustomStringConvertible {
    package let function: String
    package let reason: String

    package var description: String { "a worker of \(function) did not start: \(reason)" }
}

/// How one pool takes another's place while the host serves.
extension FunctionPool {
    /// Workers that somebody waits for.
    struct Warming {
        var count: Int
        var promise: EventLoopPromise<Void>
    }

    /// Brings up `count` workers, or as many as the function may have; done when they can take invocations.
    ///
    /// Fails with `WarmingError` as soon as one does not start; each has the time limit of any start. For a
    /// pool to which nothing is dispatched yet, once.
    package func warm(_ count: Int) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        loop.execute {
            self.warming = Warming(count: min(count, self.manifest.scale.max), promise: promise)
            self.perform(self.machine.warm(count, at: .now))
            let limit = PoolMachine.startMax
            self.loop.scheduleTask(in: .nanoseconds(limit.nanoseconds)) {
                guard self.machine.pendingCount > 0 else { return }
                self.failWarming("no room for it within \(limit); GET /v1/capacity tells who has it")
            }
        }
        return promise.futureResult
    }

    /// Keeps so many workers whether anything arrives or not.
    package func keep(_ count: Int) {
        loop.execute { self.perform(self.machine.keep(count, at: .now)) }
    }

    /// Lets idle workers go at once.
    package func rest() {
        loop.execute { self.perform(self.machine.rest(at: .now)) }
    }

    /// Leaves what arrives from now on to `successor`; done when no worker is left.
    ///
    /// What is here ends without hurry: every invocation keeps its own time limit.
    package func supersede(by successor: any Dispatching) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        loop.execute {
            self.successor = successor
            self.leases = [:]
            self.emptied.append(promise)
            self.perform(self.machine.supersede(at: .now))
        }
        return promise.futureResult
    }

    /// Whether those that somebody waits for are there.
    func checkWarming() {
        guard let warming, machine.servingCount >= warming.count else { return }
        self.warming = nil
        warming.promise.succeed()
    }

    /// A worker is gone; where its readiness was waited for, it will not come.
    func failWarming(_ reason: String) {
        guard let warming else { return }
        self.warming = nil
        warming.promise.fail(WarmingError(function: manifest.name, reason: reason))
    }
}
