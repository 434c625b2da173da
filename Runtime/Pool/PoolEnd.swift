import Invocations

extension PoolMachine.End {
    /// The outcome that a caller hears.
    var outcome: Outcome {
        switch self {
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        case .expired: .expired
        case .workerLost(let reason): .workerLost(reason)
        case .outOfMemory(let reason): .outOfMemory(reason)
        case .shed(let reason, let wait): .shed(reason, retryAfter: wait)
        }
    }
}
