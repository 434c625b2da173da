import FunctionCore
import Synchronization
import Wire

/// The binding calls of this worker that are under way, and the `BindingCaller` that its handlers use.
///
/// Threading: any; frames come in from the reader thread.
final class CallTable: Sendable {
    private struct State {
        var next: UInt32 = 0
        var calls: [UInt32: PendingCall] = [:]
    }

    private let state = Mutex(State())
    let channel: HostChannel

    init(channel: HostChannel) {
        self.channel = channel
    }

    /// A caller for the invocation of frame `id`.
    func caller(for invocation: UInt32) -> any BindingCaller {
        ChannelCaller(table: self, invocation: invocation)
    }

    fileprivate func begin(_ request: BindingRequest, invocation: UInt32) async throws -> BindingReply {
        let size = request.body.count + request.arguments.count
        guard size <= Frame.payloadMax - 1024 else {
            let message = "the call carries \(size) bytes, arguments and body; 16 MiB are allowed"
            throw FunctionError(status: 413, code: "call_too_large", message: message, retry: .never)
        }
        let (id, call) = state.withLock { state in
            state.next = (state.next + 1) & ~Frame.callBit
            let id = state.next | Frame.callBit
            let call = PendingCall()
            state.calls[id] = call
            return (id, call)
        }
        let head = CallHead(
            invocation: invocation,
            binding: request.binding,
            method: request.method,
            arguments: request.arguments
        )
        channel.send { head.write(to: &$0, id: id, body: request.body) }
        let value = try await withTaskCancellationHandler {
            try await call.value()
        } onCancel: {
            giveUp(id)
        }
        return BindingReply(
            value: value,
            body: BindingBody {
                try await withTaskCancellationHandler {
                    guard let piece = try await call.piece() else { return nil }
                    self.channel.send { $0.frame(.credit, id: id) { $0.integer(UInt32(piece.count)) } }
                    return piece
                } onCancel: {
                    self.giveUp(id)
                }
            }
        )
    }

    private func giveUp(_ id: UInt32) {
        guard let call = state.withLock({ $0.calls.removeValue(forKey: id) }) else { return }
        channel.send { $0.frame(.cancel, id: id) }
        call.fail(CancellationError())
    }

    /// A frame for one of the calls came in.
    ///
    /// A late frame for a call given up is dropped.
    func receive(_ frame: Frame) throws(WireError) {
        let ends = frame.isLast || frame.kind == .end || frame.kind == .error
        let call = state.withLock { state in
            ends ? state.calls.removeValue(forKey: frame.id) : state.calls[frame.id]
        }
        guard let call else { return }
        switch frame.kind {
        case .callReply:
            var reader = WireReader(frame.payload)
            let value = try reader.block()
            let first = reader.rest()
            call.succeed(value: value, first: Bytes(Array(first)), last: frame.isLast)
        case .chunk:
            call.append(Bytes(Array(frame.payload)), last: frame.isLast)
        case .end:
            call.append(Bytes(), last: true)
        case .error:
            call.fail(try ErrorPayload.read(frame.payload))
        default:
            throw WireError("a frame \(frame.kind) for a call")
        }
    }
}

/// Sends the calls of one invocation.
private struct ChannelCaller: BindingCaller {
    let table: CallTable
    let invocation: UInt32

    func call(_ request: BindingRequest) async throws -> BindingReply {
        try Task.checkCancellation()
        return try await table.begin(request, invocation: invocation)
    }
}

/// One call: its value, then its pieces.
///
/// The credit given to the host bounds what is held here.
final class PendingCall: Sendable {
    private struct State {
        var value: Bytes?
        var pieces: [Bytes] = []
        var ended = false
        var failure: (any Error)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func succeed(value: Bytes, first: Bytes, last: Bool) {
        update { state in
            state.value = value
            if !first.isEmpty { state.pieces.append(first) }
            state.ended = last
        }
    }

    func append(_ piece: Bytes, last: Bool) {
        update { state in
            if !piece.isEmpty { state.pieces.append(piece) }
            state.ended = state.ended || last
        }
    }

    func fail(_ error: any Error) {
        update { state in
            if !state.ended { state.failure = error }
        }
    }

    func value() async throws -> Bytes {
        while true {
            let value: Bytes? = try state.withLock { state in
                if let failure = state.failure { throw failure }
                return state.value
            }
            if let value { return value }
            await wait { $0.value != nil || $0.failure != nil }
        }
    }

    func piece() async throws -> Bytes? {
        while true {
            let next: (ready: Bool, piece: Bytes?) = try state.withLock { state in
                if !state.pieces.isEmpty { return (true, state.pieces.removeFirst()) }
                if let failure = state.failure { throw failure }
                return (state.ended, nil)
            }
            if next.ready { return next.piece }
            await wait { !$0.pieces.isEmpty || $0.ended || $0.failure != nil }
        }
    }

    private func update(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func wait(until ready: @Sendable (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if ready(state) { return true }
                state.waiter = continuation
                return false
            }
            if now { continuation.resume() }
        }
    }
}
