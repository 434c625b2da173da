import FunctionCore
import Invocations
import NIOCore

/// Sends each invocation to its function's pool.
package final class PoolDispatcher: Dispatching {
    package let pools: [String: FunctionPool]

    package init(_ pools: [FunctionPool]) {
        self.pools = Dictionary(pools.map { ($0.manifest.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    package func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        if let pool = pools[invocation.function] { return pool.dispatch(invocation, to: sink) }
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

    /// Drains all pools at once; returns when no worker is left.
    package func drain(grace: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for pool in pools.values {
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
