import FunctionCore
import Invocations
import NIOCore
import NIOHTTP1

/// One request and its answer.
///
/// The plain class answers with a refusal; its subclasses run functions and endpoints.
///
/// Life: head received, body received, waiting for its turn on the connection, started, answered. A client
/// that goes away ends it at any point; what is answered after that is dropped.
// SAFETY: all state belongs to `loop`, on which the connection and the sink's calls run; `loop`, `gateway`
// and `request` never change.
class Exchange: @unchecked Sendable {
    /// What came before the body.
    struct Request {
        let head: HTTPRequestHead
        let fields: RequestFields

        /// HTTP/1.0: no chunks, and no keep-alive that is not asked for.
        var isOld: Bool { head.version.minor < 1 }
    }

    let loop: ServerLoop
    let gateway: Gateway
    let request: Request
    /// The route's pattern.
    let pattern: String?
    /// The id that the answer carries.
    let id = InvocationID.next()
    private(set) var connection: HTTPConnection?
    private(set) var refusal: Refusal?
    private(set) var body: [UInt8] = []
    /// Whether the connection ends with this exchange.
    private(set) var closes: Bool
    /// The status line is out.
    private(set) var hasBegun = false
    private(set) var hasEnded = false

    private let bodyLimit: Int
    private let started = Monotonic.now
    private var bytesIn = 0
    private var bytesOut = 0
    private var status = 0
    private var isChunked = false

    /// The function's name, for the report.
    var function: String? { nil }
    /// HEAD is answered like GET, without the body.
    var isHead: Bool { request.head.method == .HEAD }

    init(
        _ request: Request,
        _ gateway: Gateway,
        _ connection: HTTPConnection,
        pattern: String? = nil,
        bodyLimit: Int? = nil,
        refusing refusal: Refusal? = nil
    ) {
        self.request = request
        self.gateway = gateway
        self.connection = connection
        self.loop = connection.loop
        self.pattern = pattern
        self.refusal = refusal
        self.bodyLimit = bodyLimit ?? connection.settings.maxDiscardedBytes
        // The decoder stops after a request that asks for another protocol, so the connection cannot go on.
        self.closes =
            !request.head.isKeepAlive || request.fields.asksUpgrade || request.head.method == .CONNECT
            || refusal?.closes == true
        if let declared = request.fields.contentLength, declared > self.bodyLimit { refuseBody() }
    }

    /// Begins the answer; called once, when the request is complete and its turn has come.
    func start() {
        if let refusal { answer(refusal) }
    }

    /// The client went away after the start.
    func clientLeft() {}

    /// Answers with an error instead of what was planned.
    final func refuse(_ refusal: Refusal) {
        if self.refusal == nil || refusal.closes { self.refusal = refusal }
        closes = closes || refusal.closes
    }

