import Storage
import Synchronization

/// Who waits for a change of which job.
///
/// Bound: as many as there are requests that wait.
package final class JobChanges: Sendable {
    private struct State {
        var next = 0
        var listeners: [String: [Int: WakeSignal]] = [:]
    }

    private let state = Mutex(State())

    /// Wakes `signal` at each change of the job, until `ignore` is told the number that this returns.
    package func listen(to id: String, _ signal: WakeSignal) -> Int {
        state.withLock { state in
            state.next += 1
            state.listeners[id, default: [:]][state.next] = signal
            return state.next
        }
    }

    package func ignore(_ id: String, _ number: Int) {
        state.withLock { state in
            state.listeners[id]?[number] = nil
            if state.listeners[id]?.isEmpty == true { state.listeners[id] = nil }
        }
    }

    /// Tells of what a step took: who waits for one of the jobs, and who begins jobs or delivers.
    func tell(of taken: [JobChange], due: WakeSignal, deliveries: WakeSignal) {
        for change in taken { changed(change.job.id) }
        // An end may have made another job, or a delivery.
        if taken.contains(where: { $0.before.state != $0.job.state }) { due.wake() }
        if taken.contains(where: \.job.state.isFinal) { deliveries.wake() }
    }

    func changed(_ id: String) {
        for signal in state.withLock({ $0.listeners[id].map { Array($0.values) } ?? [] }) { signal.wake() }
    }
}
