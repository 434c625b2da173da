import FunctionCore
import Invocations
import LambdaEvents

/// What a caller of the Lambda API hears of an invocation's end.
package enum InvokeResult: Sendable, Hashable {
    /// The function's reply.
    case payload(Bytes)
    /// The function failed: 200, with X-Amz-Function-Error and this JSON.
    case unhandled(Bytes)
    /// It was not run.
    case refused(LambdaError)

    /// The longest reply, as Lambda has it.
    package static let replyMax = 6 * 1024 * 1024 + 100

    /// The end of an invocation with a request id, whose function has `timeout`.
    package init(_ reply: CollectedReply, request: String, timeout: Duration) {
        if let end = InvokeResult.end(reply.outcome, request: request, timeout: timeout) {
            self = end
        } else if reply.status >= 400 {
            self = .unhandled(InvokeResult.document(ofStatus: reply.status, reply.body, request: request))
        } else {
            self = .payload(InvokeResult.payload(reply.headers.first("content-type"), reply.body))
        }
    }

    /// What an outcome other than a reply comes to.
    package static func end(_ outcome: Outcome, request: String, timeout: Duration) -> InvokeResult? {
        switch outcome {
        case .replied: return nil
        case .failed(let error): return failed(error, request: request)
        case .timedOut, .workerLost, .outOfMemory:
            return outcome.fault(timeout: timeout).map { .unhandled($0.document(for: request)) }
        case .expired:
            return .refused(.throttled(outcome.message, byHost: false, after: .seconds(1)))
        case .shed(let reason, let wait):
            switch reason {
            case .overloaded, .queueTimeout:
                return .refused(.throttled(outcome.message, byHost: false, after: wait))
            case .hostOverloaded:
                return .refused(.throttled(outcome.message, byHost: true, after: wait))
            case .crashLoop, .draining: return .refused(.service(outcome.message, after: wait))
            }
        case .cancelled: return .refused(.service(outcome.message))
        }
    }

    private static func failed(_ error: FunctionError, request: String) -> InvokeResult {
        if let document = error.document { return .unhandled(document) }
        switch error.code {
        case "unknown_function": return .refused(LambdaError(error))
        case "reply_too_large":
            let message = "Response payload size exceeded maximum allowed payload size (\(replyMax) bytes)."
            let type = "Function.ResponseSizeTooLarge"
            return .unhandled(
                (["errorMessage": .string(message), "errorType": .string(type)] as JSON).bytes()
            )
        default:
            var object: JSONObject = [
                "errorMessage": .string(error.message), "errorType": .string(error.code),
                "requestId": .string(request),
            ]
            if let faults = error.json(invocation: nil)["error"]?["faults"] { object["faults"] = faults }
            return .unhandled(JSON.object(object).bytes())
        }
    }

    /// A reply that says by its status that it failed.
    package static func document(ofStatus status: Int, _ body: Bytes = Bytes(), request: String) -> Bytes {
        let said = (try? JSON.parse(body))?["error"]
        return
            ([
                "errorMessage": .string(
                    said?["message"]?.stringValue ?? "the function replied with status \(status)"
                ),
                "errorType": .string(said?["code"]?.stringValue ?? "status_\(status)"),
                "requestId": .string(request),
            ] as JSON).bytes()
    }

    /// A reply as JSON: as it is where it is JSON, else text as a string, and bytes as a string in Base64.
    static func payload(_ contentType: String?, _ body: Bytes) -> Bytes {
        guard !body.isEmpty else { return "null" }
        let type = contentType?.prefix { $0 != ";" }.lowercased() ?? ""
        if type == "application/json" || type.hasSuffix("+json") { return body }
        if !type.hasPrefix("text/"), (try? JSON.check(body)) != nil { return body }
        let text = String(validating: body.array, as: UTF8.self)
        return JSON.string(text ?? body.base64).bytes()
    }
}

extension Outcome {
    fileprivate var message: String { error?.message ?? "" }

    /// How the platform ended the invocation of a function with `timeout`; nil where the function itself did.
    package func fault(timeout: Duration) -> PlatformFault? {
        switch self {
        case .timedOut: .timedOut(after: timeout)
        case .workerLost(let reason): .exited(reason)
        case .outOfMemory: .outOfMemory
        case .replied, .failed, .cancelled, .expired, .shed: nil
        }
    }
}
