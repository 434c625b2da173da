import FunctionCore
import Invocations
import NIOCore
import Synchronization

/// Sends each invocation to its function's pool.
///
/// Pools can be put in the place of others while invocations come: those that are replaced end what they have.
package final class PoolDispatcher: Dispatching {
    private struct State {
        var current: [String: FunctionPool]
        /// Superseded pools that still have something to end.
        var leaving: [ObjectIdentifier: FunctionPool] = [:]
        /// The WebSocket connections of each function, which stay when its pool is replaced.
        var connections: [String: Set<String>] = [:]
        /// Functions that a worker is kept for.
        var warm: Set<String> = []
    }

    private let state: Mutex<State>

    package init(_ pools: [FunctionPool]) {
        let named = Dictionary(pools.map { ($0.manifest.name, $0) }, uniquingKeysWith: { _, last in last })
        state = Mutex(State(current: named))
    }

    /// The pools in force, by function.
    package var pools: [String: FunctionPool] { state.withLock { $0.current } }

    /// Those in force and those that are being left.
    package var allPools: [FunctionPool] { state.withLock { Array($0.current.values) + $0.leaving.values } }

    package func dispatch(_ invocation: consuming Invocation, to sink: any ReplySink) -> any Dispatched {
        if let pool = state.withLock({ $0.current[invocation.function] }) {
            return pool.dispatch(invocation, to: sink)
        }
        let known = pools.keys.sorted().joined(separator: ", ")
        let error = FunctionError(
            status: 404,
            code: "unknown_function",
            message: "there is no function \(invocation.function); there are \(known)",
            retry: .never
        )
        sink.eventLoop.execute { sink.end(.failed(error)) }
        return NothingDispatched()
    }

    /// Puts pools in force, each in the place of the one of its function, if there is one.
    package func put(_ pools: [FunctionPool]) {
        let replaced = state.withLock { state in
            for pool in pools {
                for connection in state.connections[pool.manifest.name] ?? [] {
                    pool.leaseTaken(by: connection)
                }
                if state.warm.contains(pool.manifest.name) { pool.keep(1) }
            }
            return pools.compactMap { state.current.updateValue($0, forKey: $0.manifest.name) }
        }
        leave(replaced)
    }

    package func leaseTaken(by connection: String, on function: String) {
        state.withLock { state in
            _ = state.connections[function, default: []].insert(connection)
            state.current[function]?.leaseTaken(by: connection)
        }
    }

    package func leaseReturned(by connection: String, on function: String) {
        state.withLock { state in
            _ = state.connections[function]?.remove(connection)
            state.current[function]?.leaseReturned(by: connection)
        }
    }

    /// Keeps a worker of the function ready.
    package func keepWarm(_ function: String) {
        state.withLock { state in
            state.warm.insert(function)
            state.current[function]?.keep(1)
        }
    }

    /// Leaves the function's workers to its idle time again.
    package func letCool(_ function: String) {
        state.withLock { state in
            state.warm.remove(function)
            state.current[function]?.keep(0)
        }
    }

    /// Lets the function's idle workers go at once.
    package func rest(_ function: String) {
        state.withLock { state in
            state.warm.remove(function)
            state.current[function]?.rest()
        }
    }

    package func backlog(of function: String, in source: String, _ count: Int) {
        pools[function]?.backlog(in: source, count)
    }

    /// Takes functions out.
    package func remove(_ functions: [String]) {
        leave(state.withLock { state in functions.compactMap { state.current.removeValue(forKey: $0) } })
    }

    /// What is dispatched to a pool at the very moment comes back here and finds its successor.
    private func leave(_ pools: [FunctionPool]) {
        for pool in pools {
            state.withLock { $0.leaving[ObjectIdentifier(pool)] = pool }
            pool.supersede(by: self).whenComplete { _ in
                _ = self.state.withLock { $0.leaving.removeValue(forKey: ObjectIdentifier(pool)) }
            }
        }
    }

    /// The wall clock has been set.
    package func clockChanged() {
        for pool in allPools { pool.clockChanged() }
    }

    /// Drains all pools at once; returns when no worker is left.
    package func drain(grace: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for pool in allPools {
                group.addTask { try? await pool.drain(grace: grace).get() }
            }
        }
    }
}

/// What a refused invocation is held by.
private struct NothingDispatched: Dispatched {
    func grant(_ bytes: Int) {}
    func cancel() {}
}
