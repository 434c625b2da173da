import FunctionCore
import Invocations
import NIOCore
import Synchronization

/// A `Dispatching` that runs nothing: it remembers what it was given, and ends it as the test says.
///
/// `answer` decides at once; where it gives nil the invocation stays under way until `end`, or until it is
/// cancelled and `lingers` does not hold it.
final class Recorder: Dispatching {
    struct Seen: Sendable {
        var invocation: Invocation
        var outcome: Outcome?
        var isCancelled = false
    }

    private struct Open {
        var number: Int
        var sink: any ReplySink
    }

    private struct State {
        var seen: [Seen] = []
        var open: [Int: Open] = [:]
        var lingers = false
        var overlaps: [String] = []
        var waiters: [(condition: @Sendable ([Seen]) -> Bool, promise: EventLoopPromise<[Seen]>)] = []
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    private let answer: @Sendable (Invocation) -> CollectedReply?

    init(on loop: any EventLoop, _ answer: @escaping @Sendable (Invocation) -> CollectedReply? = { _ in .ok })
    {
        self.loop = loop
        self.answer = answer
    }

    func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        let number = state.withLock { state in
            let others = state.open.values.map { state.seen[$0.number].invocation.function }
            if let other = others.first(where: { $0 != invocation.function }) {
                state.overlaps.append("\(invocation.function) beside \(other)")
            }
            state.seen.append(Seen(invocation: invocation))
            let number = state.seen.count - 1
            state.open[number] = Open(number: number, sink: sink)
            return number
        }
        if let reply = answer(invocation) { end(number, reply) }
        settle()
        return Handle(recorder: self, number: number)
    }

    /// Ends what is under way.
    func end(_ number: Int, _ reply: CollectedReply = .ok) {
        let sink = state.withLock { state -> (any ReplySink)? in
            guard let open = state.open.removeValue(forKey: number) else { return nil }
            state.seen[number].outcome = reply.outcome
            return open.sink
        }
        guard let sink else { return }
        sink.eventLoop.execute {
            if case .replied(let status) = reply.outcome {
                sink.head(status: status, headers: reply.headers)
                if !reply.body.isEmpty { sink.chunk(ByteBuffer(bytes: reply.body.array)) }
            }
            sink.end(reply.outcome)
        }
        settle()
    }

    /// Whether what is cancelled stays under way, as a worker does that must be killed.
    func setLingers(_ value: Bool) { state.withLock { $0.lingers = value } }

    fileprivate func cancel(_ number: Int) {
        let ends = state.withLock { state in
            state.seen[number].isCancelled = true
            return !state.lingers
        }
        if ends { end(number, CollectedReply(outcome: .cancelled)) }
        settle()
    }

    var seen: [Seen] { state.withLock { $0.seen } }
    var underWay: Int { state.withLock { $0.open.count } }
    /// Functions that were begun while another one was under way.
    var overlaps: [String] { state.withLock { $0.overlaps } }

    /// Waits until what was seen fulfils a condition.
    @discardableResult
    func wait(_ what: String, _ condition: @escaping @Sendable ([Seen]) -> Bool) async throws -> [Seen] {
        let promise = loop.makePromise(of: [Seen].self)
        let limit = loop.scheduleTask(in: .seconds(20)) { promise.fail(Missing(what: what)) }
        state.withLock { $0.waiters.append((condition, promise)) }
        settle()
        defer { limit.cancel() }
        return try await promise.futureResult.get()
    }

    private func settle() {
        let (seen, done) = state.withLock { state in
            let seen = state.seen
            let done = state.waiters.filter { $0.condition(seen) }.map(\.promise)
            state.waiters.removeAll { $0.condition(seen) }
            return (seen, done)
        }
        for promise in done { promise.succeed(seen) }
    }

    private struct Handle: Dispatched {
        let recorder: Recorder
        let number: Int

        func grant(_ bytes: Int) {}
        func cancel() { recorder.cancel(number) }
    }
}

/// What a test waited for, and did not come.
struct Missing: Error, CustomStringConvertible {
    let what: String
    var description: String { "\(what) did not come in time" }
}

extension CollectedReply {
    static let ok = CollectedReply(
        outcome: .replied(status: 200),
        status: 200,
        headers: [Header("content-type", "application/json")],
        body: "{\"done\":true}"
    )

    static func status(_ status: Int, code: String) -> CollectedReply {
        let error: JSON = ["error": ["code": .string(code), "message": "as the script says"]]
        return CollectedReply(outcome: .replied(status: status), status: status, body: error.bytes())
    }

    static func failed(_ retry: FunctionError.Retry = .byPolicy) -> CollectedReply {
        let error = FunctionError(code: "broken", message: "as the script says", retry: retry)
        return CollectedReply(outcome: .failed(error))
    }

    static func shed(_ reason: Outcome.ShedReason, after wait: Duration) -> CollectedReply {
        CollectedReply(outcome: .shed(reason, retryAfter: wait))
    }
}
