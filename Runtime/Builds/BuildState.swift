import FunctionCore
import Synchronization

/// How the build of the sources stands.
package enum BuildState: Sendable, Hashable {
    /// Nothing is built: it is turned off, or there was nothing to do yet.
    case idle
    case building
    /// The compiler refused; what was served before is served on.
    case failed([BuildDiagnostic], after: Duration)
    /// What was built is in force; `functions` are those that got new workers.
    case done(functions: [String], after: Duration)

    package var json: JSON {
        switch self {
        case .idle: return ["state": "idle"]
        case .building: return ["state": "building"]
        case .failed(let errors, let time):
            return [
                "state": "failed", "milliseconds": .integer(time.milliseconds),
                "errors": .array(errors.map(\.json)),
            ]
        case .done(let functions, let time):
            return [
                "state": "done", "milliseconds": .integer(time.milliseconds),
                "functions": .array(functions.map { .string($0) }),
            ]
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

/// The state of the build in force, for whoever looks and whoever listens.
///
/// Threading: any.
package final class BuildBook: Sendable {
    private struct State {
        var state = BuildState.idle
        var since = Monotonic.now
        var listeners: [@Sendable (BuildState) -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var current: BuildState { state.withLock { $0.state } }

    /// The state, and for how long it has been so.
    package var standing: (state: BuildState, age: Duration) {
        state.withLock { ($0.state, .now - $0.since) }
    }

    /// Calls `body` at each change, in their order; it must be quick.
    package func onChange(_ body: @escaping @Sendable (BuildState) -> Void) {
        state.withLock { $0.listeners.append(body) }
    }

    package func set(_ next: BuildState) {
        let listeners = state.withLock { state in
            state.state = next
            state.since = .now
            return state.listeners
        }
        for listener in listeners { listener(next) }
    }
}
