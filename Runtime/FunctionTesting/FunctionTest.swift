import FunctionCore
import Synchronization

/// A function under test: its handler, made once, run in this process with bindings in memory.
///
/// As in a worker an error that the function throws reaches the caller as a `FunctionError`, an invocation that
/// outlives its time limit is cancelled and answered with 504, and a binding that is not granted throws
/// `binding_not_granted`. Threading: any; invocations may overlap.
public struct FunctionTest: Sendable {
    /// A line that the function logged.
    public struct LogLine: Sendable, Hashable {
        /// How much it matters.
        public var level: LogLevel
        /// What it says.
        public var message: String
        /// What goes with it.
        public var metadata: [String: String]
    }

    /// What the function reaches: fill it before, look at it after.
    ///
    /// It has the clock as well.
    public let world: FakeBindings
    let name: String
    let handler: Handler
    let environment: [String: String]
    private let notes = Notes()

    private final class Notes: Sendable {
        let lines = Mutex<[LogLine]>([])
        let count = Mutex(0)
    }

    /// Makes the handler, as a worker does when it starts.
    ///
    /// `grants` is what `bindings:` of the manifest names, `environment` what `environment:` gives, `now` where
    /// the clock stands.
    /// - Throws: what the function's `init` throws.
    public init(
        _ entry: FunctionEntry,
        grants: Set<String> = [],
        environment: [String: String] = [:],
        now: Instant = FakeBindings.usualNow
    ) throws {
        name = entry.name
        handler = try entry.make()
        world = FakeBindings(now: now, grants: grants)
        self.environment = environment
    }

    /// What has been logged, oldest first.
    public var log: [LogLine] { notes.lines.withLock { $0 } }

    /// Invokes the function with a plain event and waits for its reply.
    /// - Throws: what the function failed with.
    @discardableResult
    public func invoke(_ input: JSON = [:], operation: String = "") async throws(FunctionError) -> TestReply {
        try await invoke(.plain(input, operation: operation))
    }

    /// Invokes the function with an event of any trigger and waits for its reply.
    ///
    /// `principal` is who asks, `fencingToken` that of a rotation's window. The time limit counts on the real
    /// clock, whatever the world's says. A client that `leavesAfter` some pieces of a stream reads no more.
    /// Cancellation: cancels the handler's task.
    /// - Throws: what the function failed with; of a stream that had begun, the reply has the error instead.
    @discardableResult
    public func invoke(
        _ event: Event,
        principal: String? = nil,
        attempt: Int = 1,
        fencingToken: UInt64? = nil,
        timeout: Duration = .seconds(30),
        leavesAfter: Int = .max
    ) async throws(FunctionError) -> TestReply {
        let id = nextID()
        return try await race(id, timeout) { race in
            let context = self.context(id, race, timeout, principal, attempt, fencingToken)
            return try await run(event, context, leavesAfter: leavesAfter)
        }
    }

    func run(_ event: Event, _ context: Context, leavesAfter: Int = .max) async throws -> TestReply {
        switch handler {
        case .synchronous(let handle): return TestReply(try handle(event, context))
        case .async(let handle): return TestReply(try await handle(event, context))
        case .batch(let handle):
            let results = try await handle([event], context)
            try FunctionTest.check(results, for: 1)
            return TestReply(try results[0].get())
        case .streaming(let handle):
            let recorder = ReplyRecorder(leavesAfter: leavesAfter)
            do {
                try await handle(event, context, recorder.stream)
            } catch {
                var reply = recorder.reply
                guard reply.status != 0 else { throw error }
                reply.error = FunctionError(describing: error)
                return reply
            }
            var reply = recorder.reply
            if reply.status == 0 { reply.status = 200 }
            return reply
        }
    }

