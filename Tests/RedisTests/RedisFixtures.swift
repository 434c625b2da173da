import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import Synchronization
import TestSupport

/// Runs `body` with a connected client of a server.
func withClient<Result>(_ url: String, _ body: (RedisClient) async throws -> Result) async throws -> Result {
    let client = RedisClient(url: try RedisURL(url), on: MultiThreadedEventLoopGroup.singleton.next())
    try await client.connect()
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

/// Keeps what happens, and lets a test wait until enough has.
final class Log<Element: Sendable>: Sendable {
    private struct Waiter {
        let id: Int
        let predicate: @Sendable ([Element]) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Waiter] = []
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let ready = state.withLock { state in
            state.elements.append(element)
            let elements = state.elements
            let ready = state.waiters.filter { $0.predicate(elements) }
            state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Waits until the predicate holds; where it never does, the suite's time limit ends the wait, by
    /// cancelling it, and what follows finds what is missing.
    func wait(_ predicate: @escaping @Sendable ([Element]) -> Bool) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // A cancellation before the waiter is in the list would pass it by.
                    if Task.isCancelled || predicate(state.elements) { return true }
                    state.waiters.append(Waiter(id: id, predicate: predicate, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume()
        }
    }
}

/// Answers invocations by a closure; nil leaves them under way until they are cancelled.
final class RecordingDispatcher: Dispatching {
    let invocations = Log<Invocation>()
    private let answer: @Sendable (Invocation) -> Outcome?

    init(_ answer: @escaping @Sendable (Invocation) -> Outcome? = { _ in .replied(status: 200) }) {
        self.answer = answer
    }

    func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        invocations.append(invocation)
        if let outcome = answer(invocation) { sink.eventLoop.execute { sink.end(outcome) } }
        return Running(sink: sink)
    }

    private struct Running: Dispatched {
        let sink: any ReplySink
        func grant(_ bytes: Int) {}
        func cancel() { sink.eventLoop.execute { sink.end(.cancelled) } }
    }
}

struct FixedClock: HostClock {
    let now = Instant(seconds: 1_795_000_000)
}

extension Invocation {
    /// The Redis event that it carries.
    var redisEvent: RedisEvent {
        get throws { try JSONCoder.decode(RedisEvent.self, from: event.body) }
    }
}

extension Manifest {
    /// A function that reads a stream, with quick retries.
    static func reader(attempts: Int = 3) -> Manifest {
        var manifest = Manifest(name: "reader")
        manifest.retry.attempts = attempts
        manifest.retry.backoff = .milliseconds(5)
        manifest.retry.ceiling = .milliseconds(20)
        return manifest
    }
}

/// A trigger of the stream `orders` with the group `g`, and what it reports.
struct TriggerUnderTest {
    let trigger: StreamTrigger
    let dispatcher: RecordingDispatcher
    let reports = Log<StreamReport>()

    init(
        _ client: RedisClient,
        consumer: String = "host-1",
        batch: Int = 1,
        concurrency: Int = 4,
        attempts: Int = 3,
        minIdle: Duration = .seconds(60),
        stream: Manifest.Stream = Manifest.Stream(stream: "orders", group: "g", operation: "take"),
        answer: @escaping @Sendable (Invocation) -> Outcome? = { _ in .replied(status: 200) }
    ) {
        dispatcher = RecordingDispatcher(answer)
        let manifest = Manifest.reader(attempts: attempts)
        var settings = StreamSettings(stream, manifest: manifest)
        settings.batch = batch
        settings.concurrency = concurrency
        settings.minIdle = minIdle
        trigger = StreamTrigger(
            stream: stream,
            manifest: manifest,
            consumer: consumer,
            client: client,
            dispatching: dispatcher,
            clock: FixedClock(),
            settings: settings,
            report: { [reports] in reports.append($0) }
        )
    }

    /// Waits until that many entries are acknowledged.
    func acked(_ count: Int) async {
        await reports.wait { $0.acked.count >= count }
    }
}

extension [StreamReport] {
    var acked: [String] {
        flatMap { report -> [String] in
            if case .acked(let entries) = report { entries } else { [] }
        }
    }

    var deadLetters: [String] {
        compactMap { report in
            if case .deadLettered(let entry, _, _) = report { entry } else { nil }
        }
    }
}
