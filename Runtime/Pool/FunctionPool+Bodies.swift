import FunctionCore
import Invocations
import NIOCore
import Recordings
import Wire

/// Large replies: their bodies lie in the region shared with the worker, from where they go to their readers
/// piece by piece, as these grant it. For the machine the worker runs them until then.
extension FunctionPool {
    private static let pieceMax = 256 * 1024

    func repliedElsewhere(
        _ frame: Frame,
        _ head: ReplyHead,
        _ place: UnsafeRawBufferPointer,
        _ link: WorkerLink
    ) throws(WireError) {
        var reader = WireReader(place)
        let extent = try reader.extent()
        guard frame.isLast, link.bodies.left(at: extent) != nil else {
            throw WireError("a reply at \(extent.offset), which is not in the worker's half of the region")
        }
        guard let ticket = tickets[frame.id], ticket.worker == link.id else {
            link.send { $0.frame(.taken, id: frame.id) }
            return complete(frame.id, link, nil)
        }
        if isDoomed(ticket, link) { return }
        guard ticket.status == 0 else { throw WireError("a second head for one reply") }
        ticket.status = head.status
        ticket.left = extent
        ticket.run?.tape.replied(head.status, head.headers)
        ticket.head(head.status, head.headers, ByteBuffer())
        deliver(ticket)
    }

    /// Hands over as much as the reader has granted; what it grants meanwhile comes in the same turn.
    func deliver(_ ticket: PoolTicket) {
        guard !ticket.isDelivering, let link = ticket.worker.flatMap({ links[$0] }) else { return }
        ticket.isDelivering = true
        defer { ticket.isDelivering = false }
        showedLife(ticket.key)
        while let left = ticket.left, left.length > 0, ticket.credit > 0,
            let bytes = link.bodies.left(at: left)
        {
            let count = min(left.length, ticket.credit, FunctionPool.pieceMax)
            ticket.credit -= count
            ticket.bytesOut += count
            ticket.left = Extent(offset: left.offset + count, length: left.length - count)
            // Copied: the worker may write there, whatever it has promised.
            let piece = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
            ticket.run?.tape.replied(piece.readableBytesView)
            ticket.chunk(piece, endsWrite: false)
        }
        guard let left = ticket.left, left.length == 0 else { return }
        ticket.left = nil
        link.send { $0.frame(.taken, id: ticket.key) }
        complete(ticket.key, link, nil)
    }

    /// The reader wants no more: the worker, which is done with it, has its memory back.
    func leave(_ ticket: PoolTicket) {
        ticket.left = nil
        guard let link = ticket.worker.flatMap({ links[$0] }) else { return }
        link.send { $0.frame(.taken, id: ticket.key) }
        complete(ticket.key, link, nil)
    }
}
