import Invocations
import Synchronization

/// What the headers of a request ask of its job beyond its result: to be recorded, to meet a fault.
///
/// In memory, as only a development host heeds them: they end with the host. Bound: `countMax`, the oldest go.
/// Threading: any.
package final class JobTrials: Sendable {
    private struct State {
        var trials: [String: Trial] = [:]
        var order: [String] = []
    }

    static let countMax = 1000
    private let state = Mutex(State())

    package init() {}

    /// Before the job is there, so that no attempt begins without.
    func note(_ trial: Trial, of job: String) {
        state.withLock { state in
            if state.order.count >= JobTrials.countMax { state.trials[state.order.removeFirst()] = nil }
            state.trials[job] = trial
            state.order.append(job)
        }
    }

    func forget(_ job: String) {
        state.withLock { state in
            guard state.trials.removeValue(forKey: job) != nil else { return }
            state.order.removeAll { $0 == job }
        }
    }

    subscript(job: String) -> Trial? { state.withLock { $0.trials[job] } }
}
