import FunctionCore
import Invocations
import NIOCore

/// One request and its answer.
///
/// The plain class answers with a refusal; its subclasses run functions and endpoints.
///
/// Life: head received, body received, waiting for its turn on the connection, started, answered. A client
/// that goes away ends it at any point; what is answered after that is dropped.
// SAFETY: all state belongs to `loop`, on which the output and the sink's calls run; `loop`, `gateway` and
// `request` never change.
package class Exchange: @unchecked Sendable {
    let loop: ServerLoop
    let gateway: Gateway
    package let request: RequestHead
    /// The route's pattern.
    let pattern: String?
    /// The id that the answer carries.
    let id = InvocationID.next()
    /// Where the answer goes; nil once it is out or the client has gone.
    private(set) var output: (any ReplyOutput)?
    package private(set) var refusal: Refusal?
    private(set) var body: [UInt8] = []
    /// Whether the connection ends with this exchange.
    private(set) var closes: Bool
    /// The status line is out.
    private(set) var hasBegun = false
    private(set) var hasEnded = false
    /// Fields of the host's own that the answer carries besides its own.
    final var addedHeaders: [Header] = []

    private let bodyLimit: Int
    private let started = Monotonic.now
    private var bytesIn = 0
    private var bytesOut = 0
    private var status = 0
    /// Compresses the answer under way.
    private var coder: GzipCoder?

    /// The function's name, for the report.
    var function: String? { nil }
    /// The trace that the answer names.
    var traceID: String? { nil }
    /// What pages of other origins may do with the answer.
    var cors: CORSPolicy? { nil }
    /// HEAD is answered like GET, without the body.
    var isHead: Bool { request.method == .head }

    init(
        _ request: RequestHead,
        _ gateway: Gateway,
        _ output: any ReplyOutput,
        pattern: String? = nil,
        bodyLimit: Int? = nil,
        refusing refusal: Refusal? = nil
    ) {
        self.request = request
        self.gateway = gateway
        self.output = output
        self.loop = output.loop
        self.pattern = pattern
        self.refusal = refusal
        self.bodyLimit = bodyLimit ?? output.settings.maxDiscardedBytes
        // What comes behind a request for another protocol may be in that protocol already, and behind
        // CONNECT it is for somebody else.
        self.closes =
            !request.keepsAlive || request.asksUpgrade || request.method == .connect
            || refusal?.closes == true
        if let declared = request.contentLength, declared > self.bodyLimit { refuseBody() }
    }

    /// Begins the answer; called once, when the request is complete and its turn has come.
    package func start() {
        if let refusal { answer(refusal) }
    }

    /// The client went away after the start.
    func clientLeft() {}

    /// A tick of the loop has passed while the answer is under way.
    package func sweep() {}

    /// Answers with an error instead of what was planned.
    package final func refuse(_ refusal: Refusal) {
        if self.refusal == nil || refusal.closes { self.refusal = refusal }
        closes = closes || refusal.closes
    }

    /// Takes a piece of the body; false once it is too long.
    package final func receive(_ bytes: ByteBuffer) -> Bool {
        bytesIn += bytes.readableBytes
        guard bytesIn <= bodyLimit else {
            refuseBody()
            return false
        }
        guard refusal == nil else { return true }
        if body.isEmpty {
            // What a client declares is believed up to 64 KiB; beyond that memory grows with what has come.
            body.reserveCapacity(max(bytes.readableBytes, min(request.contentLength ?? 0, 65_536)))
        }
        bytes.withUnsafeReadableBytes { body.append(contentsOf: $0) }
        return true
    }

    /// The body, handed over.
    final func takeBody() -> Bytes {
        defer { body = [] }
        return Bytes(body)
    }

    private func refuseBody() {
        body = []
        let message = "the body is over \(bodyLimit) bytes, which is the limit of this route"
        let error = FunctionError(status: 413, code: "payload_too_large", message: message, retry: .never)
        refuse(Refusal(refusal?.error ?? error, headers: refusal?.headers ?? [], closes: true))
    }

    /// Detaches the exchange from a client that is gone.
    package final func leave() {
        guard output != nil else { return }
        output = nil
        clientLeft()
    }
}

// MARK: - Answering

extension Exchange {
    /// Answers with an error.
    final func answer(_ refusal: Refusal, after wait: Duration? = nil) {
        let error = refusal.error
        let headers = [.json] + refusal.headers + error.retryHeaders(after: wait)
        closes = closes || refusal.closes
        answer(
            status: error.status,
            headers: headers,
            body: ByteBuffer(bytes: error.json(invocation: id).bytes().array)
        )
    }

    /// Answers whole, in one flush.
    final func answer(status: Int, headers: [Header], body: ByteBuffer) {
        let coding = coding(status, headers, length: body.readableBytes)
        guard case .gzip = coding else {
            return answerAsIs(status: status, headers: coding.applied(to: headers), body: body)
        }
        code(body) { coded in
            guard let coded else {
                return self.answerAsIs(
                    status: status,
                    headers: ReplyCoding.varied.applied(to: headers),
                    body: body
                )
            }
            self.answerAsIs(status: status, headers: coding.applied(to: headers), body: coded)
        }
    }