    /// Takes a piece of the body; false once it is too long.
    final func receive(_ bytes: ByteBuffer) -> Bool {
        bytesIn += bytes.readableBytes
        guard bytesIn <= bodyLimit else {
            refuseBody()
            return false
        }
        guard refusal == nil else { return true }
        if body.isEmpty {
            // What a client declares is believed up to 64 KiB; beyond that memory grows with what has come.
            body.reserveCapacity(max(bytes.readableBytes, min(request.fields.contentLength ?? 0, 65_536)))
        }
        body.append(contentsOf: bytes.readableBytesView)
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

    /// Fields that a kind of exchange adds to its answers.
    func addFields(to head: inout ResponseHead) {
        head.field("x-request-id", request.fields.requestID ?? id)
        head.field("x-swiftlet-invocation", id)
    }

    /// Detaches the exchange from a connection that is gone.
    final func leave() {
        guard connection != nil else { return }
        connection = nil
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
        guard !hasEnded else { return }
        guard let connection else { return end(status: 499) }
        let mayHaveBody = status != 204 && status != 304
        let framing = mayHaveBody ? ResponseHead.Framing.length(body.readableBytes) : .none
        let isSmall = body.readableBytes <= 16 * 1024
        let room = 512 + (isSmall ? body.readableBytes : 0)
        guard var head = makeHead(status, headers, framing, room: room) else { return answerBadReply() }
        self.status = status
        hasBegun = true
        if mayHaveBody, !isHead {
            bytesOut = body.readableBytes
            if isSmall { head.append(body) }
        }
        connection.write(head.buffer)
        if mayHaveBody, !isHead, !isSmall { connection.writeInPieces(body) }
        connection.flush()
        end(status: status)
    }

    /// Begins an answer whose pieces follow.
    ///
    /// Returns false where the head cannot be sent: another answer has gone out.
    final func begin(status: Int, headers: [Header], length: Int? = nil) -> Bool {
        guard let connection, !hasEnded, !hasBegun else { return false }
        var framing = ResponseHead.Framing.chunked
        if status == 204 || status == 304 {
            framing = .none
        } else if let length {
            framing = .length(length)
        } else if request.isOld {
            framing = .close
            closes = true
        }
        guard let head = makeHead(status, headers, framing, room: 512) else {
            answerBadReply()
            return false
        }
        if case .chunked = framing { isChunked = !isHead }
        self.status = status
        hasBegun = true
        connection.write(head.buffer)
        return true
    }

    /// Whether pieces of the body go out at all.
    final var sendsBody: Bool { !isHead && status != 204 && status != 304 }

    /// Writes a piece after `begin`, without a flush; the promise is kept when the bytes are with the
    /// kernel.
    final func write(_ piece: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let connection, !hasEnded, piece.readableBytes > 0, sendsBody else {
            promise?.succeed()
            return
        }
        bytesOut += piece.readableBytes
        guard isChunked else { return connection.write(piece, promise: promise) }
        let size = String(piece.readableBytes, radix: 16)
        var frame = ByteBufferAllocator().buffer(
            capacity: size.utf8.count + 4 + min(piece.readableBytes, 16 * 1024)
        )
        frame.writeString(size)
        frame.writeStaticString("\r\n")
        if piece.readableBytes <= 16 * 1024 {
            frame.writeImmutableBuffer(piece)
            frame.writeStaticString("\r\n")
            return connection.write(frame, promise: promise)
        }
        connection.write(frame)
        connection.write(piece)
        connection.write(ByteBuffer(string: "\r\n"), promise: promise)
    }

    /// Ends an answer that was begun.
    final func finish() {
        guard !hasEnded else { return }
        guard let connection else { return end(status: 499) }
        if isChunked { connection.write(ByteBuffer(string: "0\r\n\r\n")) }
        connection.flush()
        end(status: status)
    }

    /// Ends an answer that was begun and cannot be completed: the connection is closed before the body's
    /// end, by which the client sees that it is not whole.
    final func cut() {
        guard !hasEnded else { return }
        connection?.flush()
        closes = true
        end(status: connection == nil ? 499 : status)
    }

    /// The function or endpoint gave a head that would break the message.
    private func answerBadReply() {
        let message = "the reply has a status outside 200 to 599, or a header that HTTP does not allow"
        answer(Refusal(FunctionError(status: 502, code: "bad_reply", message: message)))
    }

    private func makeHead(
        _ status: Int,
        _ headers: [Header],
        _ framing: ResponseHead.Framing,
        room: Int
    ) -> ResponseHead? {
        guard (200...599).contains(status) else { return nil }
        closes = closes || loop.isStopping
        var head = ResponseHead(status: status, capacity: room)
        for header in headers {
            guard head.foreignField(header) else { return nil }
        }
        addFields(to: &head)
        head.end(framing, closes: closes, keepsOldClient: request.isOld && !closes, date: loop.date.line)
        return head
    }

    /// Reports, and gives the connection back.
    private func end(status: Int) {
        hasEnded = true
        if let report = gateway.report {
            report(
                RequestReport(
                    invocation: id,
                    function: function,
                    method: request.head.method.rawValue,
                    pattern: pattern,
                    status: status,
                    bytesIn: bytesIn,
                    bytesOut: bytesOut,
                    duration: Monotonic.now - started
                )
            )
        }
        let connection = connection
        self.connection = nil
        connection?.finished(self, closes: closes || loop.isStopping)
    }
}
