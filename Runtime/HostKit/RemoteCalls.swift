import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Storage
import Synchronization
import Wire
import WorkerPool

/// Answers binding calls of functions that run elsewhere, on AWS Lambda: the same frames as on a worker's channel, by
/// HTTP, to callers that show `bindings.token`.
///
/// What a function may call is what its manifest here grants. Bounds: `callsMax` at once, `invocationsMax` that are known;
/// what is beyond is answered with 429.
final class RemoteCalls: Sendable {
    private struct State {
        var calls = 0
        var invocations: Set<String> = []
    }

    private static let callsMax = 256
    private static let invocationsMax = 10_000
    /// How long what an invocation holds here is kept beyond its time.
    private static let patience = Duration.seconds(1)

    private let host: HostState
    private let bindings: BindingHost
    private let token: String
    private let state = Mutex(State())

    init(_ host: HostState, token: String) {
        self.host = host
        self.bindings = host.factory.bindings
        self.token = token
    }

    /// None without a token.
    var routes: [EndpointRoute] {
        if token.isEmpty { return [] }
        return [
            EndpointRoute("POST", RemoteCallFields.path, bodyLimit: Frame.payloadMax + 1024) { request in
                do throws(FunctionError) {
                    return try self.answer(request)
                } catch {
                    let challenge = Header("www-authenticate", "Bearer realm=\"swiftlet bindings\"")
                    var response = EndpointResponse.failure(error)
                    if error.status == 401 { response.headers.append(challenge) }
                    return response
                }
            }
        ]
    }

    private func answer(_ request: EndpointRequest) throws(FunctionError) -> EndpointResponse {
        let shown = request.headers.first("authorization") ?? ""
        guard shown.hasPrefix("Bearer "), constantTimeEquals(shown.dropFirst("Bearer ".count), token) else {
            let message = "send the host's bindings.token as `authorization: Bearer TOKEN`"
            throw FunctionError(status: 401, code: "token_required", message: message, retry: .never)
        }
        let fields = try RemoteCallFields(request.headers)
        guard let manifest = host.manifests[fields.function] else {
            let message = "this host has no function \(fields.function), whose manifest says what is granted"
            throw .notFound(message)
        }
        let (head, body) = try RemoteCalls.read(request.body)
        let origin = CallOrigin(
            invocation: fields.invocation,
            function: manifest.name,
            attempt: fields.attempt,
            principal: fields.principal,
            trace: fields.trace,
            deadline: .now + fields.timeout
        )
        let call = BindingCall(method: head.method, arguments: head.arguments, body: body, origin: origin)
        let slot = try begin(fields)
        return EndpointResponse(
            headers: [
                Header("content-type", RemoteCallFields.contentType), Header("cache-control", "no-store"),
            ],
            body: .stream { writer in
                let answer = RemoteAnswer(writer, slot)
                do {
                    try await self.bindings.call(head.binding, call, manifest: manifest, answer: answer)
                    try await answer.finish()
                } catch {
                    self.note(error, head, fields)
                    try await answer.fail(BindingHost.describe(error))
                }
            }
        )
    }

    private static func read(_ body: Bytes) throws(FunctionError) -> (CallHead, Bytes) {
        let decoder = FrameDecoder()
        decoder.append(body.array)
        do throws(WireError) {
            guard let frame = try decoder.next(), frame.kind == .call else {
                throw WireError("it is no call")
            }
            return try CallHead.read(frame.payload)
        } catch {
            throw .badRequest("bad_call", "the body must be one frame with a call: \(error)")
        }
    }

    /// Counts it in; what its invocation holds in the services goes when its time is over.
    private func begin(_ fields: RemoteCallFields) throws(FunctionError) -> Slot {
        let isFirst: Bool? = state.withLock { state in
            guard state.calls < RemoteCalls.callsMax else { return nil }
            let isKnown = state.invocations.contains(fields.invocation)
            guard isKnown || state.invocations.count < RemoteCalls.invocationsMax else { return nil }
            state.calls += 1
            state.invocations.insert(fields.invocation)
            return !isKnown
        }
        guard let isFirst else {
            let message = "this host answers \(RemoteCalls.callsMax) calls from elsewhere at once"
            throw FunctionError(status: 429, code: "too_many_calls", message: message)
        }
        let slot = Slot { self.state.withLock { $0.calls -= 1 } }
        guard isFirst else { return slot }
        host.loop.scheduleTask(in: .nanoseconds((fields.timeout + RemoteCalls.patience).nanoseconds)) {
            self.state.withLock { _ = $0.invocations.remove(fields.invocation) }
            Task { await self.bindings.ended(fields.invocation) }
        }
        return slot
    }

    /// What callers are not told is in the log.
    private func note(_ error: any Error, _ head: CallHead, _ fields: RemoteCallFields) {
        if error is FunctionError || error is CancellationError { return }
        host.telemetry.note(
            .error,
            "a binding failed",
            function: fields.function,
            [
                ("binding", .string("\(head.binding).\(head.method)")),
                ("invocation", .string(fields.invocation)), ("reason", .string("\(error)")),
            ]
        )
    }
}

/// A place among the calls that are answered at once, for as long as somebody holds it.
private final class Slot: Sendable {
    private let free: @Sendable () -> Void

    init(_ free: @escaping @Sendable () -> Void) {
        self.free = free
    }

    deinit { free() }
}

/// Sends a service's answer as frames: the value at once with the end where nothing follows, else the value and pieces.
private final class RemoteAnswer: BindingAnswering {
    private let writer: EndpointWriter
    private let slot: Slot
    private let value = AnswerHead()
    private static let pieceMax = 32 * 1024

    init(_ writer: EndpointWriter, _ slot: Slot) {
        self.writer = writer
        self.slot = slot
    }

    func send(_ value: Bytes) throws { try self.value.send(value) }

    func write(_ piece: Bytes) async throws {
        var frames = head(last: false) ?? WireWriter()
        var rest = piece.array[...]
        while !rest.isEmpty {
            let part = rest.prefix(RemoteAnswer.pieceMax)
            frames.frame(.chunk, id: Frame.callBit) { $0.rest(part) }
            try await writer.write(Bytes(frames.bytes))
            frames = WireWriter()
            rest = rest.dropFirst(part.count)
        }
    }

    func finish() async throws {
        var frames = head(last: true)
        if frames == nil {
            frames = WireWriter()
            frames?.frame(.end, id: Frame.callBit)
        }
        try await writer.write(Bytes(frames?.bytes ?? []))
    }

    func fail(_ error: FunctionError) async throws {
        var frames = WireWriter()
        ErrorPayload.write(error, to: &frames, id: Frame.callBit)
        try await writer.write(Bytes(frames.bytes))
    }

    /// The frame with the value, once.
    private func head(last: Bool) -> WireWriter? {
        guard let value = self.value.take() else { return nil }
        var frames = WireWriter()
        frames.frame(.callReply, id: Frame.callBit, flags: last ? Frame.last : 0) { $0.block(value) }
        return frames
    }
}
