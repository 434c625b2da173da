import FunctionCore
import Invocations
import NIOCore

/// A request that a function answers: at once, as a job, or with the answer kept under an `Idempotency-Key`.
///
/// The function's path has no task and no lock: the sink is called on the connection's loop. What comes in
/// one turn of the loop goes out in one flush, with Content-Length if it was the whole reply.
// SAFETY: as Exchange: all state belongs to its loop.
final class FunctionExchange: Exchange, ReplySink, @unchecked Sendable {
    private let route: FunctionRoute
    private let parameters: [String: String]
    private let trace: TraceContext
    private let parent: ParentSpan
    private var dispatched: (any Dispatched)?
    /// The rate limits have let it pass.
    var isAdmitted = false
    private var trial: Trial?

    // The part of the reply that has come and not gone out.
    private var replyHead: (status: Int, headers: [Header])?
    private var pending: ByteBuffer?
    private var willSettle = false
    private var isEventStream = false
    /// The last four bytes that were written, and when, in ticks.
    private var tail: UInt32 = 0
    private var wroteAt = 0
    private var isOver = false

    private var keyed: KeyedRequest?

    override var function: String? { route.function }
    override var traceID: String? { trace.traceID }
    override var cors: CORSPolicy? { route.cors }
    var eventLoop: any EventLoop { loop.eventLoop }

    init(
        _ request: RequestHead,
        _ route: FunctionRoute,
        _ parameters: [String: String],
        _ gateway: Gateway,
        _ output: any ReplyOutput
    ) {
        self.route = route
        self.parameters = parameters
        let caller = request.traceparent.flatMap { TraceContext(traceparent: $0) }
        self.parent = ParentSpan(caller, isRemote: true)
        self.trace =
            caller.map { output.loop.traceIDs.child(of: $0) } ?? output.loop.traceIDs.begin()
        super.init(
            request,
            gateway,
            output,
            pattern: route.pattern,
            bodyLimit: route.bodyLimit,
            refusing: FunctionExchange.fault(of: request)
        )
    }

    /// What a function's request may not say.
    private static func fault(of request: RequestHead) -> Refusal? {
        if let encoding = request.contentEncoding, !encoding.isHeader("identity") {
            return .unsupported("the body must come without content-encoding")
        }
        if let type = request.contentType, !MediaType.isValid(type) {
            return .unsupported("the content-type must have the form type/subtype, such as application/json")
        }
        return nil
    }

    // MARK: Starting

    package override func start() {
        if let refusal { return answer(refusal) }
        if request.hasTrial, trial == nil {
            do throws(FunctionError) {
                trial = try gateway.settings.trials(request.headers)
            } catch {
                return answer(Refusal(error))
            }
        }
        if let rates = route.rates, !isAdmitted { return admit(rates) }
        if route.answersWithJob || (request.prefersAsync && gateway.jobs != nil && !isHead) {
            return acceptJob()
        }
        if let key = request.idempotencyKey, route.keepsKeys, let keeper = gateway.keeper {
            return begin(key, keeper)
        }
        dispatch(invocation(body: takeBody()))
    }

    private func invocation(body: Bytes) -> Invocation {
        let event = HTTPRequest(
            method: isHead ? "GET" : request.method.text,
            target: request.target,
            parameters: parameters,
            headers: request.functionHeaders,
            clientAddress: request.caller.address,
            scheme: request.caller.scheme
        )
        var invocation = Invocation(
            id: id,
            function: route.function,
            event: Event(kind: .http, operation: route.operation, request: event, body: body),
            trace: trace,
            parent: parent,
            principal: gateway.principal(of: request),
            trigger: "http"
        )
        invocation.trial = trial
        return invocation
    }

    private func dispatch(_ invocation: consuming Invocation) {
        guard let dispatching = gateway.dispatching else {
            let message = "this port serves no functions"
            return answer(Refusal(FunctionError(status: 503, code: "no_functions", message: message)))
        }
        let dispatched = dispatching.dispatch(invocation, to: self)
        guard !isOver else { return }
        self.dispatched = dispatched
        if output == nil { dispatched.cancel() }
    }

    override func clientLeft() {
        // The sink still hears the end, which reports the request; a job or a key is seen to by its task.
        dispatched?.abandon()
    }

