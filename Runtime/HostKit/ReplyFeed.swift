import FunctionCore
import Invocations
import NIOCore

/// A reply as a sequence: its head, its pieces, its end.
///
/// No more of it is held than its credit, 64 KiB; a piece is granted back once `took` is told of it.
// SAFETY: `dispatched` and `ran` are touched on `eventLoop` only; the rest never changes.
final class ReplyFeed: ReplySink, @unchecked Sendable {
    enum Event: Sendable {
        case head(status: Int, headers: [Header])
        case piece(ByteBuffer)
        case end(Outcome)
    }

    let eventLoop: any EventLoop
    private let events: AsyncStream<Event>
    private let feed: AsyncStream<Event>.Continuation
    private var dispatched: (any Dispatched)?
    private var ran: Int32?

    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        (events, feed) = AsyncStream.makeStream()
    }

    func start(_ invocation: Invocation, by dispatching: any Dispatching) {
        eventLoop.execute { self.dispatched = dispatching.dispatch(invocation, to: self) }
    }

    /// Gives a reply that has come already.
    func fill(_ reply: CollectedReply) {
        eventLoop.execute { self.ran = reply.process }
        if case .replied = reply.outcome {
            feed.yield(.head(status: reply.status, headers: reply.headers))
            if !reply.body.isEmpty { feed.yield(.piece(ByteBuffer(bytes: reply.body.array))) }
        }
        end(reply.outcome)
    }

    /// What comes next; nil where the task is cancelled.
    func next() async -> Event? {
        var iterator = events.makeAsyncIterator()
        return await iterator.next()
    }

    /// The process that ran it; known after the end.
    func process() async -> Int32? {
        try? await eventLoop.submit { self.ran }.get()
    }

    func took(_ bytes: Int) { eventLoop.execute { self.dispatched?.grant(bytes) } }

    /// Nobody listens any more.
    func abandon() { eventLoop.execute { self.dispatched?.abandon() } }

    func head(status: Int, headers: [Header]) { feed.yield(.head(status: status, headers: headers)) }

    func chunk(_ bytes: ByteBuffer) { feed.yield(.piece(bytes)) }

    func end(_ outcome: Outcome) {
        // In a turn of its own: a dispatch may end before it has returned.
        eventLoop.execute {
            self.ran = self.dispatched?.process ?? self.ran
            self.dispatched = nil
        }
        feed.yield(.end(outcome))
        feed.finish()
    }
}
