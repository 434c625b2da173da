import Invocations
import NIOCore

/// A caller's hold on an invocation.
// SAFETY: `key` and `onward` are written on the pool's loop before any call can come, and read there only.
final class PoolTicket: Dispatched, @unchecked Sendable {
    private let pool: FunctionPool
    var key: UInt32 = 0
    /// The hold on it where the pool had been superseded when it arrived.
    var onward: (any Dispatched)?

    init(pool: FunctionPool) {
        self.pool = pool
    }

    func grant(_ bytes: Int) {
        onLoop { ticket in
            if let onward = ticket.onward { return onward.grant(bytes) }
            ticket.pool.grant(ticket.key, bytes)
        }
    }

    func cancel() {
        onLoop { ticket in
            if let onward = ticket.onward { return onward.cancel() }
            ticket.pool.cancel(ticket.key)
        }
    }

    private func onLoop(_ body: @escaping @Sendable (PoolTicket) -> Void) {
        if pool.loop.inEventLoop { body(self) } else { pool.loop.execute { body(self) } }
    }
}
