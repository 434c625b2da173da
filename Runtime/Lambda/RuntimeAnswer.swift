import FunctionCore

/// What the Runtime API answers to a runtime but for an event: a status and its JSON, as AWS's own does.
package struct RuntimeAnswer: Sendable, Equatable {
    package var status: Int
    package var body: Bytes

    init(status: Int, body: Bytes) {
        self.status = status
        self.body = body
    }

    private init(_ status: Int, _ type: String, _ message: String) {
        let error: JSONObject = ["errorMessage": .string(message), "errorType": .string(type)]
        self.init(status: status, body: JSON.object(error).bytes())
    }

    /// The longest reply that is not streamed: 6 MiB and a little for its wrapping.
    package static let payloadMax = 6 * 1024 * 1024 + 100

    package static let accepted = RuntimeAnswer(status: 202, body: "{\"status\":\"OK\"}\n")
    package static let pong = RuntimeAnswer(status: 200, body: "pong")
    package static let notFound = RuntimeAnswer(404, "NotFound", "there is no such path in the Runtime API")
    package static let notAllowed = RuntimeAnswer(
        405,
        "MethodNotAllowed",
        "the path is asked by another method"
    )
    package static let invalidRequestID = RuntimeAnswer(400, "InvalidRequestID", "Invalid request ID")
    package static let invalidResponseMode = RuntimeAnswer(
        400,
        "InvalidFunctionResponseMode",
        "Invalid function response mode"
    )
    package static let truncated = RuntimeAnswer(
        400,
        "TruncatedHTTPRequest",
        "HTTP request detected as truncated"
    )
    package static let tooLarge = RuntimeAnswer(
        413,
        "RequestEntityTooLarge",
        "Exceeded maximum allowed payload size (\(payloadMax) bytes)."
    )

    /// The runtime asked for what its state does not allow.
    static func forbidden(from state: String, to wanted: String) -> RuntimeAnswer {
        let why = "Error: State transition is not allowed"
        return RuntimeAnswer(
            403,
            "InvalidStateTransition",
            "State transition from \(state) to \(wanted) failed for runtime. \(why)"
        )
    }
}
