import FunctionCore
import Invocations

/// An error of the Lambda API itself, as against one of the function: its status, type and message are those
/// that AWS documents, so that its SDKs raise and retry as they would there.
package struct LambdaError: Error, Sendable, Hashable {
    /// The documented types, each the class that boto3 raises.
    package enum Kind: String, Sendable, CaseIterable {
        case invalidParameter = "InvalidParameterValueException"
        case invalidContent = "InvalidRequestContentException"
        case notFound = "ResourceNotFoundException"
        case conflict = "ResourceConflictException"
        case tooLarge = "RequestTooLargeException"
        case unsupportedType = "UnsupportedMediaTypeException"
        case throttled = "TooManyRequestsException"
        case service = "ServiceException"

        package var status: Int {
            switch self {
            case .invalidParameter, .invalidContent: 400
            case .notFound: 404
            case .conflict: 409
            case .tooLarge: 413
            case .unsupportedType: 415
            case .throttled: 429
            case .service: 500
            }
        }

        /// The member of the body that has the message: some of the types write it with a capital.
        package var messageName: String {
            switch self {
            case .notFound, .service: "Message"
            default: "message"
            }
        }
    }

    package var kind: Kind
    package var message: String
    /// Why a caller is throttled.
    package var reason: String?
    /// How long it should wait, in whole seconds.
    package var retryAfter: Int?

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var status: Int { kind.status }
    package var type: String { kind.rawValue }

    package static func invalidParameter(_ message: String) -> LambdaError {
        LambdaError(.invalidParameter, message)
    }

    package static func invalidContent(_ message: String) -> LambdaError {
        LambdaError(.invalidContent, message)
    }

    /// There is no such function; `known` are those that there are.
    package static func notFound(_ arn: String, known: [String]) -> LambdaError {
        let list = known.sorted().joined(separator: ", ")
        return LambdaError(
            .notFound,
            "Function not found: \(arn)" + (list.isEmpty ? "" : "; there are \(list)")
        )
    }

    package static func tooLarge(_ limit: Int) -> LambdaError {
        LambdaError(
            .tooLarge,
            "Request must be smaller than \(limit) bytes for the InvokeFunction operation"
        )
    }

    package static func service(_ message: String, after wait: Duration? = nil) -> LambdaError {
        var error = LambdaError(.service, message)
        error.retryAfter = wait.map(LambdaError.seconds)
        return error
    }

    /// The caller has to wait: because of the function's own limit, or of the host's.
    package static func throttled(_ message: String, byHost: Bool, after wait: Duration) -> LambdaError {
        var error = LambdaError(.throttled, "Rate Exceeded: \(message)")
        error.reason =
            byHost
            ? "ConcurrentInvocationLimitExceeded" : "ReservedFunctionConcurrentInvocationLimitExceeded"
        error.retryAfter = LambdaError.seconds(wait)
        return error
    }

    /// What an error of the host is for a caller of the Lambda API.
    package init(_ error: FunctionError) {
        var wait: Duration?
        if case .after(let named) = error.retry { wait = named }
        switch error.status {
        case 404: self.init(.notFound, error.message)
        case 409: self.init(.conflict, error.message)
        case 413: self.init(.tooLarge, error.message)
        case 415: self.init(.unsupportedType, error.message)
        case 429: self = .throttled(error.message, byHost: false, after: wait ?? .seconds(1))
        case 400..<500: self = .invalidParameter(error.message)
        default: self = .service(error.message, after: wait ?? .seconds(1))
        }
    }

    /// The body.
    package var json: JSON {
        var object: JSONObject = [
            "Type": .string(status < 500 ? "User" : "Service"),
            kind.messageName: .string(message),
        ]
        if let reason { object["Reason"] = .string(reason) }
        return .object(object)
    }

    /// The fields beside the body's own.
    package var headers: [Header] {
        let type = Header("x-amzn-ErrorType", type)
        return retryAfter.map { [type, Header("retry-after", String($0))] } ?? [type]
    }

    private static func seconds(_ wait: Duration) -> Int {
        let (seconds, attoseconds) = wait.components
        return max(1, Int(clamping: seconds) + (attoseconds > 0 ? 1 : 0))
    }
}