    /// Invokes a `BatchFunction` with several events at once; there is a result for each, in their order.
    /// - Throws: what the function failed with as a whole; `not_a_batch_function` of another shape.
    public func invoke(
        batch events: [Event],
        principal: String? = nil,
        timeout: Duration = .seconds(30)
    ) async throws(FunctionError) -> [Result<TestReply, FunctionError>] {
        guard case .batch(let handle) = handler else {
            throw FunctionTest.takesOne(name)
        }
        let id = nextID()
        return try await race(id, timeout) { race in
            let results = try await handle(events, self.context(id, race, timeout, principal, 1, nil))
            try FunctionTest.check(results, for: events.count)
            return results.map { $0.map { TestReply($0) } }
        }
    }

    static func takesOne(_ name: String) -> FunctionError {
        let message = "\(name) takes one event at a time; a BatchFunction takes several"
        return FunctionError(code: "not_a_batch_function", message: message)
    }

    static func check(_ results: [Result<Reply, FunctionError>], for count: Int) throws {
        guard results.count == count else {
            let message =
                "the function gave \(results.count) results for \(count) events; it must give one for each, "
                + "in their order"
            throw FunctionError(code: "bad_batch_reply", message: message)
        }
    }

    private func nextID() -> String {
        notes.count.withLock { count in
            count += 1
            return "inv\(count)"
        }
    }

    private func context(
        _ id: String,
        _ race: any Cancelling,
        _ timeout: Duration,
        _ principal: String?,
        _ attempt: Int,
        _ fencingToken: UInt64?
    ) -> Context {
        world.context(
            name,
            invocation: id,
            attempt: attempt,
            principal: principal,
            fencingToken: fencingToken,
            environment: environment,
            remaining: timeout,
            log: logger,
            cancelled: { race.isCancelled }
        )
    }

    /// Keeps what is logged.
    var logger: Logger {
        Logger { [notes] level, message, metadata in
            notes.lines.withLock {
                $0.append(LogLine(level: level, message: message, metadata: metadata))
            }
        }
    }

    func race<Value: Sendable>(
        _ id: String,
        _ timeout: Duration,
        _ body: @escaping @Sendable (any Cancelling) async throws -> Value
    ) async throws(FunctionError) -> Value {
        let race = Race<Value>()
        let result = await withTaskCancellationHandler {
            await race.run(timeout, body)
        } onCancel: {
            race.cancel()
        }
        world.releaseClaims(of: id)
        return try result.get()
    }
}

extension TestReply {
    init(_ reply: Reply) {
        self.init(status: reply.status, headers: reply.headers, pieces: [reply.body])
    }
}

/// What tells a handler that it is asked to stop.
protocol Cancelling: Sendable {
    var isCancelled: Bool { get }
}

/// A handler against its time limit: whichever ends first has the say, so that a handler that does not heed its
/// cancellation holds up nobody.
private final class Race<Value: Sendable>: Cancelling {
    typealias End = Result<Value, FunctionError>

    private struct State {
        var isCancelled = false
        var continuation: CheckedContinuation<End, Never>?
        var tasks: [Task<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func run(_ timeout: Duration, _ body: @escaping @Sendable (Race) async throws -> Value) async -> End {
        await withCheckedContinuation { continuation in
            state.withLock { $0.continuation = continuation }
            let work = Task {
                do {
                    self.end(.success(try await body(self)))
                } catch {
                    self.end(.failure(FunctionError(describing: error)))
                }
            }
            let timer = Task {
                guard (try? await Task.sleep(for: timeout)) != nil else { return }
                self.cancel()
                let message = "the function did not answer within its time limit"
                self.end(.failure(FunctionError(status: 504, code: "timed_out", message: message)))
            }
            let isOver = state.withLock { state in
                state.tasks = [work, timer]
                return state.isCancelled || state.continuation == nil
            }
            if isOver { [work, timer].forEach { $0.cancel() } }
        }
    }

    func cancel() {
        let work = state.withLock { state in
            state.isCancelled = true
            return state.tasks.first
        }
        work?.cancel()
    }

    private func end(_ end: End) {
        let (continuation, timer) = state.withLock { state in
            defer { state.continuation = nil }
            return (state.continuation, state.tasks.last)
        }
        continuation?.resume(returning: end)
        timer?.cancel()
    }
}
