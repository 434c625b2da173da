import FunctionCore
import Invocations
import NIOCore
import WebSockets

/// What the function replies to one message: the body as a message, and each `write` of a streamed reply as
/// one of its own.
///
/// An error goes to the client as a text message in the form that errors have over HTTP, and the connection
/// stays; in the midst of a message there is nothing for it but to close with 1011.
// SAFETY: all state belongs to the connection's loop, on which a sink is called.
final class SocketReply: ReplySink, @unchecked Sendable {
    private let connection: SocketConnection
    private var isText: Bool
    private var invocation = ""
    private var dispatched: (any Dispatched)?
    /// What has come of a message and not gone out: it is not known yet whether it is the last of it.
    private var pending: ByteBuffer?
    /// A part of the message has gone out.
    private var isOpen = false
    private var check = UTF8Check()
    private var isOver = false

    var eventLoop: any EventLoop { connection.loop.eventLoop }

    init(_ connection: SocketConnection, isText: Bool) {
        self.connection = connection
        self.isText = isText
    }

    func run(_ invocation: Invocation, _ dispatching: (any Dispatching)?) {
        self.invocation = invocation.id
        let dispatched = dispatching?.dispatch(invocation, to: self)
        if !isOver { self.dispatched = dispatched }
    }

    func head(status: Int, headers: [Header]) {
        guard let type = headers.first("content-type")?.prefix(while: { $0 != ";" }).lowercased() else {
            return
        }
        isText = type.hasPrefix("text/") || type.hasSuffix("json")
    }

    func chunk(_ bytes: ByteBuffer) {
        // Nobody is left to answer.
        guard connection.isOpen else {
            dispatched?.cancel()
            return
        }
        send(isLast: false)
        pending = bytes
        // What is held is not granted back: of much of it the function could run out of credit.
        if bytes.readableBytes >= initialCredit / 4 { eventLoop.execute { self.send(isLast: false) } }
    }

    func written() {
        send(isLast: true)
    }

    func end(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        if let error = outcome.error {
            fail(error)
        } else {
            send(isLast: true)
        }
        dispatched = nil
        connection.done()
    }

    /// Sends what is pending, as the last of its message or not.
    private func send(isLast: Bool) {
        guard pending != nil || (isLast && isOpen) else { return }
        let bytes = pending ?? ByteBuffer()
        pending = nil
        if isText, !check.take(bytes.readableBytesView) || (isLast && !check.isComplete) {
            dispatched?.cancel()
            return connection.close(Closing(.internalError, "the function's text is not UTF-8"))
        }
        isOpen = !isLast
        let (dispatched, size) = (dispatched, bytes.readableBytes)
        connection.reply(bytes, isText: isText, isLast: isLast) { dispatched?.grant(size) }
    }

    private func fail(_ error: FunctionError) {
        guard !isOpen else {
            return connection.close(Closing(.internalError, "the function failed in the midst of a message"))
        }
        // The beginning of a message whose rest does not come.
        pending = nil
        let text = error.json(invocation: invocation).bytes()
        connection.reply(ByteBuffer(bytes: text.array), isText: true, isLast: true)
    }
}

/// Where the reply to `disconnect` goes: nowhere.
final class SocketFarewell: ReplySink {
    let eventLoop: any EventLoop
    private let ended: @Sendable () -> Void

    init(eventLoop: any EventLoop, _ ended: @escaping @Sendable () -> Void) {
        self.eventLoop = eventLoop
        self.ended = ended
    }

    func head(status: Int, headers: [Header]) {}
    func chunk(_ bytes: ByteBuffer) {}
    func end(_ outcome: Outcome) { ended() }
}
