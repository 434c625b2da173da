import FunctionCore
import NIOCore

/// Where a reply goes.
///
/// The calls come in order on `eventLoop`: at most one head, chunks within the credit that was granted,
/// exactly one end.
package protocol ReplySink: AnyObject, Sendable {
    /// The loop on which the sink is called.
    var eventLoop: any EventLoop { get }
    /// The function has begun to reply.
    func head(status: Int, headers: [Header])
    /// A piece of the body. Grant its size back once it has gone out.
    func chunk(_ bytes: ByteBuffer)
    /// One write of the function's is complete; told of WebSocket events only.
    func written()
    /// The invocation is over. An outcome other than `replied` may come after a head and chunks: the reply is
    /// cut.
    func end(_ outcome: Outcome)
    /// A reply that came whole: in the place of `head`, `chunk` and `end`, and with no credit to grant.
    func reply(status: Int, headers: [Header], body: ByteBuffer)
}

extension ReplySink {
    package func reply(status: Int, headers: [Header], body: ByteBuffer) {
        head(status: status, headers: headers)
        if body.readableBytes > 0 { chunk(body) }
        end(.replied(status: status))
    }

    package func written() {}
}

/// A dispatched invocation, as its caller holds it.
///
/// Threading: any.
package protocol Dispatched: Sendable {
    /// Lets the function send that many more bytes of its reply; 64 KiB are granted at the start.
    func grant(_ bytes: Int)
    /// Asks the function to stop. The sink still hears the end.
    func cancel()
    /// The caller has gone: the function stops, or goes on where its manifest says so. The sink still hears an end.
    func abandon()
    /// The process that ran it, where one did; known once the sink has heard the end.
    var process: Int32? { get }
}

extension Dispatched {
    package func abandon() { cancel() }
    package var process: Int32? { nil }
}

/// Runs invocations: with worker processes, in process, or as a recorder in tests.
package protocol Dispatching: Sendable {
    /// Starts an invocation, whose reply goes to `sink`. Never throws: every way to end is an `Outcome`.
    /// Threading: any.
    @discardableResult
    func dispatch(_ invocation: consuming Invocation, to sink: any ReplySink) -> any Dispatched
    /// A client is connected to the function until `leaseReturned`; its events carry the connection's id.
    /// Threading: any.
    func leaseTaken(by connection: String, on function: String)
    /// The client is gone, and the function has been told.
    func leaseReturned(by connection: String, on function: String)
    /// So many events wait for the function outside the host, such as in a stream that it reads; for scaling.
    /// Threading: any.
    func backlog(of function: String, in source: String, _ count: Int)
}

extension Dispatching {
    package func leaseTaken(by connection: String, on function: String) {}
    package func leaseReturned(by connection: String, on function: String) {}
    package func backlog(of function: String, in source: String, _ count: Int) {}
}

/// The bytes that may be under way on a stream before its reader has granted more.
package let initialCredit = 64 * 1024

/// A whole reply, with how it ended.
package struct CollectedReply: Sendable {
    package var outcome: Outcome
    package var status: Int
    package var headers: [Header]
    package var body: Bytes
    /// The process that ran it, where one did.
    package var process: Int32?

    package init(outcome: Outcome, status: Int = 0, headers: [Header] = [], body: Bytes = Bytes()) {
        self.outcome = outcome
        self.status = status
        self.headers = headers
        self.body = body
    }
}

extension Dispatching {
    /// Runs an invocation and collects its reply, at most `limit` bytes of it; a longer one is cancelled and
    /// fails with `reply_too_large`.
    ///
    /// Cancelling the task cancels the invocation. For callers that do not stream.
    package func collect(
        _ invocation: Invocation,
        on eventLoop: any EventLoop,
        limit: Int = 6 * 1024 * 1024
    ) async -> CollectedReply {
        let sink = CollectingSink(eventLoop: eventLoop, limit: limit)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.execute {
                    sink.start { continuation.resume(returning: $0) }
                    sink.attach(self.dispatch(invocation, to: sink))
                }
            }
        } onCancel: {
            eventLoop.execute { sink.cancel() }
        }
    }

    /// The same without a task, for a caller on `eventLoop`: `done` hears the reply there.
    package func collect(
        _ invocation: consuming Invocation,
        on eventLoop: any EventLoop,
        limit: Int,
        _ done: @escaping @Sendable (CollectedReply) -> Void
    ) -> any Dispatched {
        let sink = CollectingSink(eventLoop: eventLoop, limit: limit)
        sink.start(done)
        let dispatched = dispatch(invocation, to: sink)
        sink.attach(dispatched)
        return dispatched
    }
}

/// Collects a reply for `collect`. All state belongs to `eventLoop`.
// SAFETY: every member but `eventLoop` is touched on `eventLoop` only, which ReplySink and `collect` see to.
private final class CollectingSink: ReplySink, @unchecked Sendable {
    let eventLoop: any EventLoop
    private let limit: Int
    private var done: (@Sendable (CollectedReply) -> Void)?
    private var dispatched: (any Dispatched)?
    private var reply = CollectedReply(outcome: .cancelled)
    private var cancelled = false
    private var tooLarge = false

    init(eventLoop: any EventLoop, limit: Int) {
        self.eventLoop = eventLoop
        self.limit = limit
    }

    func start(_ done: @escaping @Sendable (CollectedReply) -> Void) {
        self.done = done
    }

    func attach(_ dispatched: any Dispatched) {
        guard done != nil else { return }
        self.dispatched = dispatched
        if cancelled { dispatched.cancel() }
    }

    func cancel() {
        cancelled = true
        dispatched?.cancel()
    }

    func head(status: Int, headers: [Header]) {
        reply.status = status
        reply.headers = headers
    }

    func chunk(_ bytes: ByteBuffer) {
        guard reply.body.count + bytes.readableBytes <= limit else {
            tooLarge = true
            dispatched?.cancel()
            return
        }
        reply.body.array += bytes.readableBytesView
        dispatched?.grant(bytes.readableBytes)
    }

    func end(_ outcome: Outcome) {
        reply.outcome = outcome
        if tooLarge {
            let message = "the reply is over \(limit) bytes; store it as a blob and return its key"
            reply.outcome = .failed(FunctionError(status: 502, code: "reply_too_large", message: message))
        }
        reply.process = dispatched?.process
        done?(reply)
        done = nil
        dispatched = nil
    }
}
