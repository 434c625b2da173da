import FunctionCore
import Invocations
import LambdaEvents
import NIOCore
import Wire

extension RuntimeWorker {
    /// What the pool says.
    func received(_ frame: Frame) throws(WireError) {
        switch frame.kind {
        case .hello, .taken: break
        case .invoke: try invoked(frame)
        case .cancel: cancelled(frame.id)
        case .credit:
            var reader = WireReader(frame.payload)
            served[frame.id]?.reply.grant(Int(try reader.integer(UInt32.self)))
            pump(frame.id)
        case .drain: perform(machine.drained())
        default: throw WireError("\(frame.kind) is not for a worker")
        }
    }

    private func invoked(_ frame: Frame) throws(WireError) {
        let (head, rest) = try InvokeHead.read(frame.payload)
        let body = frame.isElsewhere ? try page.body(at: rest) : Array(rest)
        let request = InvocationID.uuid(of: head.invocation)
        let event = Event(
            kind: head.kind,
            operation: head.operation,
            request: head.request,
            connection: head.connection,
            body: Bytes(body)
        )
        let document: Bytes
        do throws(FunctionError) {
            // The event's own time is the host's, which may be virtual.
            document = try LambdaInput.document(
                for: event,
                id: request,
                now: page.now,
                route: head.request.flatMap { function.route(of: $0) },
                principal: head.principal,
                attempt: Int(head.attempt)
            )
        } catch {
            return send { ErrorPayload.write(error, to: &$0, id: frame.id) }
        }
        served[frame.id] = Served(
            head: head,
            request: request,
            batch: head.kind == .redis ? try? event.decode(RedisEvent.self) : nil,
            event: ByteBuffer(bytes: document.array),
            deadline: .now + .nanoseconds(head.remaining)
        )
        perform(machine.invoked(frame.id, request: request))
    }

    private func cancelled(_ key: RuntimeMachine.Key) {
        guard let invocation = served[key] else { return }
        // The pool's own timer may be a little ahead of what is counted here.
        let isOverdue = Monotonic.now + .milliseconds(100) >= invocation.deadline
        perform(machine.cancelled(key, isOverdue: isOverdue))
        // What the runtime still sends is dropped, and of what it has sent nothing waits for a reader any more.
        served[key]?.reply.discard()
        pump(key)
    }
}

/// Cuts what the pool writes into frames.
final class PoolFrames: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let worker: RuntimeWorker
    private let decoder = FrameDecoder()

    init(worker: RuntimeWorker) {
        self.worker = worker
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do {
            while let frame = try decoder.next() { try worker.received(frame) }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.poolLeft()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
