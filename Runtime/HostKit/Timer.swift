import FunctionCore
import NIOCore
import Synchronization

/// One timer on an event loop that may be set anew.
package final class Timer: Sendable {
    private let loop: any EventLoop
    private let body: @Sendable () -> Void
    private let pending = Mutex<Scheduled<Void>?>(nil)

    package init(loop: any EventLoop, _ body: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.body = body
    }

    package func set(_ wait: Duration) {
        let next = loop.scheduleTask(in: .nanoseconds(max(0, wait.nanoseconds)), body)
        let before = pending.withLock { pending in
            defer { pending = next }
            return pending
        }
        before?.cancel()
    }

    package func cancel() {
        pending.withLock { $0 }?.cancel()
    }
}
