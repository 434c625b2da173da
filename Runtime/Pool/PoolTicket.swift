import Invocations
import NIOCore

/// A caller's hold on an invocation.
// SAFETY: `key` is written on the pool's loop before any call can come, and read there only.
final class PoolTicket: Dispatched, @unchecked Sendable {
    private let pool: FunctionPool
    var key: UInt32 = 0

    init(pool: FunctionPool) {
        self.pool = pool
    }

    func grant(_ bytes: Int) {
        onLoop { $0.pool.grant($0.key, bytes) }
    }

    func cancel() {
        onLoop { $0.pool.cancel($0.key) }
    }

    private func onLoop(_ body: @escaping @Sendable (PoolTicket) -> Void) {
        if pool.loop.inEventLoop { body(self) } else { pool.loop.execute { body(self) } }
    }
}
