import FunctionCore
import Synchronization

/// Something on a tape: a call of the function's, or a part of an answer.
package struct TapeStep: Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        /// A call arrived at the host.
        case began
        /// The value of its answer.
        case value
        /// A piece that follows it.
        case piece
        /// The answer is complete.
        case ended
        /// The answer is an error.
        case failed
    }

    /// From the worker's having the invocation, in nanoseconds.
    package var at: Int64
    /// The call's number, from 0.
    package var call: Int
    package var kind: Kind
    package var request: RecordedCall?
    package var bytes: RecordedBytes?
    package var error: RecordedError?
}

/// A call as a function made it; of its body the length and the digest.
package struct RecordedCall: Sendable, Codable, Hashable {
    package var binding: String
    package var method: String
    package var arguments: RecordedBytes
    package var bodyCount: Int
    package var bodyDigest: String

    package init(binding: String, method: String, arguments: Bytes, body: Bytes) {
        self.binding = binding
        self.method = method
        self.arguments = RecordedBytes(arguments)
        bodyCount = body.count
        var digest = Digest()
        digest.add(body.array)
        bodyDigest = digest.text
    }
}

/// What one attempt sees while it runs, and what it replies, as it comes.
///
/// Bounds: `sizeMax` bytes of calls and answers, `stepMax` of them, `clockMax` readings; what is beyond makes the
/// recording incomplete, which says so. Threading: any.
package final class Tape: Sendable {
    private struct State {
        var steps: [TapeStep] = []
        var calls = 0
        var size = 0
        var clock: [Int64] = []
        var incomplete: String?
        var reply: RecordedReply?
        var digest = Digest()
    }

    package static let sizeMax = 8 << 20
    package static let stepMax = 50_000
    package static let clockMax = 10_000
    package static let replyMax = 1 << 20

    private let origin: Monotonic
    private let state = Mutex(State())

    package init(since origin: Monotonic) {
        self.origin = origin
    }

    // MARK: What the function sees

    /// A call has arrived; returns its number.
    package func began(_ call: RecordedCall) -> Int {
        state.withLock { state in
            defer { state.calls += 1 }
            let size = call.arguments.bytes.count
            add(.began, of: state.calls, size: size, to: &state) { $0.request = call }
            return state.calls
        }
    }

    package func value(_ bytes: Bytes, of call: Int) { answer(.value, bytes, of: call) }
    package func piece(_ bytes: Bytes, of call: Int) { answer(.piece, bytes, of: call) }

    package func ended(_ call: Int) {
        state.withLock { add(.ended, of: call, size: 0, to: &$0) { _ in } }
    }

    package func failed(_ call: Int, _ error: FunctionError) {
        state.withLock { state in
            add(.failed, of: call, size: error.message.utf8.count, to: &state) {
                $0.error = RecordedError(error)
            }
        }
    }

    /// The function has read the clock.
    package func read(_ clock: Instant) {
        state.withLock { state in
            guard state.clock.count < Tape.clockMax else {
                state.incomplete = "it read the clock more than \(Tape.clockMax) times"
                return
            }
            state.clock.append(clock.nanoseconds)
        }
    }

    private func answer(_ kind: TapeStep.Kind, _ bytes: Bytes, of call: Int) {
        state.withLock { state in
            add(kind, of: call, size: bytes.count, to: &state) { $0.bytes = RecordedBytes(bytes) }
        }
    }

    private func add(
        _ kind: TapeStep.Kind,
        of call: Int,
        size: Int,
        to state: inout State,
        _ fill: (inout TapeStep) -> Void
    ) {
        guard state.incomplete == nil else { return }
        state.size += size
        guard state.size <= Tape.sizeMax, state.steps.count < Tape.stepMax else {
            state.incomplete =
                "its calls and their answers are more than \(Tape.sizeMax >> 20) MiB are kept of"
            return
        }
        var step = TapeStep(at: (.now - origin).nanoseconds, call: call, kind: kind)
        fill(&step)
        state.steps.append(step)
    }

    // MARK: What it replies

    package func replied(_ status: Int, _ headers: [Header]) {
        state.withLock { state in
            state.reply = RecordedReply(
                status: status,
                headers: headers.map { RecordedHeader($0) },
                body: RecordedBytes(Bytes()),
                count: 0,
                digest: ""
            )
        }
    }

    package func replied(_ bytes: some Collection<UInt8>) {
        state.withLock { state in
            let room = Tape.replyMax - (state.reply?.body.bytes.count ?? 0)
            state.reply?.body.bytes.array += bytes.prefix(room)
            state.reply?.count += bytes.count
            state.digest.add(bytes)
        }
    }

    /// Puts what has come into a recording.
    package func write(to recording: inout Recording) {
        state.withLock { state in
            recording.tape = state.steps
            recording.clock = state.clock
            recording.incomplete = state.incomplete
            recording.reply = state.reply
            recording.reply?.digest = state.digest.text
        }
    }
}

/// A short digest to compare by: FNV-1a of 64 bits.
struct Digest {
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Collection<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    var text: String { String(value, radix: 16) }
}
