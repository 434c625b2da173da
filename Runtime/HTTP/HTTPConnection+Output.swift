import FunctionCore
import NIOCore

/// What an exchange writes, in the form of HTTP/1.
///
/// Heads, small bodies and chunks gather in one buffer, which goes to the channel at a flush or when it has
/// grown to 64 KiB; so what one turn of the loop gives is one write.
extension HTTPConnection: ReplyOutput {
    /// Bodies and pieces up to this size are copied behind what goes before them.
    private static let copied = 8 * 1024
    private static let pendingMax = 64 * 1024

    func begin(_ head: ReplyHead) {
        let framing = ReplyWriter.Framing(head)
        isChunked = framing == .chunked && head.sendsBody
        write { ReplyWriter.write(head, framing, date: loop.date.line, to: &$0) }
    }

    func reply(_ head: ReplyHead, body: ByteBuffer) {
        isChunked = false
        let isCopied = body.readableBytes <= Self.copied
        write { buffer in
            ReplyWriter.write(
                head,
                ReplyWriter.Framing(head),
                date: loop.date.line,
                body: head.sendsBody && isCopied ? body : nil,
                to: &buffer
            )
        }
        if head.sendsBody, !isCopied { writeInPieces(body) }
    }

    func writeContinue() {
        write { $0.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        flush()
    }

    func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        let isCopied = piece.readableBytes <= Self.copied
        write { buffer in
            if isChunked { ReplyWriter.chunkSize(piece.readableBytes, to: &buffer) }
            if isCopied {
                buffer.writeImmutableBuffer(piece)
                if isChunked { buffer.writeStaticString("\r\n") }
            }
        }
        guard !isCopied else {
            if let promise { sendPending(promise) }
            return
        }
        sendPending(nil)
        send(piece, promise)
        if isChunked { write { $0.writeStaticString("\r\n") } }
    }

    /// Ends a chunked body.
    func endBody() {
        guard isChunked else { return }
        isChunked = false
        write { $0.writeStaticString("0\r\n\r\n") }
    }

    func flush() {
        guard !isReading else {
            owesFlush = true
            return
        }
        owesFlush = false
        sendPending(nil)
        context?.flush()
    }

    /// Calls `body` when all that was written is with the kernel.
    func whenWritten(_ body: @escaping (HTTPConnection) -> Void) {
        guard let context else { return }
        sendPending(nil)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in body(self) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    func upgrade(_ head: ReplyHead, to handler: any ChannelHandler) -> Bool {
        guard let context, phase == .open else { return false }
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch {
            return false
        }
        write { ReplyWriter.write(head, .none, date: loop.date.line, to: &$0) }
        sendPending(nil)
        context.flush()
        handOver(context)
        return true
    }

    // MARK: To the channel

    /// Writes a long body so that its progress can be seen.
    private func writeInPieces(_ bytes: ByteBuffer) {
        sendPending(nil)
        var rest = bytes
        while let context, let piece = rest.readSlice(length: min(rest.readableBytes, 64 * 1024)),
            piece.readableBytes > 0
        {
            send(piece, context.eventLoop.makePromise())
        }
    }

    private func write(_ body: (inout ByteBuffer) -> Void) {
        guard context != nil else { return }
        var buffer = pending.take() ?? loop.takeBuffer()
        body(&buffer)
        let isMuch = buffer.readableBytes >= Self.pendingMax
        pending = buffer
        if isMuch {
            sendPending(nil)
            context?.flush()
        }
    }

    private func sendPending(_ promise: EventLoopPromise<Void>?) {
        guard let buffer = pending.take() else {
            promise?.succeed()
            return
        }
        send(buffer, promise)
        loop.giveBack(buffer)
    }

    /// Gives bytes to the channel; those with a promise are watched by the sweep.
    private func send(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if let promise {
            if unwritten == 0 { stalledSince = loop.tick }
            unwritten += 1
            promise.futureResult.assumeIsolated().whenComplete { _ in
                self.unwritten -= 1
                self.stalledSince = self.loop.tick
            }
        }
        context.write(Self.wrapOutboundOut(bytes), promise: promise)
    }
}