    private func answerAsIs(status: Int, headers: [Header], body: ByteBuffer) {
        guard !hasEnded else { return }
        guard let output else { return end(status: 499) }
        guard var head = makeHead(status, headers) else { return answerBadReply() }
        head.length = body.readableBytes
        self.status = status
        hasBegun = true
        if head.sendsBody { bytesOut = body.readableBytes }
        output.reply(head, body: body)
        output.flush()
        end(status: status)
    }

    /// Begins an answer whose pieces follow.
    ///
    /// Returns false where the head cannot be sent: another answer has gone out.
    final func begin(status: Int, headers: [Header], length: Int? = nil) -> Bool {
        guard let output, !hasEnded, !hasBegun else { return false }
        var (headers, length) = (headers, length)
        var coding = coding(status, headers, length: length)
        if case .gzip = coding {
            coder = loop.coders.take()
            if coder == nil { coding = .varied } else { length = nil }
        }
        headers = coding.applied(to: headers)
        // A client of HTTP/1.0 finds the end of an unknown length by the connection's.
        if length == nil, request.isOld, status != 204, status != 304 { closes = true }
        guard var head = makeHead(status, headers) else {
            answerBadReply()
            return false
        }
        head.length = length
        self.status = status
        hasBegun = true
        output.begin(head)
        return true
    }

    /// Whether pieces of the body go out at all.
    final var sendsBody: Bool { !isHead && status != 204 && status != 304 }

    /// Writes a piece after `begin`, without a flush; the promise is kept when the bytes are with the
    /// kernel.
    final func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let output, !hasEnded, piece.readableBytes > 0, sendsBody else {
            promise?.succeed()
            return
        }
        let piece = coder?.code(piece, .sync) ?? piece
        bytesOut += piece.readableBytes
        output.write(piece, promise: promise)
    }

    /// Ends an answer that was begun.
    final func finish() {
        guard !hasEnded else { return }
        if let coder, let output, sendsBody {
            let rest = coder.code(ByteBuffer(), .finish)
            bytesOut += rest.readableBytes
            output.write(rest, promise: nil)
        }
        end(status: output == nil ? 499 : status)
    }

    /// Ends an answer that was begun and cannot be completed: the connection is closed before the body's
    /// end, by which the client sees that it is not whole.
    final func cut() {
        guard !hasEnded else { return }
        end(status: output == nil ? 499 : status, isWhole: false)
    }

    /// Answers 101 and hands the connection over; false where the output cannot, and nothing has gone out.
    final func upgrade(headers: [Header], to handler: any ChannelHandler) -> Bool {
        guard let output, !hasEnded, !hasBegun, let head = makeAnyHead(101, headers) else { return false }
        guard output.upgrade(head, to: handler) else { return false }
        hasBegun = true
        end(status: 101)
        return true
    }

    /// The function or endpoint gave a head that would break the message.
    private func answerBadReply() {
        let message = "the reply has a status outside 200 to 599, or a header that HTTP does not allow"
        answer(Refusal(FunctionError(status: 502, code: "bad_reply", message: message)))
    }

    private func makeHead(_ status: Int, _ headers: [Header]) -> ReplyHead? {
        guard (200...599).contains(status) else { return nil }
        return makeAnyHead(status, headers)
    }

    private func makeAnyHead(_ status: Int, _ headers: [Header]) -> ReplyHead? {
        let requestID = request.requestID ?? id
        var headers = headers
        if let cors {
            headers.removeAll { CORSPolicy.owns($0.name) }
            headers += cors.fields(for: request.origin)
        }
        // Even nothing added would be a copy.
        if !addedHeaders.isEmpty { headers += addedHeaders }
        guard var head = ReplyHead(status: status, headers: headers, requestID: requestID, id: id) else {
            return nil
        }
        closes = closes || loop.isStopping || gateway.isStopping
        head.closes = closes
        head.traceID = traceID
        head.isHead = isHead
        head.isOld = request.isOld
        return head
    }

    /// Reports, and gives the connection back.
    private func end(status: Int, isWhole: Bool = true) {
        hasEnded = true
        if let coder = coder.take() { loop.coders.put(coder) }
        if let report = gateway.report {
            report(
                RequestReport(
                    invocation: id,
                    function: function,
                    method: request.method.label,
                    pattern: pattern,
                    status: status,
                    client: request.caller.address,
                    bytesIn: bytesIn,
                    bytesOut: bytesOut,
                    duration: Monotonic.now - started
                )
            )
        }
        let output = output
        self.output = nil
        guard isWhole else { output?.ended(self, .cut); return }
        output?.ended(self, closes || loop.isStopping ? .close : .whole)
    }
}
