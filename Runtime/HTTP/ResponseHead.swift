import FunctionCore
import NIOCore
import NIOHTTP1

/// The head of a response, written straight into the buffer that goes out: one buffer, no list of fields in
/// between.
struct ResponseHead {
    /// How the client finds the body's end.
    enum Framing {
        case length(Int)
        case chunked
        /// By the end of the connection, for HTTP/1.0.
        case close
        /// There is no body, and no length to state: 204, 304.
        case none
    }

    private(set) var buffer: ByteBuffer

    init(status: Int, capacity: Int) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        switch status {
        case 200: buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        case 202: buffer.writeStaticString("HTTP/1.1 202 Accepted\r\n")
        default:
            buffer.writeStaticString("HTTP/1.1 ")
            buffer.writeString(String(status))
            buffer.writeStaticString(" ")
            buffer.writeString(HTTPResponseStatus(statusCode: status).reasonPhrase)
            buffer.writeStaticString("\r\n")
        }
    }

    /// A field whose name and value are the host's own.
    mutating func field(_ name: StaticString, _ value: String) {
        buffer.writeStaticString(name)
        buffer.writeStaticString(": ")
        buffer.writeString(value)
        buffer.writeStaticString("\r\n")
    }

    /// A field from a function or an endpoint; false where it would break the message.
    ///
    /// Fields that are the connection's or the host's own are left out.
    mutating func foreignField(_ header: Header) -> Bool {
        guard MediaType.isToken(header.name) else { return false }
        if Self.isOwn(header.name) { return true }
        let value = header.value.utf8.span
        for index in 0..<value.count {
            let byte = value[index]
            guard byte >= 32 || byte == 9, byte != 127 else { return false }
        }
        buffer.writeString(header.name)
        buffer.writeStaticString(": ")
        buffer.writeString(header.value)
        buffer.writeStaticString("\r\n")
        return true
    }

    /// Ends the head.
    mutating func end(_ framing: Framing, closes: Bool, keepsOldClient: Bool, date: String) {
        switch framing {
        case .length(let count): field("content-length", String(count))
        case .chunked: buffer.writeStaticString("transfer-encoding: chunked\r\n")
        case .close, .none: break
        }
        if closes {
            buffer.writeStaticString("connection: close\r\n")
        } else if keepsOldClient {
            buffer.writeStaticString("connection: keep-alive\r\n")
        }
        buffer.writeString(date)
        buffer.writeStaticString("\r\n")
    }

    /// Appends a small body, so that head and body are one write.
    mutating func append(_ body: ByteBuffer) {
        buffer.writeImmutableBuffer(body)
    }

    /// Hop-by-hop fields, and those that the host states itself.
    private static func isOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 2: name.isHeader("te")
        case 4: name.isHeader("date")
        case 7: name.isHeader("trailer") || name.isHeader("upgrade")
        case 10: name.isHeader("connection") || name.isHeader("keep-alive") || name.isHeader("x-trace-id")
        case 12: name.isHeader("x-request-id")
        case 14: name.isHeader("content-length")
        case 16: name.isHeader("proxy-connection")
        case 17: name.isHeader("transfer-encoding")
        case 21: name.isHeader("x-swiftlet-invocation")
        default: false
        }
    }
}
