import FunctionCore
import LambdaEvents
import Wire

/// Answers one invocation in the form that its event asks for.
///
/// A request's errors are its replies, as at our own gateway: its caller sees status and body. Other events' are
/// function errors, by which the platform tries again.
struct LambdaAnswering {
    /// The longest message of an error that goes out whole, in bytes.
    private static let messageMax = 64 * 1024

    private let id: String
    private let connection: RuntimeConnection

    init(_ id: String, _ connection: RuntimeConnection) {
        self.id = id
        self.connection = connection
    }

    /// Answers with a whole reply.
    func answer(
        _ result: Result<Reply, FunctionError>,
        _ input: LambdaInput
    ) throws(RuntimeFault) -> String? {
        switch LambdaAnswering.body(result, input, id: id) {
        case .success(let body): try send("response", [.json], body)
        case .failure(let error): try fail(error)
        }
    }

    /// Answers with what a task hands over, as it comes where the caller can take it so.
    func answer(
        _ handoff: ReplyHandoff,
        _ input: LambdaInput,
        streams: Bool
    ) throws(RuntimeFault) -> String? {
        switch handoff.next() {
        case .reply(let reply): return try answer(.success(reply), input)
        case .failed(let error): return try answer(.failure(error), input)
        case .head(let status, let headers):
            guard streams, input.takesStreams, status < 400 || input.shape == .http else {
                return try answer(gather(handoff, Reply(status: status, headers: headers)), input)
            }
            return try stream(handoff, status, headers, input)
        case .piece, .done: return try answer(.success(Reply()), input)
        }
    }

    private func stream(
        _ handoff: ReplyHandoff,
        _ status: Int,
        _ headers: [Header],
        _ input: LambdaInput
    ) throws(RuntimeFault) -> String? {
        let isHTTP = input.shape == .http
        let type = isHTTP ? StreamPrelude.contentType : headers.first("content-type")
        // A field of the function's own must not break the request.
        let safe = type.flatMap { isFieldValue($0) ? $0 : nil } ?? "application/octet-stream"
        let path = "/runtime/invocation/\(id)/response"
        try connection.begin(
            path,
            [
                Header("content-type", safe), Header("lambda-runtime-function-response-mode", "streaming"),
                Header("trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"),
            ]
        )
        if isHTTP { _ = connection.write(StreamPrelude.bytes(status: status, headers: headers)) }
        while true {
            switch handoff.next() {
            case .piece(let piece):
                if connection.write(piece) { handoff.taken() } else { handoff.cut() }
            case .failed(let error):
                let fault = LambdaAnswering.fault(error)
                return ending(
                    connection,
                    [
                        Header("Lambda-Runtime-Function-Error-Type", LambdaAnswering.typeHeader(error.code)),
                        Header("Lambda-Runtime-Function-Error-Body", fault.json.bytes().base64),
                    ]
                )
            case .head, .reply, .done: return ending(connection, [])
            }
        }
    }

    /// The end of a stream; that its caller left within it is no reason to leave as well.
    private func ending(_ connection: RuntimeConnection, _ trailers: [Header]) -> String? {
        do throws(RuntimeFault) {
            return refusal(try connection.end(trailers))
        } catch {
            return "the stream was cut off: \(error)"
        }
    }

    /// Takes a stream whole, for callers that can have no other.
    private func gather(_ handoff: ReplyHandoff, _ head: Reply) -> Result<Reply, FunctionError> {
        var reply = head
        while true {
            switch handoff.next() {
            case .piece(let piece):
                guard reply.body.count + piece.count <= LambdaInvocations.replyMax else {
                    handoff.cut()
                    let message =
                        "the reply is longer than \(LambdaInvocations.replyMax) bytes; have it streamed"
                    return .failure(FunctionError(status: 413, code: "reply_too_large", message: message))
                }
                reply.body.array += piece.array
                handoff.taken()
            case .failed(let error): return .failure(error)
            case .head, .reply, .done: return .success(reply)
            }
        }
    }

