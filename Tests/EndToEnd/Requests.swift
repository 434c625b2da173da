import FunctionCore
import Synchronization
import TestSupport

/// Requests that go on and on, each on a connection of its own, and what became of them.
final class Requests: Sendable {
    private struct State {
        var sent = 0
        var failures: [String] = []
        var isOver = false
    }

    private let state = Mutex(State())

    /// How many have been answered with 200.
    var answered: Int { state.withLock { $0.sent - $0.failures.count } }
    /// What the others were told.
    var failures: [String] { state.withLock { $0.failures } }

    /// Sends `lanes` requests at a time, for as long as `body` takes.
    func run<Result: Sendable>(
        lanes: Int,
        _ send: @escaping @Sendable () async throws -> HTTP.Answer,
        while body: () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<lanes {
                group.addTask { while !self.state.withLock({ $0.isOver }) { await self.one(send) } }
            }
            defer { state.withLock { $0.isOver = true } }
            let result = try await body()
            state.withLock { $0.isOver = true }
            try await group.waitForAll()
            return result
        }
    }

    private func one(_ send: () async throws -> HTTP.Answer) async {
        let failure: String?
        do {
            let answer = try await send()
            failure = answer.status == 200 ? nil : "\(answer.status) \(answer.text)"
        } catch {
            failure = "\(error)"
        }
        state.withLock { state in
            state.sent += 1
            // A hundred say as much as all.
            if let failure, state.failures.count < 100 { state.failures.append(failure) }
        }
    }
}
