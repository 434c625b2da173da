import CHiredis
import FunctionCore
import NIOCore

/// RESP2 on the wire: commands out, replies in.
///
/// Decoding is hiredis' reader; encoding is four lines.
package enum RESPCodec {
    /// The longest string a reply may hold.
    package static let maximumBulk = 64 * 1024 * 1024
    /// The bytes that one whole reply may take: a hundred entries of a megabyte, and room.
    package static let maximumReply = 256 * 1024 * 1024
    /// The elements of one array.
    package static let maximumElements = 1 << 20

    /// Appends a command as an array of strings.
    package static func encode(_ command: [Bytes], into buffer: inout ByteBuffer) {
        buffer.writeString("*\(command.count)\r\n")
        for argument in command {
            buffer.writeString("$\(argument.count)\r\n")
            buffer.writeBytes(argument.array)
            buffer.writeString("\r\n")
        }
    }
}

/// Turns bytes into replies, whatever the pieces in which they come.
///
/// Nesting is bounded by hiredis to seven arrays.
///
/// Threading: one thread at a time. After an error the decoder is finished, as the place in the stream is
/// lost.
package final class RESPDecoder {
    // SAFETY: made and freed by this object alone.
    private let reader: UnsafeMutablePointer<redisReader>
    /// Bytes fed since the last whole reply.
    private var pending = 0

    package init() {
        // SAFETY: the functions' table is a global that is never freed; the reader keeps a pointer to it.
        guard let reader = redisReaderCreateWithFunctions(replyFunctions) else {
            preconditionFailure("no memory for a Redis reader")
        }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
    }

    /// Takes bytes and returns the replies that they complete.
    package func feed(_ buffer: inout ByteBuffer) throws(RedisError) -> [RedisValue] {
        let count = buffer.readableBytes
        // SAFETY: hiredis copies the bytes before it returns.
        let status = buffer.withUnsafeReadableBytes { bytes in
            redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
        }
        buffer.moveReaderIndex(forwardBy: count)
        guard status == REDIS_OK else { throw failure() }
        pending += count
        var replies: [RedisValue] = []
        while let reply = try next() {
            replies.append(reply)
            pending = reader.pointee.len - reader.pointee.pos
        }
        let unread = reader.pointee.len - reader.pointee.pos
        guard unread <= RESPCodec.maximumBulk + 64 * 1024, pending <= RESPCodec.maximumReply else {
            throw RedisError(
                .protocolError,
                "a reply of Redis is over \(RESPCodec.maximumBulk >> 20) MiB in one string or "
                    + "\(RESPCodec.maximumReply >> 20) MiB in all; read it in parts"
            )
        }
        return replies
    }

    private func next() throws(RedisError) -> RedisValue? {
        // SAFETY: a reply that comes out is a retained ReplyNode, which `replyFunctions` made.
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw failure() }
        guard let reply else { return nil }
        // SAFETY: as said above, and it is taken over once.
        return Unmanaged<ReplyNode>.fromOpaque(reply).takeRetainedValue().value
    }

    private func failure() -> RedisError {
        // SAFETY: errstr is a C string inside the reader, read in place.
        let text = withUnsafePointer(to: &reader.pointee.errstr) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 128) { String(cString: $0) }
        }
        return RedisError(.protocolError, "what Redis sent cannot be read: \(text)")
    }
}

/// A reply under construction.
///
/// The reader holds the root retained; a child is held by its parent.
private final class ReplyNode {
    enum Content {
        case leaf(RedisValue)
        case array([ReplyNode])
    }

    var content: Content

    init(_ content: Content) {
        self.content = content
    }

    /// The finished value; recursion ends at hiredis' nesting limit.
    var value: RedisValue {
        switch content {
        case .leaf(let value): value
        case .array(let children): .array(children.map(\.value))
        }
    }

    /// Hangs a node where hiredis' task says, and hands hiredis its pointer.
    // SAFETY: the task is valid during the call; a parent's `obj` is the node that was returned for it.
    static func place(_ node: ReplyNode, _ task: UnsafePointer<redisReadTask>?) -> UnsafeMutableRawPointer? {
        guard let parent = task?.pointee.parent?.pointee.obj else {
            // SAFETY: balanced by `next` or by freeObject.
            return Unmanaged.passRetained(node).toOpaque()
        }
        // SAFETY: the parent's pointer is the node that was returned for it, which hiredis or its own parent
        // still holds.
        let owner = Unmanaged<ReplyNode>.fromOpaque(parent).takeUnretainedValue()
        guard case .array(var children) = owner.content else { return nil }
        // Emptied first, so that the append does not copy the array.
        owner.content = .array([])
        children.append(node)
        owner.content = .array(children)
        // SAFETY: the owner holds the node as long as hiredis may pass its pointer.
        return Unmanaged.passUnretained(node).toOpaque()
    }
}

/// What hiredis calls to build a reply. A nil return makes it give the whole stream up.
// SAFETY: written once, before any reader exists, and never freed: readers keep the pointer.
private nonisolated(unsafe) let replyFunctions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    table.initialize(
        to: redisReplyObjectFunctions(
            createString: { task, text, count in
                guard count <= RESPCodec.maximumBulk else { return nil }
                // SAFETY: hiredis' buffer is valid during the call and copied here.
                let bytes = Array(UnsafeRawBufferPointer(start: text, count: count))
                let value: RedisValue =
                    switch task?.pointee.type {
                    case REDIS_REPLY_STATUS: .simple(String(decoding: bytes, as: UTF8.self))
                    case REDIS_REPLY_ERROR: .error(String(decoding: bytes, as: UTF8.self))
                    default: .bulk(Bytes(bytes))
                    }
                return ReplyNode.place(ReplyNode(.leaf(value)), task)
            },
            createArray: { task, count in
                guard count <= RESPCodec.maximumElements else { return nil }
                return ReplyNode.place(ReplyNode(.array([])), task)
            },
            createInteger: { task, number in ReplyNode.place(ReplyNode(.leaf(.integer(number))), task) },
            createNil: { task in ReplyNode.place(ReplyNode(.leaf(.null)), task) },
            freeObject: { object in
                guard let object else { return }
                // SAFETY: hiredis frees roots alone, which were retained for it.
                Unmanaged<ReplyNode>.fromOpaque(object).release()
            }
        )
    )
    return table
}()
