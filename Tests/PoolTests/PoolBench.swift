import FunctionCore
import Glibc
import Invocations
import Isolation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import WorkerPool

/// The suites with real worker processes, one test at a time: they count processes and descriptors.
@Suite("workers", .serialized, .timeLimit(.minutes(2)))
struct WorkerSuite {}

/// One function's pool over the fixture bundle, and what it reported.
final class PoolBench: Sendable {
    static let loop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

    let pool: FunctionPool
    let reports: Reports
    private let box: ClockBox

    /// What a pool reported, in order.
    final class Reports: Sendable {
        private let state = Mutex<[PoolReport]>([])

        func add(_ report: PoolReport) { state.withLock { $0.append(report) } }
        var all: [PoolReport] { state.withLock { $0 } }
        var invocations: [InvocationReport] {
            all.compactMap { if case .invocation(let report) = $0 { report } else { nil } }
        }
        var lines: [LogLine] { all.compactMap { if case .line(let line) = $0 { line } else { nil } } }
        var spawnFailures: [String] {
            all.compactMap { if case .spawnFailed(_, let reason) = $0 { reason } else { nil } }
        }
        var gone: [(pid: Int32, reason: String, asked: Bool)] {
            all.compactMap {
                if case .workerGone(_, let pid, let reason, let asked) = $0 {
                    (pid, reason, asked)
                } else {
                    nil
                }
            }
        }
        var ready: Int { all.count { if case .workerReady = $0 { true } else { false } } }
    }

    /// The bundle that is built beside the tests.
    static let bundle: String = {
        guard let resolved = realpath("/proc/self/exe", nil) else { return "" }
        defer { free(resolved) }
        let path = String(cString: resolved)
        return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fixtures"
    }()

    init(
        _ function: String,
        executable: String = PoolBench.bundle,
        environment: [String: String] = [:],
        services: [any BindingService] = [],
        currentToken: UInt64? = nil,
        isolation: WorkerIsolation? = nil,
        template: WorkerTemplate? = nil,
        capacity: HostCapacity? = nil,
        shares: InFlightShares? = nil,
        clock: ClockReading = ClockReading(wall: Instant(nanoseconds: 0), monotonic: .now, speed: 1),
        _ change: (inout Manifest) -> Void = { _ in }
    ) {
        var manifest = Manifest(name: function)
        manifest.file = "function.yaml"
        manifest.limits.timeout = .seconds(20)
        manifest.limits.grace = .milliseconds(300)
        change(&manifest)
        let reports = Reports()
        let box = ClockBox(clock)
        self.reports = reports
        // A backtrace would delay each crash by seconds.
        let plain = ["SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 }
        pool = FunctionPool(
            manifest: manifest,
            program: WorkerProgram(
                executable: executable,
                hash: "test",
                environment: plain,
                isolation: isolation,
                template: template
            ),
            bindings: BindingHost(services) { _, token in currentToken.map { $0 == token } ?? true },
            loop: PoolBench.loop,
            clock: { box.reading },
            capacity: capacity,
            shares: shares,
            report: { reports.add($0) }
        )
        self.box = box
    }

    /// Sets the clock that workers see.
    func setClock(_ reading: ClockReading) {
        box.reading = reading
        pool.clockChanged()
    }

    /// An invocation of the function with a JSON text.
    func invocation(
        _ json: String = "{}",
        timeout: Duration? = nil,
        fencingToken: UInt64? = nil
    ) -> Invocation {
        Invocation(
            function: pool.manifest.name,
            event: Event(body: Bytes(json)),
            fencingToken: fencingToken,
            timeout: timeout
        )
    }

    /// Runs an invocation to its end.
    func run(
        _ json: String = "{}",
        timeout: Duration? = nil,
        fencingToken: UInt64? = nil
    ) async -> CollectedReply {
        await run(invocation(json, timeout: timeout, fencingToken: fencingToken))
    }

    func run(_ invocation: Invocation) async -> CollectedReply {
        await PoolDispatcher([pool]).collect(invocation, on: pool.loop, limit: 64 << 20)
    }

    /// Starts an invocation whose reply can be watched.
    func watch(_ json: String = "{}", timeout: Duration? = nil) -> WatchedReply {
        let sink = WatchedReply(eventLoop: pool.loop)
        sink.attach(pool.dispatch(invocation(json, timeout: timeout), to: sink))
        return sink
    }

    func status() async throws -> PoolStatus { try await pool.status().get() }

    /// Drains the pool and checks that it left no process behind.
    func drain(grace: Duration = .seconds(5)) async throws {
        let pids = try await status().pids
        try await pool.drain(grace: grace).get()
        for pid in pids { #expect(kill(pid, 0) != 0, "process \(pid) is still there") }
        let left = try await status()
        #expect(left.workers == 0)
        #expect(left.running == 0)
        #expect(left.waiting == 0)
    }

    /// Waits until a worker runs something.
    func untilRunning() async throws {
        while try await status().running == 0 { try Task.checkCancellation() }
    }

    /// Waits until no worker runs anything.
    func untilIdle() async throws {
        while try await status().running > 0 { try Task.checkCancellation() }
    }

    /// Waits until a worker has begun something.
    func untilBegun() async throws {
        let pool = pool
        while try await pool.loop.submit({ !pool.links.values.contains { !$0.begun.isEmpty } }).get() {
            try Task.checkCancellation()
        }
    }

    /// Waits until the loop has turned and `condition` holds; a time limit of the suite ends what never comes.
    func until(_ condition: @escaping @Sendable () -> Bool) async throws {
        while !condition() {
            try Task.checkCancellation()
            try await pool.loop.scheduleTask(in: .milliseconds(2)) {}.futureResult.get()
        }
    }
}

/// A clock reading that a test may change.
private final class ClockBox: Sendable {
    private let state: Mutex<ClockReading>

    init(_ reading: ClockReading) {
        state = Mutex(reading)
    }

    var reading: ClockReading {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A reply as it comes in.
///
/// It grants nothing unless it is told to.
final class WatchedReply: ReplySink {
    struct State {
        var status = 0
        var heads = 0
        var bytes: [UInt8] = []
        var granted = 0
        var outcomes: [Outcome] = []
        var dispatched: (any Dispatched)?
    }

    let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func attach(_ dispatched: any Dispatched) { state.withLock { $0.dispatched = dispatched } }
    func head(status: Int, headers: [Header]) {
        state.withLock {
            $0.status = status
            $0.heads += 1
        }
    }
    func chunk(_ bytes: ByteBuffer) { state.withLock { $0.bytes += bytes.readableBytesView } }
    func end(_ outcome: Outcome) { state.withLock { $0.outcomes.append(outcome) } }

    func grant(_ bytes: Int) { state.withLock { $0.dispatched }?.grant(bytes) }
    func cancel() { state.withLock { $0.dispatched }?.cancel() }
    func abandon() { state.withLock { $0.dispatched }?.abandon() }

    var status: Int { state.withLock { $0.status } }
    var heads: Int { state.withLock { $0.heads } }
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var count: Int { state.withLock { $0.bytes.count } }
    var outcomes: [Outcome] { state.withLock { $0.outcomes } }
    var ended: Bool { state.withLock { !$0.outcomes.isEmpty } }
}
