import FunctionCore
import LambdaAPI
import Testing

@Suite("Requests of the Lambda API", .timeLimit(.minutes(1)))
struct LambdaRequestTests {
    private func read(_ headers: [Header] = [], _ payload: Bytes = "{}") throws -> LambdaRequest {
        try LambdaRequest(function: "echo", qualifier: nil, headers: headers, payload: payload)
    }

    private func refusal(_ headers: [Header] = [], _ payload: Bytes = "{}") -> LambdaError? {
        do {
            _ = try read(headers, payload)
            return nil
        } catch {
            return error as? LambdaError
        }
    }

    @Test("without headers the caller waits, without a log, and an empty payload is an empty object")
    func defaults() throws {
        let request = try read([], "")
        #expect(request.kind == .requestResponse && !request.wantsLog && request.payload == "{}")
    }

    @Test("type, log and client context come as headers")
    func headers() throws {
        let context = Bytes(#"{"custom":{"a":"1"}}"#)
        let request = try read([
            Header("X-Amz-Log-Type", "Tail"), Header("X-Amz-Client-Context", context.base64),
        ])
        #expect(request.wantsLog && request.clientContext == context.text)
        let event = try read([Header("x-amz-invocation-type", "Event"), Header("x-amz-log-type", "Tail")])
        #expect(event.kind == .event && !event.wantsLog)
        #expect(try read([Header("x-amz-invocation-type", "DryRun")]).kind == .dryRun)
    }

    @Test("any JSON is an event for who waits; a job's is an object")
    func documents() throws {
        for payload: Bytes in ["[1]", "\"text\"", "null", "1.5", " {} "] {
            #expect(try read([], payload).payload == payload)
        }
        let event = [Header("x-amz-invocation-type", "Event")]
        #expect(refusal(event, "[1]")?.type == "InvalidRequestContentException")
        #expect(refusal(event, " \n{}") == nil)
    }

    @Test("what Lambda refuses is refused with its types")
    func refusals() {
        #expect(refusal([], "{'a'")?.type == "InvalidRequestContentException")
        #expect(refusal([], "{'a'")?.message.hasPrefix("Could not parse request body into json") == true)
        #expect(
            refusal([Header("x-amz-invocation-type", "Odd")])?.type == "InvalidParameterValueException"
        )
        #expect(refusal([Header("x-amz-log-type", "Odd")])?.status == 400)
        for context in ["###", Bytes("[]").base64, Bytes("{").base64, String(repeating: "a", count: 3584)] {
            let type = refusal([Header("x-amz-client-context", context)])?.type
            #expect(type == "InvalidRequestContentException")
        }
        let large = Bytes([34] + [UInt8](repeating: 97, count: LambdaRequest.eventMax) + [34])
        let refused = refusal([Header("x-amz-invocation-type", "Event")], large)
        #expect(refused?.status == 413 && refused?.type == "RequestTooLargeException")
        #expect(refusal([], large) == nil)
    }

    @Test("errors have the form, the type and the wait that SDKs read")
    func errors() {
        let missing = LambdaError.notFound("arn:x", known: ["b", "a"])
        #expect(
            missing.json.text == #"{"Type":"User","Message":"Function not found: arn:x; there are a, b"}"#
        )
        #expect(missing.headers.first("x-amzn-errortype") == "ResourceNotFoundException")
        let throttled = LambdaError.throttled("full", byHost: false, after: .milliseconds(1200))
        #expect(throttled.headers.first("retry-after") == "2")
        #expect(
            throttled.json.text
                == #"{"Type":"User","message":"Rate Exceeded: full","Reason":"#
                + #""ReservedFunctionConcurrentInvocationLimitExceeded"}"#
        )
        #expect(LambdaError.service("gone").json["Type"] == "Service")
        #expect(LambdaError(.conflict("odd", "odd")).type == "ResourceConflictException")
        #expect(LambdaError(FunctionError(status: 503, code: "a", message: "b")).retryAfter == 1)
    }
}
