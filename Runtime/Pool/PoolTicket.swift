import FunctionCore
import Invocations
import NIOCore
import Wire

/// An invocation from its arrival to its end, and its caller's hold on it: the one object that a hop makes.
// SAFETY: what changes is touched on the pool's loop only; the rest is set before anybody else has the ticket.
final class PoolTicket: Dispatched, @unchecked Sendable {
    let pool: FunctionPool
    let invocation: Invocation
    /// Another one once the caller has gone.
    var sink: any ReplySink
    /// Its frame id; 0 before it has arrived.
    var key: UInt32 = 0
    /// The hold on it where the pool had been superseded when it arrived.
    var onward: (any Dispatched)?
    var arrived = Monotonic(nanoseconds: 0)
    var started: Monotonic?
    var worker: PoolMachine.WorkerID?
    var pid: Int32 = 0
    var cold = false
    /// What the start of its worker took, where that was for it.
    var startup = Duration.zero
    var status = 0
    var bytesOut = 0
    /// What the worker may still send before the reader has granted more.
    var credit = initialCredit
    /// What its reader has still to take of a reply that lies in the shared region.
    var left: Extent?
    var isDelivering = false
    /// The binding calls it has begun, and what there is to tell of the first ones.
    var calls = 0
    var callReports: [CallReport] = []
    /// What it sees and replies, where that is kept.
    var run: RecordedRun?

    init(_ invocation: consuming Invocation, to sink: any ReplySink, of pool: FunctionPool) {
        self.pool = pool
        self.invocation = invocation
        self.sink = sink
    }

    var process: Int32? { onward?.process ?? (pid == 0 ? nil : pid) }

    func grant(_ bytes: Int) {
        if pool.loop.inEventLoop {
            onward?.grant(bytes) ?? pool.grant(self, bytes)
        } else {
            pool.loop.execute { self.grant(bytes) }
        }
    }

    func cancel() {
        if pool.loop.inEventLoop {
            onward?.cancel() ?? pool.cancel(key)
        } else {
            pool.loop.execute { self.cancel() }
        }
    }

    func abandon() {
        if pool.loop.inEventLoop {
            onward?.abandon() ?? pool.abandon(self)
        } else {
            pool.loop.execute { self.abandon() }
        }
    }

    // MARK: To the sink, on its own loop

    func head(_ status: Int, _ headers: [Header], _ first: ByteBuffer) {
        let sink = sink
        if isHome {
            sink.head(status: status, headers: headers)
            if first.readableBytes > 0 { sink.chunk(first) }
        } else {
            sink.eventLoop.execute {
                sink.head(status: status, headers: headers)
                if first.readableBytes > 0 { sink.chunk(first) }
            }
        }
    }

    func reply(_ status: Int, _ headers: [Header], _ body: ByteBuffer) {
        let sink = sink
        if isHome {
            sink.reply(status: status, headers: headers, body: body)
        } else {
            sink.eventLoop.execute { sink.reply(status: status, headers: headers, body: body) }
        }
    }

    func chunk(_ bytes: ByteBuffer, endsWrite: Bool) {
        let sink = sink
        if isHome {
            sink.chunk(bytes)
            if endsWrite { sink.written() }
        } else {
            sink.eventLoop.execute {
                sink.chunk(bytes)
                if endsWrite { sink.written() }
            }
        }
    }

    func end(_ outcome: Outcome) {
        let sink = sink
        if isHome { sink.end(outcome) } else { sink.eventLoop.execute { sink.end(outcome) } }
    }

    private var isHome: Bool { sink.eventLoop === pool.loop }
}
