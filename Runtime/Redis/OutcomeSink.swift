import FunctionCore
import Invocations
import NIOCore

/// Waits for an invocation's end; what the function replies is let through and dropped, but for a reply that
/// names the entries that failed.
// SAFETY: touched on `eventLoop` only, as ReplySink promises.
final class OutcomeSink: ReplySink, @unchecked Sendable {
    let eventLoop: any EventLoop
    private var dispatched: (any Dispatched)?
    /// What came before `attach`.
    private var owed = 0
    private(set) var isOver = false
    private var isPartial = false
    private var body = Bytes()
    private let done: (Outcome, _ partial: Bytes) -> Void

    /// Names of a thousand entries, with a message each; a longer reply is cut, and cannot be read.
    private static let partialBound = 1 << 20

    init(eventLoop: any EventLoop, _ done: @escaping (Outcome, _ partial: Bytes) -> Void) {
        self.eventLoop = eventLoop
        self.done = done
    }

    func attach(_ dispatched: any Dispatched) {
        self.dispatched = dispatched
        if owed > 0 { dispatched.grant(owed) }
    }

    func head(status: Int, headers: [Header]) {
        isPartial = status == Reply.partialStatus
    }

    func chunk(_ bytes: ByteBuffer) {
        if isPartial, body.count + bytes.readableBytes <= OutcomeSink.partialBound {
            body.array += bytes.readableBytesView
        }
        if let dispatched { dispatched.grant(bytes.readableBytes) } else { owed += bytes.readableBytes }
    }

    func end(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        dispatched = nil
        done(outcome, body)
    }
}

extension RedisEvent {
    /// The event as an invocation carries it.
    var body: Bytes {
        do {
            return try JSONCoder.encode(self)
        } catch {
            preconditionFailure("an event made of JSON values must have a JSON form: \(error)")
        }
    }
}
