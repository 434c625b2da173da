import FunctionCore
import Synchronization

/// Lets a few in at a time; the others wait in order, as many as there are seats, and whoever comes then is
/// sent away.
final class WaitingRoom: Sendable {
    private struct State {
        var free: Int
        var nextNumber = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        /// Waiters whose task was cancelled before they had sat down.
        var gone: Set<Int> = []
    }

    private let atOnce: Int
    private let seats: Int
    private let state: Mutex<State>

    init(atOnce: Int, seats: Int) {
        self.atOnce = atOnce
        self.seats = seats
        self.state = Mutex(State(free: atOnce))
    }

    /// How many are inside and how many wait.
    var load: (inside: Int, waiting: Int) {
        state.withLock { (atOnce - $0.free, $0.waiting.count) }
    }

    /// Waits for its turn, runs `body`, and lets the next one in.
    /// - Throws: `FunctionError` 429 `overloaded` where all seats are taken; `CancellationError`.
    func run<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        try Task.checkCancellation()
        return try await body()
    }

    private func enter() async throws {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if state.gone.remove(number) != nil { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    guard state.waiting.count < seats else { return .failure(overloaded) }
                    state.waiting.append((number, continuation))
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                    state.gone.insert(number)
                    return CheckedContinuation<Void, any Error>?.none
                }
                return state.waiting.remove(at: index).continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
        // A number that was cancelled after its turn had come has left a mark behind.
        state.withLock { _ = $0.gone.remove(number) }
    }

    private func leave() {
        let next = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return CheckedContinuation<Void, any Error>?.none
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }

    private var overloaded: FunctionError {
        FunctionError(
            status: 429,
            code: "overloaded",
            message: "\(seats) renderings wait already; try again later",
            retry: .after(.seconds(30))
        )
    }
}
