import FunctionCore
import Synchronization

/// Takes down what a streaming function replies; can go away after some pieces.
final class ChatReplyRecorder: Sendable {
    struct Seen {
        var status = 0
        var headers: [Header] = []
        var pieces: [String] = []
    }

    private let seen = Mutex(Seen())
    private let leavesAfter: Int

    init(leavesAfter: Int = .max) {
        self.leavesAfter = leavesAfter
    }

    var stream: ReplyStream {
        ReplyStream(
            start: { status, headers in
                self.seen.withLock {
                    precondition($0.status == 0, "a reply starts once")
                    $0.status = status
                    $0.headers = headers
                }
            },
            write: { bytes in
                let isGone = self.seen.withLock { seen in
                    if seen.pieces.count >= self.leavesAfter { return true }
                    seen.pieces.append(bytes.text)
                    return false
                }
                if isGone { throw CancellationError() }
            }
        )
    }

    var status: Int { seen.withLock { $0.status } }
    var headers: [Header] { seen.withLock { $0.headers } }
    var text: String { seen.withLock { $0.pieces.joined() } }
    var pieces: [String] { seen.withLock { $0.pieces } }

    /// The body as one JSON document.
    func json() throws -> JSON { try JSON.parse(Bytes(text)) }

    /// The data of all events but `[DONE]`.
    func chunks() throws -> [JSON] {
        try text.split(separator: "\n\n").compactMap { event in
            let data = event.dropFirst("data: ".count)
            if data == "[DONE]" { return JSON?.none }
            return try JSON.parse(Bytes(String(data)))
        }
    }
}