    // MARK: The reply

    func head(status: Int, headers: [Header]) {
        guard replyHead == nil, !isOver else { return }
        replyHead = (status, headers)
        settleLater()
    }

    func chunk(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        if pending == nil {
            pending = bytes
        } else {
            pending?.writeImmutableBuffer(bytes)
        }
        settleLater()
    }

    func reply(status: Int, headers: [Header], body: ByteBuffer) {
        guard !isOver else { return }
        guard keyed == nil else {
            head(status: status, headers: headers)
            chunk(body)
            return end(.replied(status: status))
        }
        isOver = true
        dispatched = nil
        answer(status: status, headers: headers, body: body)
    }

    func end(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        dispatched = nil
        guard keyed == nil else { return endKeyed(outcome) }
        complete(outcome)
    }

    private func settleLater() {
        guard !willSettle else { return }
        willSettle = true
        loop.settleLater(self)
    }

    /// Writes what has come; called when the loop has looked at all that came in this turn.
    func settle() {
        willSettle = false
        guard !isOver, !hasEnded, let output else { return }
        guard beginReply() else { return giveUp() }
        sendPending(grants: true)
        output.flush()
    }

    /// Keeps an idle event stream alive, by a comment between two events.
    override func sweep() {
        guard isEventStream, hasBegun, !hasEnded, pending == nil, let output,
            output.settings.sweepInterval * (loop.tick - wroteAt) >= output.settings.heartbeat,
            tail == 0 || tail & 0xFFFF == 0x0A0A || tail == 0x0D0A_0D0A
        else { return }
        wroteAt = loop.tick
        write(ByteBuffer(string: ":\n\n"), promise: nil)
        output.flush()
    }

    /// Writes the head if it has come and has not gone out.
    private func beginReply() -> Bool {
        guard !hasBegun else { return true }
        let head = replyHead ?? (200, [])
        isEventStream = head.headers.first("content-type")?.hasPrefix("text/event-stream") ?? false
        return begin(status: head.status, headers: head.headers)
    }

    /// The reply cannot be sent on; another answer has gone out in its place.
    private func giveUp() {
        isOver = true
        dispatched?.cancel()
        dispatched = nil
        abandonKey()
    }

    private func sendPending(grants: Bool) {
        guard let piece = pending else { return }
        pending = nil
        if isEventStream {
            wroteAt = loop.tick
            for byte in piece.readableBytesView.suffix(4) { tail = tail << 8 | UInt32(byte) }
        }
        keyed?.capture(piece, limit: gateway.settings.maxKeptReply)
        guard grants, let dispatched else { return write(piece, promise: nil) }
        let size = piece.readableBytes
        let promise = eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { dispatched.grant(size) }
        write(piece, promise: promise)
    }

    /// Ends the answer as the invocation ended.
    private func complete(_ outcome: Outcome) {
        if let error = outcome.error { return fail(error, after: outcome.retryAfter) }
        if hasBegun {
            sendPending(grants: false)
            return finish()
        }
        var status = replyHead?.status ?? 200
        if replyHead == nil, case .replied(let stated) = outcome { status = stated }
        answer(status: status, headers: replyHead?.headers ?? [], body: pending ?? ByteBuffer())
    }

    private func fail(_ error: FunctionError, after wait: Duration?) {
        guard hasBegun else { return answer(Refusal(error), after: wait) }
        sendPending(grants: false)
        if isEventStream {
            let event = "event: error\ndata: \(error.json(invocation: id).text)\n\n"
            write(ByteBuffer(string: event), promise: nil)
            // The reader has been told, and comes back by itself: for it the stream is at an end.
            if error.code == "draining" { return finish() }
        }
        cut()
    }
}

// MARK: - Jobs

extension FunctionExchange {
    private func acceptJob() {
        guard let jobs = gateway.jobs else {
            let message = "this host takes no jobs at the moment; try again later"
            return answer(Refusal(FunctionError(status: 503, code: "jobs_unavailable", message: message)))
        }
        let body = takeBody()
        let invocation = invocation(body: body)
        let key = request.idempotencyKey
        if let key, let fault = KeyedRequest.fault(of: key) { return answer(Refusal(fault)) }
        Task {
            do {
                let hash = gateway.hash(KeyedRequest.identity(request, body))
                let job = try await jobs.accept(invocation, idempotencyKey: key, requestHash: hash)
                eventLoop.execute { self.answer(job) }
            } catch {
                let refusal = Refusal(cause: error)
                eventLoop.execute { self.answer(refusal) }
            }
        }
    }

