import FunctionCore
import Invocations
import Synchronization

/// An instant some seconds after a Friday evening.
func at(_ seconds: Int64) -> Instant { Instant(seconds: 1_795_802_400 + seconds) }

/// A clock that is set by hand.
final class HandClock: HostClock {
    private let state = Mutex(at(0))

    var now: Instant { state.withLock { $0 } }
    func set(_ instant: Instant) { state.withLock { $0 = instant } }
}

/// Remembers what a service answers.
final class RecordedAnswer: BindingAnswering {
    private let state = Mutex((value: Bytes(), pieces: [Bytes]()))

    var value: Bytes { state.withLock { $0.value } }
    var pieces: [Bytes] { state.withLock { $0.pieces } }

    func send(_ value: Bytes) { state.withLock { $0.value = value } }
    func write(_ piece: Bytes) async { state.withLock { $0.pieces.append(piece) } }
}

/// Calls one service as the bindings do, on behalf of an invocation: JSON goes both ways.
struct DirectCaller: BindingCaller {
    let service: any BindingService
    var invocation = "i1"

    func call(_ request: BindingRequest) async throws -> BindingReply {
        let origin = CallOrigin(
            invocation: invocation,
            function: "questionnaire",
            trace: TraceContext(traceID: "0af7651916cd43dd8448eb211c80319c", spanID: "b7ad6b7169203331"),
            deadline: Monotonic(nanoseconds: .max)
        )
        let call = BindingCall(
            method: request.method,
            arguments: request.arguments,
            body: request.body,
            origin: origin
        )
        let answer = RecordedAnswer()
        try await service.call(call, answer: answer)
        let pieces = Mutex(answer.pieces[...])
        return BindingReply(value: answer.value, body: BindingBody { pieces.withLock { $0.popFirst() } })
    }
}

/// What `body` fails with; a record in the test where it does not.
func fault(_ body: () async throws -> Void) async -> FunctionError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? FunctionError
    }
}
