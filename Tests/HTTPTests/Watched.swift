import Synchronization

/// A value that a test can wait on, without sleeping and without holding a thread.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiters: [(condition: @Sendable (Value) -> Bool, resume: CheckedContinuation<Value, Never>)] = []
    }

    private let state: Mutex<State>

    init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    var value: Value { state.withLock { $0.value } }

    func update(_ change: (inout Value) -> Void) {
        let ready = state.withLock { state in
            change(&state.value)
            let value = state.value
            let ready = state.waiters.filter { $0.condition(value) }
            state.waiters.removeAll { $0.condition(value) }
            return ready.map { ($0.resume, value) }
        }
        for (continuation, value) in ready { continuation.resume(returning: value) }
    }

    @discardableResult
    func wait(until condition: @escaping @Sendable (Value) -> Bool) async -> Value {
        await withCheckedContinuation { continuation in
            let value: Value? = state.withLock { state in
                if condition(state.value) { return state.value }
                state.waiters.append((condition, continuation))
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
