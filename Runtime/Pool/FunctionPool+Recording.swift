import FunctionCore
import Invocations
import NIOCore
import Recordings
import Wire

/// Which invocations are kept, so that they can be run again.
package enum RecordingRule: String, Sendable, CaseIterable {
    case off
    /// Those that fail.
    case failures
    case all
}

/// An invocation on a worker, as far as it is kept.
final class RecordedRun: Sendable {
    let attempt: Int
    let seed: UInt64
    let remaining: Duration
    let tape = Tape(since: .now)

    init(attempt: Int, seed: UInt64, remaining: Duration) {
        self.attempt = attempt
        self.seed = seed
        self.remaining = remaining
    }
}

extension FunctionPool {
    /// What is to be kept of an invocation that is over, if it is.
    func recorded(
        _ ticket: PoolTicket,
        _ run: RecordedRun,
        _ outcome: Outcome,
        _ whole: (head: ReplyHead, body: ByteBuffer)?
    ) -> Recording? {
        let replay = ticket.invocation.trial?.replay
        let isWanted = recording == .all || ticket.invocation.trial?.isRecorded == true
        guard replay != nil || isWanted || (recording == .failures && outcome.isFailure) else { return nil }
        if let whole {
            run.tape.replied(whole.head.status, whole.head.headers)
            run.tape.replied(whole.body.readableBytesView)
        }
        let invocation = ticket.invocation
        let reading = clock()
        var recording = Recording(
            id: invocation.id,
            function: manifest.name,
            trigger: invocation.trigger,
            attempt: run.attempt,
            depth: invocation.depth,
            principal: invocation.principal,
            fencingToken: invocation.fencingToken,
            trace: invocation.trace,
            recorded: reading.wall + (.now - reading.monotonic) * reading.speed,
            event: invocation.event,
            environment: manifest.environment.keys.sorted(),
            limits: manifest.limits.named,
            remaining: run.remaining,
            seed: run.seed,
            outcome: RecordedOutcome(label: outcome.label, error: outcome.error)
        )
        recording.bundle = program.hash
        run.tape.write(to: &recording)
        if invocation.event.kind == .batch { recording.unpack(invocation.event) }
        guard let replay else { return recording }
        replay.end(recording)
        return nil
    }

    /// The handler of an invocation whose clock is kept has read it.
    func clockRead(_ frame: Frame) throws(WireError) {
        var reader = WireReader(frame.payload)
        let instant = Instant(nanoseconds: try reader.integer())
        tickets[frame.id]?.run?.tape.read(instant)
    }
}

extension Recording {
    /// Writes a batch and what came of it as text; of a reply too long to be kept whole, the digest alone.
    fileprivate mutating func unpack(_ batch: Event) {
        event = RecordedEvent(batch: (try? BatchPayload.events(in: batch.body)) ?? [])
        guard let reply else { return }
        let body = reply.body.bytes
        if reply.count == body.count, let results = try? BatchPayload.outcomes(in: body) {
            self.reply?.replace(RecordedBatch.body(of: results))
        } else {
            self.reply?.body = RecordedBytes(Bytes())
        }
    }
}

extension Outcome {
    /// Whether the function, or its worker, has failed.
    var isFailure: Bool {
        switch self {
        case .replied(let status): status >= 500
        case .failed, .timedOut, .workerLost, .outOfMemory: true
        case .cancelled, .expired, .shed: false
        }
    }
}

extension Manifest.Limits {
    /// The limits that a function may notice.
    fileprivate var named: [String: Int] {
        [
            "timeout_ms": Int(timeout.milliseconds), "memory_mib": memoryMiB, "payload": payload,
            "open_files": openFiles, "cpu_seconds": cpuSeconds,
        ]
    }
}

/// An answer that goes onto the tape as well.
struct TapedAnswer: BindingAnswering {
    private let answer: CallAnswer
    private let tape: Tape
    private let call: Int

    init(_ answer: CallAnswer, _ tape: Tape, _ head: CallHead, _ body: Bytes) {
        self.answer = answer
        self.tape = tape
        call = tape.began(RecordedCall(head, body))
    }

    func ended() { tape.ended(call) }
    func failed(_ error: FunctionError) { tape.failed(call, error) }

    func send(_ value: Bytes) throws {
        try answer.send(value)
        tape.value(value, of: call)
    }

    func write(_ piece: Bytes) async throws {
        tape.piece(piece, of: call)
        try await answer.write(piece)
    }
}

extension RecordedCall {
    init(_ head: CallHead, _ body: Bytes) {
        self.init(binding: head.binding, method: head.method, arguments: head.arguments, body: body)
    }
}

extension TapePlayer {
    /// Answers a call as it was answered before.
    func answer(_ request: RecordedCall, to answer: any BindingAnswering) async throws {
        let call = try begin(request)
        while let part = await next(of: call) {
            switch part {
            case .value(let bytes): try answer.send(bytes)
            case .piece(let bytes): try await answer.write(bytes)
            case .ended: return
            case .failed(let error): throw error
            }
        }
        throw CancellationError()
    }
}
