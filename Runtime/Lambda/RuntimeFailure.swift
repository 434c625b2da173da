import FunctionCore
import LambdaEvents
import WorkerPool

/// How an invocation fails in a Lambda runtime, as its caller hears it.
package struct RuntimeFailure: Sendable, Equatable {
    /// A word of a few, for metrics.
    package var code: String
    /// `Runtime.ExitError`, or what the function's runtime says: `ValueError`.
    package var type: String
    package var message: String
    /// The error's whole JSON, word for word.
    package var document: Bytes
    /// What the platform has found, of which each caller hears with its request's id.
    private var fault: PlatformFault?

    init(_ code: String, _ type: String, _ message: String) {
        (self.code, self.type, self.message) = (code, type, message)
        let error: JSONObject = ["errorType": .string(type), "errorMessage": .string(message)]
        document = JSON.object(error).bytes()
    }

    /// What a function's runtime has told about itself.
    ///
    /// The type is what the document says, else what the header did.
    package init(_ code: String, told document: Bytes, header: String?, contentType: String?) {
        self.code = code
        let told = (try? JSON.parse(document))?.objectValue
        type = told?["errorType"]?.stringValue ?? InvocationFault.headerValue(header ?? "")
        message = told?["errorMessage"]?.stringValue ?? ""
        if contentType == "application/vnd.aws.lambda.error.cause+json" {
            // The cause is for a tracing service, not for the caller.
            var shown = JSONObject()
            for name in ["errorMessage", "errorType", "stackTrace"] { shown[name] = told?[name] }
            self.document = told == nil ? "\"Invalid error body\"" : JSON.object(shown).bytes()
        } else if document.isEmpty {
            self.document = JSON.object(["errorType": .string(type)]).bytes()
        } else {
            self.document = document
        }
    }

    package static let tooLarge = RuntimeFailure(
        "response_too_large",
        "Function.ResponseSizeTooLarge",
        "Response payload size exceeded maximum allowed payload size (\(RuntimeAnswer.payloadMax) bytes)."
    )
    package static let truncated = RuntimeFailure(
        "truncated_response",
        "Runtime.TruncatedResponse",
        "the runtime's response broke off"
    )
    package static let invalidResponseMode = RuntimeFailure(
        "invalid_response_mode",
        "Runtime.InvalidResponseModeHeader",
        "the header Lambda-Runtime-Function-Response-Mode may say `streaming` only"
    )

    /// The process has ended before it could take an event.
    static func startFailed(_ fault: PlatformFault) -> RuntimeFailure {
        var failure = RuntimeFailure(FunctionError.startFailed, fault.type, fault.message)
        failure.fault = fault
        return failure
    }

    /// The same with the request's id in it, as a caller of Lambda sees what the platform says.
    func of(_ request: String) -> RuntimeFailure {
        guard let fault else { return self }
        var failure = RuntimeFailure(code, type, "RequestId: \(request) Error: \(message)")
        failure.fault = fault
        return failure
    }

    /// The log's lines of it; what a runtime reports it has printed itself.
    func lines(for request: String, at now: Instant) -> [String] {
        fault?.lines(for: request, at: now) ?? []
    }
}

extension RuntimeFailure {
    /// The failure as a pool's caller gets it.
    ///
    /// A caller by HTTP learns no more than that; who may invoke functions reads it word for word.
    func error(for kind: Event.Kind) -> FunctionError {
        let shown =
            kind == .http ? "the function failed; its log tells how" : "\(type): \(message)"
        var error = FunctionError(status: 502, code: code, message: shown)
        error.document = document
        return error
    }
}