    private func answer(_ job: AcceptedJob) {
        let location = "/v1/jobs/\(job.id)"
        var headers = [Header.json, Header("location", location)]
        if request.prefersAsync { headers.append(Header("preference-applied", "respond-async")) }
        if job.replayed { headers.append(Header("idempotency-replayed", "true")) }
        let body: JSON = ["job": ["id": .string(job.id), "state": "queued", "location": .string(location)]]
        answer(status: 202, headers: headers, body: ByteBuffer(bytes: body.bytes().array))
    }
}

// MARK: - Idempotency keys

extension FunctionExchange {
    private func begin(_ key: String, _ keeper: any IdempotencyKeeping) {
        if let fault = KeyedRequest.fault(of: key) { return answer(Refusal(fault)) }
        let body = takeBody()
        let invocation = invocation(body: body)
        Task {
            let hash = gateway.hash(KeyedRequest.identity(request, body))
            let keyed = KeyedRequest(
                function: route.function,
                principal: invocation.principal,
                key: key,
                hash: hash,
                keeper: keeper
            )
            do {
                let verdict = try await keyed.begin()
                eventLoop.execute { self.proceed(verdict, keyed, invocation) }
            } catch {
                let refusal = Refusal(cause: error)
                eventLoop.execute { self.answer(refusal) }
            }
        }
    }

    private func proceed(_ verdict: IdempotencyVerdict, _ keyed: KeyedRequest, _ invocation: Invocation) {
        switch verdict {
        case .proceed:
            self.keyed = keyed
            // A client that left meanwhile is not worth running for, and will come back with its key.
            guard output != nil else {
                abandonKey()
                return finish()
            }
            dispatch(invocation)
        case .replay(let status, let headers, let body):
            let headers = headers + [Header("idempotency-replayed", "true")]
            answer(status: status, headers: headers, body: ByteBuffer(bytes: body.array))
        case .inFlight:
            let message = "a request with this Idempotency-Key is being answered; try again later"
            let error = FunctionError(
                status: 409,
                code: "idempotency_in_flight",
                message: message,
                retry: .after(.seconds(1))
            )
            answer(Refusal(error))
        case .mismatch:
            let message = "this Idempotency-Key came with another request before; use a new key"
            answer(Refusal(FunctionError(status: 422, code: "idempotency_mismatch", message: message)))
        }
    }

    /// Stores the answer before the client has it, so that a client that asks again at once finds it.
    private func endKeyed(_ outcome: Outcome) {
        if !hasBegun, let pending { keyed?.capture(pending, limit: gateway.settings.maxKeptReply) }
        if hasBegun { sendPending(grants: false) }
        guard let keyed, case .replied(let stated) = outcome else {
            abandonKey()
            return complete(outcome)
        }
        let status = replyHead?.status ?? stated
        guard status < 500, let body = keyed.captured else {
            abandonKey()
            return complete(outcome)
        }
        self.keyed = nil
        let headers = replyHead?.headers ?? []
        Task {
            await keyed.finish(status: status, headers: headers, body: body)
            eventLoop.execute { self.complete(outcome) }
        }
    }

    private func abandonKey() {
        guard let keyed else { return }
        self.keyed = nil
        Task { await keyed.abandon() }
    }
}

extension Exchange.Refusal {
    /// The answer to an error of the journal; what is no `FunctionError` keeps its text to itself.
    init(cause error: any Error) {
        if let error = error as? FunctionError {
            self.init(error)
        } else {
            let message = "the host could not write the request down; see its log"
            self.init(FunctionError(status: 500, code: "internal", message: message))
        }
    }

    static func unsupported(_ message: String) -> Exchange.Refusal {
        Exchange.Refusal(
            FunctionError(status: 415, code: "unsupported_media_type", message: message, retry: .never)
        )
    }
}
