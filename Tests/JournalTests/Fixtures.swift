import FunctionCore
import Invocations
import Journal
import Storage
import Synchronization

/// An instant some seconds after a Friday evening.
func at(_ seconds: Int64) -> Instant { Instant(seconds: 1_795_802_400 + seconds) }

/// Whether the law holds on every line.
func isBalanced(_ lines: [AuditLine]) -> Bool { lines.allSatisfy { $0.isBalanced } }

/// A clock that stands still.
struct StoppedClock: HostClock {
    var now: Instant = at(0)
}

/// Remembers what a service answers.
final class RecordedAnswer: BindingAnswering {
    private let state = Mutex((value: Bytes(), pieces: [Bytes]()))

    var value: Bytes { state.withLock { $0.value } }
    var pieces: [Bytes] { state.withLock { $0.pieces } }

    func send(_ value: Bytes) { state.withLock { $0.value = value } }
    func write(_ piece: Bytes) async { state.withLock { $0.pieces.append(piece) } }
}

/// A call on behalf of an invocation.
func call(_ method: String, _ arguments: some Encodable, invocation: String = "i1") throws -> BindingCall {
    BindingCall(
        method: method,
        arguments: try JSONCoder.encode(arguments),
        origin: CallOrigin(
            invocation: invocation,
            function: "video",
            trace: TraceContext(
                traceID: "0af7651916cd43dd8448eb211c80319c",
                spanID: "b7ad6b7169203331"
            ),
            deadline: Monotonic(nanoseconds: .max)
        )
    )
}

func job(_ function: String = "video", id: String = InvocationID.next(), runAt: Instant? = nil) -> NewJob {
    NewJob(
        id: id,
        function: function,
        operation: "make",
        body: #"{"user":1}"#,
        trigger: "http",
        maxAttempts: 2,
        runAt: runAt
    )
}
