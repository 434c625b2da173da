import FunctionCore
import Synchronization
import Wire

/// The invocations that run in tasks of this worker: what a `cancel` or a `credit` of the host reaches.
///
/// Threading: any.
final class RunningTable: Sendable {
    /// One invocation that runs.
    final class Running: Sendable {
        let credit = Credit(64 * 1024)
        private let state = Mutex<(task: Task<Void, Never>?, cancelled: Bool)>((nil, false))

        var isCancelled: Bool { state.withLock { $0.cancelled } }

        func attach(_ task: Task<Void, Never>) {
            let cancelled = state.withLock { state in
                state.task = task
                return state.cancelled
            }
            if cancelled { task.cancel() }
        }

        func cancel() {
            let task = state.withLock { state in
                state.cancelled = true
                return state.task
            }
            credit.close()
            task?.cancel()
        }
    }

    private struct State {
        var running: [UInt32: Running] = [:]
        var draining = false
    }

    private let state = Mutex(State())

    func begin(_ id: UInt32) -> Running {
        let running = Running()
        state.withLock { $0.running[id] = running }
        return running
    }

    /// The invocation is over; true when the worker was only waiting for it to leave.
    func end(_ id: UInt32) -> Bool {
        state.withLock { state in
            state.running[id] = nil
            return state.draining && state.running.isEmpty
        }
    }

    /// Leaves when all is done; true when that is so already.
    func drain() -> Bool {
        state.withLock { state in
            state.draining = true
            return state.running.isEmpty
        }
    }

    func cancel(_ id: UInt32) {
        state.withLock { $0.running[id] }?.cancel()
    }

    func grant(_ id: UInt32, _ bytes: Int) {
        state.withLock { $0.running[id] }?.credit.grant(bytes)
    }
}
