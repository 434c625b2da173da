import FunctionCore
import Invocations
import NIOCore
import Recordings
import Wire

/// What a pool's workers say, turned into facts for the machine and replies for the callers.
extension FunctionPool: WorkerLink.Owner {
    func received(_ frame: Frame, _ payload: ByteBuffer, from link: WorkerLink) {
        do throws(WireError) {
            switch frame.kind {
            case .ready: try becameReady(link, Ready(frame.payload))
            case .reply: try replyBegan(frame, payload, link)
            case .chunk where frame.id & Frame.callBit == 0: try piece(frame, payload, link)
            case .end where frame.id & Frame.callBit == 0: complete(frame.id, link, nil)
            case .error where frame.id & Frame.callBit == 0:
                if let ticket = tickets[frame.id], isDoomed(ticket, link) { return }
                complete(frame.id, link, try ErrorPayload.read(frame.payload))
            case .call: try beginCall(frame, from: link)
            case .credit:
                var reader = WireReader(frame.payload)
                calls.grant(frame.id, on: link.id, Int(try reader.integer(UInt32.self)))
            case .cancel: calls.cancelAll { $0.id == frame.id && $0.worker == link.id }
            case .log: try logged(frame, link)
            case .clock: try clockRead(frame)
            default: throw WireError("\(frame.kind) is not for a host")
            }
        } catch {
            broke(link, reason: "its frames cannot be read: \(error)")
        }
    }

    private func becameReady(_ link: WorkerLink, _ ready: Ready) {
        if let failure = ready.failure {
            startFailures[link.id] = failure
            report(.spawnFailed(function: manifest.name, reason: failure))
            return
        }
        let startup = Duration.microseconds(Int64(ready.startup))
        link.startup = startup
        report(.workerReady(function: manifest.name, pid: link.pid, startup: startup))
        perform(machine.becameReady(link.id, serial: ready.serial, at: .now))
    }

    private func replyBegan(
        _ frame: Frame,
        _ payload: ByteBuffer,
        _ link: WorkerLink
    ) throws(WireError) {
        let (head, first) = try ReplyHead.read(frame.payload)
        if frame.isElsewhere { return try repliedElsewhere(frame, head, first, link) }
        guard let ticket = tickets[frame.id], ticket.worker == link.id else {
            if frame.isLast { complete(frame.id, link, nil) }
            return
        }
        if isDoomed(ticket, link) { return }
        guard ticket.status == 0 else { throw WireError("a second head for one reply") }
        ticket.credit -= first.count
        guard ticket.credit >= 0 else { throw WireError("a reply sent more than its reader had granted") }
        ticket.status = head.status
        ticket.bytesOut += first.count
        let body =
            payload.getSlice(at: payload.writerIndex - first.count, length: first.count) ?? ByteBuffer()
        // The end of a whole reply comes at once, and says all that signs of life would.
        if frame.isLast { return complete(frame.id, link, nil, whole: (head, body)) }
        showedLife(frame.id)
        ticket.run?.tape.replied(head.status, head.headers)
        ticket.run?.tape.replied(body.readableBytesView)
        ticket.head(head.status, head.headers, body)
    }

    private func piece(_ frame: Frame, _ payload: ByteBuffer, _ link: WorkerLink) throws(WireError) {
        guard let ticket = tickets[frame.id], ticket.worker == link.id else { return }
        ticket.credit -= payload.readableBytes
        guard ticket.credit >= 0 else { throw WireError("a stream sent more than its reader had granted") }
        guard ticket.status != 0 else { throw WireError("a piece of a reply before its head") }
        ticket.bytesOut += payload.readableBytes
        showedLife(frame.id)
        ticket.run?.tape.replied(payload.readableBytesView)
        ticket.chunk(payload, endsWrite: frame.endsWrite)
    }

    /// A reply has begun or goes on.
    ///
    /// Only an idle limit makes the machine's next moment an earlier one.
    func showedLife(_ key: UInt32) {
        machine.replied(key, at: .now)
        if manifest.limits.idle != nil { settle() }
    }

    /// The worker is done with an invocation, whether or not its caller still listens.
    ///
    /// The machine hears of it first: a sink that dispatches the next at once then finds the worker free.
    func complete(
        _ key: UInt32,
        _ link: WorkerLink,
        _ error: FunctionError?,
        whole: (head: ReplyHead, body: ByteBuffer)? = nil
    ) {
        // Of an invocation that another worker has, this one has nothing to say.
        guard link.vacate(key) else { return }
        let ticket = tickets[key]
        let isStart = manifest.foreign != nil && error?.code == FunctionError.startFailed
        perform(machine.finished(key, served: !isStart, at: .now))
        guard let ticket, ticket.worker == link.id else { return }
        if ticket.status == 0, error == nil {
            finish(
                key,
                .failed(
                    FunctionError(status: 502, code: "no_reply", message: "the reply ended before its head")
                )
            )
        } else {
            finish(key, error.map { .failed($0) } ?? .replied(status: ticket.status), whole: whole)
        }
    }

    private func logged(_ frame: Frame, _ link: WorkerLink) throws(WireError) {
        let payload = try LogPayload(frame.payload)
        let served = link.served[frame.id]
        report(
            .line(
                LogLine(
                    level: payload.level,
                    message: payload.message,
                    metadata: payload.metadata,
                    function: manifest.name,
                    invocation: served?.invocation,
                    traceID: served?.traceID,
                    pid: link.pid,
                    source: manifest.foreign == nil ? "log" : "platform"
                )
            )
        )
    }

    func tellOpening(of ticket: PoolTicket, _ adapter: any WorkerAdapter, _ link: WorkerLink) {
        report(
            .line(
                LogLine(
                    level: .info,
                    message: adapter.opening(of: ticket.invocation.id),
                    metadata: [:],
                    function: manifest.name,
                    invocation: ticket.invocation.id,
                    traceID: ticket.invocation.trace.traceID,
                    pid: link.pid,
                    source: "platform"
                )
            )
        )
    }

    func printed(_ line: String, source: String, by link: WorkerLink) {
        // The line of a handler that has just replied may be read after its reply.
        let only = link.served.isEmpty ? link.lastServed : link.onlyServed ?? link.served(naming: line)
        report(
            .line(
                LogLine(
                    level: source == "stdout" ? .info : .warning,
                    message: line,
                    metadata: [:],
                    function: manifest.name,
                    invocation: only?.invocation,
                    traceID: only?.traceID,
                    pid: link.pid,
                    source: source
                )
            )
        )
    }

    func broke(_ link: WorkerLink, reason: String) {
        link.kill(reason)
    }

    func gone(_ link: WorkerLink, reason: String) {
        links[link.id] = nil
        fresh.remove(link.id)
        calls.cancelAll { $0.worker == link.id }
        let failure = startFailures.removeValue(forKey: link.id)
        let asked = machine.isLeaving(link.id)
        freeRoom(link.id)
        report(.workerGone(function: manifest.name, pid: link.pid, reason: failure ?? reason, asked: asked))
        failWarming(failure ?? reason)
        perform(
            machine.exited(
                link.id,
                reason: failure ?? reason,
                outOfMemory: link.wasExhausted,
                begun: link.begun,
                at: .now
            )
        )
    }
}
