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

    /// Appends the head to `buffer`; `date` is the whole field with its line's end.
    static func write(
        _ head: ReplyHead,
        _ framing: Framing,
        closes: Bool,
        date: String,
        to buffer: inout ByteBuffer
    ) {
        if head.status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            buffer.writeStaticString("HTTP/1.1 ")
            write(head.status, to: &buffer)
            buffer.writeStaticString(" ")
            buffer.writeStaticString(ReplyHead.reason(head.status))
            buffer.writeStaticString("\r\n")
        }
        let switches = head.status == 101
        let namesUpgrade = switches || head.status == 426
        for header in head.headers
        where !ReplyHead.isOwn(header.name) || (namesUpgrade && header.name.isHeader("upgrade")) {
            buffer.writeString(header.name)
            buffer.writeStaticString(": ")
            buffer.writeString(header.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("x-request-id: ")
        buffer.writeString(head.requestID)
        buffer.writeStaticString("\r\nx-swiftlet-invocation: ")
        buffer.writeString(head.id)
        if let traceID = head.traceID {
            buffer.writeStaticString("\r\nx-trace-id: ")
            buffer.writeString(traceID)
        }
        switch framing {
        case .length(let count):
            buffer.writeStaticString("\r\ncontent-length: ")
            write(count, to: &buffer)
        case .chunked: buffer.writeStaticString("\r\ntransfer-encoding: chunked")
        case .close, .none: break
        }
        if switches {
            buffer.writeStaticString("\r\nconnection: upgrade\r\n")
        } else if closes {
            buffer.writeStaticString("\r\nconnection: close\r\n")
        } else if head.isOld {
            buffer.writeStaticString("\r\nconnection: keep-alive\r\n")
        } else {
            buffer.writeStaticString("\r\n")
        }
        buffer.writeString(date)
        buffer.writeStaticString("\r\n")
    }

    /// Writes the line before a chunk's data.
    static func chunkSize(_ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(count, radix: 16))
        buffer.writeStaticString("\r\n")
    }

    private static func write(_ number: Int, to buffer: inout ByteBuffer) {
        buffer.writeString(String(number))
    }
}
