import FunctionCore
import Invocations
import NIOCore

extension FunctionPool {
    /// The caller of an invocation has gone.
    ///
    /// As the manifest says, the invocation is cancelled, or goes on to its end and its reply is dropped.
    func abandon(_ ticket: PoolTicket) {
        guard manifest.onDisconnect == .continue, tickets.contains(ticket.key) else {
            return cancel(ticket.key)
        }
        ticket.end(.cancelled)
        ticket.sink = NobodySink(ticket)
        // What the caller had been sent and not yet granted back.
        grant(ticket, initialCredit - ticket.credit)
    }
}

/// Takes a reply that nobody waits for, at once.
// SAFETY: `ticket` is set before anybody else has the sink, and weak only because the ticket holds the sink.
private final class NobodySink: ReplySink, @unchecked Sendable {
    let eventLoop: any EventLoop
    private weak var ticket: PoolTicket?

    init(_ ticket: PoolTicket) {
        self.ticket = ticket
        eventLoop = ticket.pool.loop
    }

    func head(status: Int, headers: [Header]) {}
    func chunk(_ bytes: ByteBuffer) { ticket?.grant(bytes.readableBytes) }
    func end(_ outcome: Outcome) {}
}
