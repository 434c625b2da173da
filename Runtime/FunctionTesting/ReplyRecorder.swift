import FunctionCore
import Synchronization

/// Takes down what a streaming function replies, as a client that may go away after some pieces.
///
/// Threading: any.
public final class ReplyRecorder: Sendable {
    private let seen = Mutex(TestReply(status: 0))
    private let leavesAfter: Int

    /// A client that reads `leavesAfter` pieces: each later `write` throws `CancellationError`.
    public init(leavesAfter: Int = .max) {
        self.leavesAfter = leavesAfter
    }

    /// The stream to hand to the handler.
    public var stream: ReplyStream {
        ReplyStream(
            start: { status, headers in
                try self.seen.withLock { seen in
                    guard seen.status == 0 else {
                        let message = "the reply has begun already; start comes once, before the first write"
                        throw FunctionError(code: "reply_already_started", message: message)
                    }
                    seen.status = status
                    seen.headers = headers
                }
            },
            write: { bytes in
                let isGone = self.seen.withLock { seen in
                    if seen.status == 0 { seen.status = 200 }
                    if seen.pieces.count >= self.leavesAfter { return true }
                    seen.pieces.append(bytes)
                    return false
                }
                if isGone { throw CancellationError() }
            }
        )
    }

    /// What has come so far; status 0 where nothing has.
    public var reply: TestReply { seen.withLock { $0 } }
}

/// What a function replied to a test.
public struct TestReply: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The header fields.
    public var headers: [Header]
    /// The body as it was written: one piece, or those of a stream.
    public var pieces: [Bytes]
    /// How a stream broke off after it had begun.
    public var error: FunctionError?

    init(status: Int, headers: [Header] = [], pieces: [Bytes] = [], error: FunctionError? = nil) {
        self.status = status
        self.headers = headers
        self.pieces = pieces
        self.error = error
    }

    /// The whole body.
    public var body: Bytes { Bytes(pieces.flatMap(\.array)) }

    /// The whole body as text.
    public var text: String { body.text }

    /// The body as one JSON document.
    /// - Throws: `JSONError` where it is none.
    public func json() throws -> JSON { try JSON.parse(body) }

    /// The body decoded as `type`.
    /// - Throws: `JSONError` where it does not fit.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONCoder.decode(type, from: body)
    }

    /// The data of each server-sent event in the body.
    public var events: [String] {
        text.split(separator: "\n\n").compactMap { event in
            let lines = event.split(separator: "\n").filter { $0.hasPrefix("data: ") }
            return lines.isEmpty ? nil : lines.map { $0.dropFirst(6) }.joined(separator: "\n")
        }
    }
}
