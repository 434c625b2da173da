import FunctionCore
import Invocations
import Recordings

/// What a pool tells about itself: for logs and metrics.
///
/// The receiver must be quick and must not block.
package enum PoolReport: Sendable {
    /// An invocation is over.
    case invocation(InvocationReport)
    /// What an invocation that is over was like, to be kept.
    case recorded(Recording)
    /// A handler, or its process, said something.
    case line(LogLine)
    /// A worker can take invocations.
    case workerReady(function: String, pid: Int32, startup: Duration)
    /// A worker is gone.
    case workerGone(function: String, pid: Int32, reason: String, asked: Bool)
    /// A worker that somebody waits for has to wait for room on the host.
    case lacksRoom(function: String, lacking: String)
    /// A worker could not be started.
    case spawnFailed(function: String, reason: String)
}

/// One line an invocation.
package struct InvocationReport: Sendable {
    package var function: String
    /// The invocation's id.
    package var id: String
    package var traceID: String
    /// Its attempt's own span, and the one that asked for it.
    package var span: UInt64
    package var parent: ParentSpan
    package var members: [SpanPlace]
    /// What asked for it.
    package var trigger: String
    package var attempt: Int
    package var outcome: Outcome
    /// How long it waited for a worker.
    package var queued: Duration
    /// From the worker's having it to its end.
    package var ran: Duration
    package var ended: Monotonic
    /// Whether a worker was started for it.
    package var cold: Bool
    /// What the worker's start took of `queued` or before; zero where it is not cold.
    package var startup: Duration
    /// The worker's process, or 0 where none had it.
    package var pid: Int32
    package var operation: String
    package var bytesIn: Int
    package var bytesOut: Int
    /// Its binding calls, the first `callMax` of them.
    package var calls: [CallReport]
    package var callsLeftOut: Int
    /// Whether a recording of it follows.
    package var isRecorded = false
    /// The invocation of which it is a repetition.
    package var replayOf: String?

    static let callMax = 32
}

/// A binding call of an invocation.
package struct CallReport: Sendable {
    package var binding: String
    package var method: String
    /// From the worker's having the invocation.
    package var offset: Duration
    /// Nil where the invocation ended before its call.
    package var duration: Duration?
    /// The code of the error that answered it.
    package var error: String?
    /// For how many calls it stands.
    package var times = 1
    /// What the service told of it.
    package var facts: [SpanAttribute] = []
}

/// A line that a handler logged or its process printed.
package struct LogLine: Sendable {
    package var level: LogLevel
    package var message: String
    package var metadata: [String: String]
    package var function: String
    /// Nil for what a process prints while it runs none or several.
    package var invocation: String?
    package var traceID: String?
    package var pid: Int32
    /// `log`, `stdout` or `stderr`; `platform` for what is said of an invocation by a Lambda runtime, `host` for
    /// what the host says of the worker's output.
    package var source: String
}

/// How a pool stands at one moment.
package struct PoolStatus: Sendable {
    package var workers: Int
    package var idle: Int
    package var running: Int
    package var waiting: Int
    /// WebSocket clients, and streams that are open.
    package var connections: Int
    /// Workers that wait for room on the host.
    package var pending: Int
    /// For how long workers have lived, all together.
    package var workerTime: Duration
    /// How many workers the targets want, and why; nil without a target, or while there is nothing to look at.
    package var wanted: Int?
    package var why: String?
    package var pids: [Int32]
}
