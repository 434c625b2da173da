import FunctionCore
import NIOCore

/// Writes answers in the form of HTTP/1, straight into the buffer that goes out: no list of fields in
/// between.
struct ReplyWriter {
    /// How the client finds the body's end.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// By the end of the connection, for HTTP/1.0.
        case close
        /// There is no body, and no length to state: 101, 204, 304.
        case none

        init(_ head: ReplyHead) {
            if !head.mayHaveBody {
                self = .none
            } else if let length = head.length {
                self = .length(length)
            } else {
                self = head.isOld ? .close : .chunked
            }
        }
    }

    /// Appends the head, and `body` behind it, to `buffer`; `date` is the whole field with its line's end.
    static func write(
        _ head: ReplyHead,
        _ framing: Framing,
        date: String,
        body: ByteBuffer? = nil,
        to buffer: inout ByteBuffer
    ) {
        var room = 320 + date.utf8.count + head.requestID.utf8.count + (body?.readableBytes ?? 0)
        for header in head.headers { room += header.name.utf8.count + header.value.utf8.count + 4 }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
            var out = ByteCursor(bytes)
            write(head, framing, date, &out)
            body?.withUnsafeReadableBytes { out.put($0) }
            return out.count
        }
    }

    private static func write(
        _ head: ReplyHead,
        _ framing: Framing,
        _ date: String,
        _ out: inout ByteCursor
    ) {
        if head.status == 200 {
            out.put("HTTP/1.1 200 OK\r\n")
        } else {
            out.put("HTTP/1.1 ")
            out.put(head.status)
            out.put(" ")
            out.put(ReplyHead.reason(head.status))
            out.put("\r\n")
        }
        let switches = head.status == 101
        let namesUpgrade = switches || head.status == 426
        for header in head.headers
        where !ReplyHead.isOwn(header.name) || (namesUpgrade && header.name.isHeader("upgrade")) {
            out.put(text: header.name)
            out.put(": ")
            out.put(text: header.value)
            out.put("\r\n")
        }
        out.put("x-request-id: ")
        out.put(text: head.requestID)
        out.put("\r\nx-swiftlet-invocation: ")
        out.put(text: head.id)
        if let traceID = head.traceID {
            out.put("\r\nx-trace-id: ")
            out.put(text: traceID)
        }
        switch framing {
        case .length(let count):
            out.put("\r\ncontent-length: ")
            out.put(count)
        case .chunked: out.put("\r\ntransfer-encoding: chunked")
        case .close, .none: break
        }
        if switches {
            out.put("\r\nconnection: upgrade\r\n")
        } else if head.closes {
            out.put("\r\nconnection: close\r\n")
        } else if head.isOld {
            out.put("\r\nconnection: keep-alive\r\n")
        } else {
            out.put("\r\n")
        }
        out.put(text: date)
        out.put("\r\n")
    }

    /// Writes the line before a chunk's data.
    static func chunkSize(_ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(count, radix: 16))
        buffer.writeStaticString("\r\n")
    }
}

/// Writes pieces one behind the other into memory whose size was reckoned before.
private struct ByteCursor {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func put(_ piece: UnsafeRawBufferPointer) {
        guard let source = piece.baseAddress, piece.count > 0 else { return }
        precondition(bytes.count - count >= piece.count, "the room for a reply's head was reckoned too small")
        // SAFETY: the room has just been checked.
        bytes.baseAddress?.advanced(by: count).copyMemory(from: source, byteCount: piece.count)
        count += piece.count
    }

    mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func put(text: String) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    }

    /// A number that is not negative.
    mutating func put(_ number: Int) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            bytes[count] = UInt8(48 + number / divisor % 10)
            count += 1
            divisor /= 10
        }
    }
}