    /// Says that the function failed.
    func fail(_ error: FunctionError) throws(RuntimeFault) -> String? {
        let type = Header("lambda-runtime-function-error-type", LambdaAnswering.typeHeader(error.code))
        return try send("error", [.json, type], LambdaAnswering.fault(error).json.bytes())
    }

    private func send(_ what: String, _ headers: [Header], _ body: Bytes) throws(RuntimeFault) -> String? {
        refusal(try connection.exchange("POST", "/runtime/invocation/\(id)/\(what)", headers, body: body))
    }

    /// What the platform has against an answer; it tells the caller itself.
    private func refusal(_ answer: RuntimeAnswer) -> String? {
        answer.status / 100 == 2 ? nil : "the answer was refused with \(answer.status): \(answer.body.text)"
    }
}

extension LambdaAnswering {
    /// The body that answers an event, or the error that it fails with.
    static func body(
        _ result: Result<Reply, FunctionError>,
        _ input: LambdaInput,
        id: String
    ) -> Result<Bytes, FunctionError> {
        switch (
            input.shape,
            result.flatMap { reply in ReplyHead.refusal(of: reply.status).map { .failure($0) } ?? result }
        )
        {
        case (.http, .success(let reply)): .success(HTTPPayloadReply.document(reply).bytes())
        case (.http, .failure(let error)):
            .success(HTTPPayloadReply.document(reply(to: error, id: id)).bytes())
        case (.records, .failure(let error)) where error.retry == .discard:
            .success("{\"batchItemFailures\":[]}")
        case (_, .failure(let error)): .failure(error)
        case (.records, .success(let reply)): records(reply, input)
        case (.plain, .success(let reply)), (.schedule, .success(let reply)): plain(reply)
        }
    }

    private static func records(_ reply: Reply, _ input: LambdaInput) -> Result<Bytes, FunctionError> {
        guard let batch = try? input.event.decode(RedisEvent.self) else { return plain(reply) }
        do throws(FunctionError) {
            return .success(try BatchItemFailures.document(reply, to: batch).bytes())
        } catch {
            return .failure(error)
        }
    }

    /// The body as it is where it is JSON, else as a JSON string: of text the text, of other bytes their Base64.
    private static func plain(_ reply: Reply) -> Result<Bytes, FunctionError> {
        guard reply.status < 400 else {
            let message = "the function replied with status \(reply.status): \(reply.body.text.prefix(1000))"
            return .failure(FunctionError(status: reply.status, code: "failed", message: message))
        }
        if reply.body.isEmpty { return .success("null") }
        if (try? JSON.parse(reply.body)) != nil { return .success(reply.body) }
        let text = String(validating: reply.body.array, as: UTF8.self)
        return .success(JSON.string(text ?? reply.body.base64).bytes())
    }

    /// An error as the gateway answers a request with it.
    private static func reply(to error: FunctionError, id: String) -> Reply {
        var headers: [Header] = []
        if case .after(let wait) = error.retry {
            headers.append(
                Header("retry-after", "\(max(1, (wait.nanoseconds + 999_999_999) / 1_000_000_000))")
            )
        }
        let status = 400...599 ~= error.status ? error.status : 500
        return .json(error.json(invocation: id), status: status, headers: headers)
    }

    /// An error as Lambda tells it, cut where its message alone would be too long for an answer.
    private static func fault(_ error: FunctionError) -> InvocationFault {
        var fault = InvocationFault(error)
        if fault.message.utf8.count > messageMax {
            fault.message = fault.message.prefix(messageMax / 4) + "…"
        }
        return fault
    }

    /// A code as Lambda's header takes it: `invalid_input` is `Function.InvalidInput`.
    static func typeHeader(_ code: String) -> String {
        let words = code.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return InvocationFault.headerValue("Function." + words.joined())
    }
}
