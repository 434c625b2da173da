import FunctionCore
import Synchronization
import Wire

/// Hands what a handler's task says to the thread that speaks to the Runtime API.
///
/// A task must not block on a socket, and the thread has nothing else to do. One piece is under way at a time:
/// a writer goes on when its piece has been sent.
///
/// States: running, then ended once `end` was said; cut, where nobody takes what is written any more.
///
/// Threading: the task's side any; `next`, `taken` and `cut` on one thread.
final class ReplyHandoff: Sendable {
    enum Step: Sendable {
        case head(status: Int, headers: [Header])
        case piece(Bytes)
        case reply(Reply)
        case done
        case failed(FunctionError)
    }

    private struct State {
        var steps: [Step] = []
        var hasBegun = false
        var isCut = false
        var writer: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let arrived = Signal()

    // MARK: The task's side

    /// The stream that a streaming handler writes to.
    var stream: ReplyStream {
        ReplyStream(start: { try self.start($0, $1) }, write: { try await self.write($0) })
    }

    private func start(_ status: Int, _ headers: [Header]) throws {
        if let error = ReplyHead.refusal(of: status) { throw error }
        let isFirst = state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        guard isFirst else {
            let message = "the reply's head has been sent; call start once, first"
            throw FunctionError(code: "reply_started", message: message)
        }
        say(.head(status: status, headers: headers))
    }

    private func write(_ bytes: Bytes) async throws {
        if state.withLock({ !$0.hasBegun }) { try start(200, []) }
        if bytes.isEmpty { return }
        await withCheckedContinuation { continuation in
            let isCut = state.withLock { state in
                if !state.isCut { state.writer = continuation }
                return state.isCut
            }
            if isCut { return continuation.resume() }
            say(.piece(bytes))
        }
        if state.withLock({ $0.isCut }) { throw CancellationError() }
    }

    /// The last of it.
    func end(_ step: Step) {
        say(step)
    }

    /// The end of a stream; its head goes out at last.
    func endStream() throws {
        if state.withLock({ !$0.hasBegun }) { try start(200, []) }
        say(.done)
    }

    private func say(_ step: Step) {
        state.withLock { $0.steps.append(step) }
        arrived.post()
    }

    // MARK: The thread's side

    /// Waits for what comes next.
    func next() -> Step {
        arrived.wait()
        return state.withLock { $0.steps.removeFirst() }
    }

    /// A piece has been sent on; the writer may go on.
    func taken() {
        let writer = state.withLock { state in
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume()
    }

    /// Nobody takes the rest.
    func cut() {
        state.withLock { $0.isCut = true }
        taken()
    }
}
