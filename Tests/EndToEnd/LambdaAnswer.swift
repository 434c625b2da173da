import FunctionCore
import TestSupport

extension DevHost {
    /// Invokes a function by the Lambda API, its log's end with it.
    func lambda(
        _ function: String,
        _ event: JSON,
        _ headers: [Header] = []
    ) async throws -> LambdaAnswer {
        let url = "\(admin)/2015-03-31/functions/\(function)/invocations"
        let answer = try await HTTP.send(
            "POST",
            url,
            event.bytes(),
            headers + [Header("x-amz-log-type", "Tail")]
        )
        return LambdaAnswer(
            status: answer.status,
            body: answer.json,
            fault: answer.headers.first("x-amz-function-error"),
            request: answer.headers.first("x-amzn-requestid") ?? "",
            log: answer.headers.first("x-amz-log-result").flatMap { Bytes(base64: $0) }?.text ?? ""
        )
    }
}

/// What a client of the Lambda API gets.
struct LambdaAnswer {
    var status: Int
    var body: JSON
    var fault: String?
    var request: String
    var log: String

    /// What the function failed with: type and message.
    var error: (type: String, message: String) {
        (body["errorType"]?.stringValue ?? "", body["errorMessage"]?.stringValue ?? "")
    }
}
