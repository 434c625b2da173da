import Synchronization

/// How many bytes of one stream its reader still takes.
///
/// `take` waits for some.
///
/// Threading: any; one taker at a time.
package final class Credit: Sendable {
    private struct State {
        var available: Int
        var waiter: CheckedContinuation<Void, Never>?
        var closed = false
    }

    private let state: Mutex<State>

    package init(_ initial: Int) {
        state = Mutex(State(available: initial))
    }

    /// Adds what the reader granted.
    package func grant(_ bytes: Int) {
        let waiter = state.withLock { state in
            state.available += max(0, bytes)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Nobody reads any more: whoever waits, or takes later, is told so.
    package func close() {
        let waiter = state.withLock { state in
            state.closed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Takes between 1 and `wanted` bytes; waits while there are none.
    /// - Throws: `CancellationError` once the stream is closed.
    package func take(_ wanted: Int) async throws -> Int {
        while true {
            let taken: Int? = state.withLock { state in
                if state.closed { return 0 }
                guard state.available > 0 else { return nil }
                let taken = min(wanted, state.available)
                state.available -= taken
                return taken
            }
            if let taken {
                if taken == 0 { throw CancellationError() }
                return taken
            }
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if state.closed || state.available > 0 { return true }
                    state.waiter = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        }
    }
}
