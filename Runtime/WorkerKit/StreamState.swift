import FunctionCore
import Synchronization
import Wire

/// Whether a streamed reply has begun; its head goes out once, with the first piece at the latest.
final class StreamState: Sendable {
    private let channel: HostChannel
    private let id: UInt32
    private let started = Mutex(false)

    init(channel: HostChannel, id: UInt32) {
        self.channel = channel
        self.id = id
    }

    func start(_ status: Int, _ headers: [Header]) throws {
        if let error = ReplyHead.refusal(of: status) { throw error }
        let first = started.withLock { started in
            defer { started = true }
            return !started
        }
        guard first else {
            throw FunctionError(
                code: "reply_started",
                message: "the reply's head has been sent; call start once, first"
            )
        }
        let head = ReplyHead(status: status, headers: headers)
        channel.send { head.write(to: &$0, id: id, flags: 0, body: []) }
    }

    func startIfNeeded() throws {
        if started.withLock({ !$0 }) { try start(200, []) }
    }
}
