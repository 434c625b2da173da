import FunctionCore
import Synchronization

/// What the driver's thread and a reader share about one request: the head, the pieces that wait, the end.
///
/// The driver may put at most `highWater` bytes here before the reader takes them; then it pauses the
/// transfer.
final class Exchange: Sendable {
    /// Bytes that may wait for the reader.
    ///
    /// libcurl's pieces are up to 16 KiB, so it stops within one of them.
    static let highWater = 64 * 1024

    private struct State {
        var head: ResponseHead?
        var buffer: [UInt8] = []
        var isPaused = false
        var isCancelled = false
        var end: Result<Void, FetchError>?
        var headWaiter: CheckedContinuation<Result<ResponseHead, FetchError>, Never>?
        var reader: CheckedContinuation<Result<Bytes?, FetchError>, Never>?
    }

    let request: OutboundRequest
    private let state = Mutex(State())

    init(_ request: OutboundRequest) {
        self.request = request
    }

    /// Remembers that the caller gave up, for a driver that has not begun.
    func markCancelled() {
        state.withLock { $0.isCancelled = true }
    }

    var isCancelled: Bool {
        state.withLock { $0.isCancelled }
    }

    // MARK: - The driver's side

    func deliver(_ head: ResponseHead) {
        let waiter = state.withLock { state in
            state.head = head
            defer { state.headWaiter = nil }
            return state.headWaiter
        }
        waiter?.resume(returning: .success(head))
    }

    // SAFETY: the bytes are copied before the call returns.
    func deliver(_ piece: UnsafeRawBufferPointer) -> Transfer.Verdict {
        let copy = Array(piece)
        let (verdict, reader): (Transfer.Verdict, CheckedContinuation<Result<Bytes?, FetchError>, Never>?) =
            state.withLock { state in
                if let reader = state.reader {
                    state.reader = nil
                    return (.taken, reader)
                }
                guard state.buffer.count < Exchange.highWater else {
                    state.isPaused = true
                    return (.pause, nil)
                }
                state.buffer += copy
                return (.taken, nil)
            }
        reader?.resume(returning: .success(Bytes(copy)))
        return verdict
    }

    /// The end, with or without an error; what comes after the first one is ignored.
    func finish(_ error: FetchError?) {
        let (headWaiter, reader, end) = state.withLock { state in
            let end = state.end ?? error.map { .failure($0) } ?? .success(())
            state.end = end
            defer {
                state.headWaiter = nil
                state.reader = nil
            }
            return (state.headWaiter, state.reader, end)
        }
        switch end {
        case .success:
            headWaiter?.resume(returning: .failure(Exchange.headless))
            reader?.resume(returning: .success(nil))
        case .failure(let error):
            headWaiter?.resume(returning: .failure(error))
            reader?.resume(returning: .failure(error))
        }
    }

    // MARK: - The reader's side

    func head() async -> Result<ResponseHead, FetchError> {
        await withCheckedContinuation { continuation in
            let known: Result<ResponseHead, FetchError>? = state.withLock { state in
                if let head = state.head { return .success(head) }
                if let end = state.end { return end.flatMap { .failure(Exchange.headless) } }
                state.headWaiter = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// The next piece, or nil at the end.
    ///
    /// `resume` is called where the transfer had been paused for lack of room.
    func next(resume: () -> Void) async -> Result<Bytes?, FetchError> {
        var wasPaused = false
        let result = await withCheckedContinuation { continuation in
            let known: Result<Bytes?, FetchError>? = state.withLock { state in
                wasPaused = state.isPaused
                state.isPaused = false
                if !state.buffer.isEmpty {
                    defer { state.buffer = [] }
                    return .success(Bytes(state.buffer))
                }
                if let end = state.end { return end.map { nil } }
                precondition(state.reader == nil, "a body has one reader at a time")
                state.reader = continuation
                return nil
            }
            if wasPaused { resume() }
            if let known { continuation.resume(returning: known) }
        }
        return result
    }

    var isOver: Bool {
        state.withLock { $0.end != nil }
    }

    private static let headless = FetchError(.broken, "the reply ended before its head")
}
