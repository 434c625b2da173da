import FunctionCore
import NIOCore
import Synchronization

/// What the connections of one event loop share: the time in ticks, the date field, and who is there.
///
/// Timeouts are counted in ticks of a sweep over all connections. A timer for each would cost every request
/// two operations on a heap; the sweep of ten thousand connections takes a fraction of a millisecond a second.
// SAFETY: every member but `eventLoop` is touched on `eventLoop` only; HTTPServer enters through `execute`.
package final class ServerLoop: @unchecked Sendable {
    let eventLoop: any EventLoop
    /// How often the sweep has run.
    package private(set) var tick = 0
    package private(set) var date = DateField()
    /// No connection is kept alive any more.
    package private(set) var isStopping = false
    /// The tick at which idle connections are closed after all.
    private(set) var patienceEnds: Int?

    /// The ids of traces that begin here.
    var traceIDs = TraceIDs()
    /// For replies that are compressed as they come.
    var coders = GzipCoders()
    private let clock: @Sendable () -> Instant
    private var connections: [ObjectIdentifier: any ServedConnection] = [:]
    private var unsettled: [FunctionExchange] = []
    /// A buffer that connections write in, one after the other.
    private var spare: ByteBuffer?
    private var sweeping: RepeatedTask?
    private var whenEmpty: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, clock: @escaping @Sendable () -> Instant) {
        self.eventLoop = eventLoop
        self.clock = clock
    }

    func start(every interval: Duration) {
        date.update(clock())
        let pause = TimeAmount.nanoseconds(interval.nanoseconds)
        sweeping = eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { [weak self] _ in
            self?.sweep()
        }
    }

    package func add(_ connection: any ServedConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    package func remove(_ connection: any ServedConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if connections.isEmpty { whenEmpty?.succeed() }
    }

    /// Lets `exchange` write what it holds when all that came in this turn of the loop has been looked at,
    /// so that a reply whose parts come together goes out as one write, and a stream's pieces as few.
    func settleLater(_ exchange: FunctionExchange) {
        unsettled.append(exchange)
        guard unsettled.count == 1 else { return }
        eventLoop.execute { self.settle() }
    }

    /// An empty buffer to write in.
    func takeBuffer() -> ByteBuffer {
        guard var buffer = spare.take() else { return ByteBufferAllocator().buffer(capacity: 1024) }
        // A copy, where the last user's bytes are still on their way.
        buffer.clear()
        return buffer
    }

    /// Takes a buffer back; a large one is let go.
    func giveBack(_ buffer: consuming ByteBuffer) {
        if buffer.capacity <= 64 * 1024 { spare = buffer }
    }

    /// Closes idle connections, with `patience` after a second or two, and the others when their answer is
    /// out; the future is done when none is left.
    func retire(patience: Bool = false) -> EventLoopFuture<Void> {
        isStopping = true
        patienceEnds = patience ? tick + 2 : nil
        let promise = whenEmpty ?? eventLoop.makePromise(of: Void.self)
        whenEmpty = promise
        if !patience { for connection in connections.values { connection.retire() } }
        if connections.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    /// Ends the connections that have become something else, such as WebSockets.
    func retireUpgraded() {
        for connection in connections.values where connection.isUpgraded { connection.retire() }
    }

    /// Closes what is left and ends the sweep.
    func end() {
        sweeping?.cancel()
        for connection in connections.values { connection.abort() }
    }

    private func settle() {
        let exchanges = unsettled
        unsettled.removeAll(keepingCapacity: true)
        for exchange in exchanges { exchange.settle() }
    }

    private func sweep() {
        tick += 1
        date.update(clock())
        for connection in connections.values { connection.sweep() }
        guard let end = patienceEnds, tick >= end else { return }
        patienceEnds = nil
        for connection in connections.values { connection.retire() }
    }
}

/// A connection as its loop knows it.
package protocol ServedConnection: AnyObject {
    /// Whether it was handed over after 101.
    var isUpgraded: Bool { get }
    /// Looks whether a limit of time has passed; called once a tick.
    func sweep()
    /// The server stops: an idle connection closes, another one with its answer.
    func retire()
    /// Closes at once.
    func abort()
}

extension ServedConnection {
    package var isUpgraded: Bool { false }
}

/// How many connections all loops of a server hold.
package final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    /// Counts one in and returns how many there are.
    package func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
    /// Counts one out.
    package func leave() { count.subtract(1, ordering: .relaxed) }
}
