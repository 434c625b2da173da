import FunctionCore
import Invocations
import NIOCore
import Wire

/// A reply on its way to the pool, as far as its reader has granted.
struct OutgoingReply {
    /// What is kept for a slow reader before the runtime is no longer read from.
    static let pendingMax = 256 * 1024
    /// The longest piece in one frame.
    private static let pieceMax = 256 * 1024

    private var credit = initialCredit
    private var head: ReplyHead?
    private var hasBegun = false
    private var pending = ByteBuffer()
    private var isWhole = false
    private var error: FunctionError?
    private var isUnwanted = false

    /// Whether the reader is so far behind that no more should be taken in.
    var isFull: Bool { pending.readableBytes >= OutgoingReply.pendingMax }

    mutating func grant(_ bytes: Int) { credit += bytes }

    mutating func begin(_ status: Int, _ headers: [Header]) {
        head = ReplyHead(status: status, headers: headers)
    }

    /// Nobody reads it any more: what still comes is dropped.
    mutating func discard() {
        isUnwanted = true
        pending = ByteBuffer()
    }

    mutating func add(_ bytes: ByteBuffer) {
        if isUnwanted { return }
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeImmutableBuffer(bytes) }
    }

    /// Nothing follows, or an error in the place of the rest.
    mutating func finish(_ error: FunctionError? = nil) {
        isWhole = true
        self.error = error
    }

    /// Writes what may go; true once all has gone.
    mutating func write(to writer: inout WireWriter, id: UInt32) -> Bool {
        if isUnwanted {
            if isWhole { writer.frame(.end, id: id) }
            return isWhole
        }
        if let error, isWhole, !hasBegun {
            ErrorPayload.write(error, to: &writer, id: id)
            return true
        }
        guard let head else { return false }
        if !hasBegun {
            hasBegun = true
            let first = take()
            let isLast = isWhole && pending.readableBytes == 0 && error == nil
            head.write(to: &writer, id: id, flags: isLast ? Frame.last : 0, body: first)
            if isLast { return true }
        }
        while pending.readableBytes > 0, credit > 0 {
            let piece = take()
            writer.frame(.chunk, id: id) { $0.rest(piece) }
        }
        guard isWhole, pending.readableBytes == 0 else { return false }
        if let error {
            ErrorPayload.write(error, to: &writer, id: id)
        } else {
            writer.frame(.end, id: id)
        }
        return true
    }

    private mutating func take() -> [UInt8] {
        let count = min(pending.readableBytes, credit, OutgoingReply.pieceMax)
        credit -= count
        return pending.readBytes(length: count) ?? []
    }
}
