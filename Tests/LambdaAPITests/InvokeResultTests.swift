import FunctionCore
import Invocations
import LambdaAPI
import Testing

@Suite("Results of the Lambda API", .timeLimit(.minutes(1)))
struct InvokeResultTests {
    private func result(_ outcome: Outcome, _ type: String? = nil, _ body: Bytes = "") -> InvokeResult {
        var reply = CollectedReply(outcome: outcome, body: body)
        if case .replied(let status) = outcome { reply.status = status }
        reply.headers = type.map { [Header("content-type", $0)] } ?? []
        return InvokeResult(reply, request: "r", timeout: .milliseconds(1500))
    }

    /// Error type and message of a function error.
    private func fault(_ outcome: Outcome) -> (type: String, message: String)? {
        guard case .unhandled(let bytes) = result(outcome), let json = try? JSON.parse(bytes) else {
            return nil
        }
        return (json["errorType"]?.stringValue ?? "", json["errorMessage"]?.stringValue ?? "")
    }

    @Test(
        "JSON is the payload as it is, other text a string, bytes a string in Base64, nothing null",
        arguments: [
            ("application/json", "{\"a\": 1}", "{\"a\": 1}"), ("application/problem+json", "[]", "[]"),
            ("text/plain; charset=utf-8", "12", "\"12\""), ("application/octet-stream", "[1]", "[1]"),
            ("application/octet-stream", "odd", "\"odd\""), ("text/plain", "", "null"),
        ]
    )
    func payloads(type: String, body: String, payload: String) {
        #expect(result(.replied(status: 200), type, Bytes(body)) == .payload(Bytes(payload)))
    }

    @Test("bytes that are no text are a string in Base64")
    func binary() {
        #expect(result(.replied(status: 200), "image/png", Bytes([255, 0])) == .payload("\"/wA=\""))
    }

    @Test("a function's failure is its code and message")
    func failures() {
        let error = FunctionError.invalid("name", "required", "write a name")
        guard case .unhandled(let bytes) = result(.failed(error)), let json = try? JSON.parse(bytes) else {
            Issue.record("it is a function error")
            return
        }
        #expect(json["errorType"] == "invalid_input" && json["errorMessage"] == "write a name")
        #expect(json["requestId"] == "r" && json["faults"]?[0]?["path"] == "name")
        var foreign = FunctionError(code: "any", message: "any")
        foreign.document = #"{"errorType":"KeyError"}"#
        #expect(result(.failed(foreign)) == .unhandled(#"{"errorType":"KeyError"}"#))
        let status = result(
            .replied(status: 404),
            "application/json",
            #"{"error":{"code":"c","message":"m"}}"#
        )
        #expect(status == .unhandled(#"{"errorMessage":"m","errorType":"c","requestId":"r"}"#))
    }

    @Test("what happens to a process is told in Lambda's words")
    func processes() throws {
        let late = try #require(fault(.timedOut))
        #expect(late.type == "Sandbox.Timedout")
        #expect(late.message == "RequestId: r Error: Task timed out after 1.50 seconds")
        let gone = try #require(fault(.workerLost("exit status 0")))
        #expect(gone.type == "Runtime.ExitError")
        #expect(gone.message == "RequestId: r Error: Runtime exited without providing a reason")
        let killed = try #require(fault(.workerLost("exit status 3")))
        #expect(killed.message == "RequestId: r Error: Runtime exited with error: exit status 3")
        let shot = try #require(fault(.workerLost("signal: killed")))
        #expect(shot.message == "RequestId: r Error: Runtime exited with error: signal: killed")
        let large = try #require(fault(.outOfMemory("it needed more than it may")))
        #expect(large.type == "Runtime.OutOfMemory" && large.message == shot.message)
        let long = FunctionError(status: 502, code: "reply_too_large", message: "")
        #expect(fault(.failed(long))?.type == "Function.ResponseSizeTooLarge")
    }

    @Test("what was not run is refused: 429 at a limit, 500 where the host cannot")
    func refusals() {
        func refusal(_ outcome: Outcome) -> LambdaError? {
            guard case .refused(let error) = result(outcome) else { return nil }
            return error
        }
        let full = refusal(.shed(.overloaded, retryAfter: .seconds(2)))
        #expect(full?.status == 429 && full?.retryAfter == 2)
        #expect(full?.reason == "ReservedFunctionConcurrentInvocationLimitExceeded")
        #expect(refusal(.shed(.queueTimeout, retryAfter: .seconds(2)))?.status == 429)
        let host = refusal(.shed(.hostOverloaded, retryAfter: .seconds(2)))
        #expect(host?.status == 429 && host?.reason == "ConcurrentInvocationLimitExceeded")
        #expect(refusal(.shed(.draining, retryAfter: .seconds(2)))?.type == "ServiceException")
        #expect(refusal(.expired)?.status == 429)
        let unknown = FunctionError(status: 404, code: "unknown_function", message: "none")
        #expect(refusal(.failed(unknown))?.type == "ResourceNotFoundException")
    }
}
