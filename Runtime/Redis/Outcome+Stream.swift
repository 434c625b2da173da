import FunctionCore
import Invocations

extension Outcome {
    /// Whether trying again is of no use: the function says never, or answers with a status that tells of a
    /// bad request.
    var isFinal: Bool {
        switch self {
        case .failed(let error): error.retry == .never
        case .replied(let status): 400..<500 ~= status && ![408, 409, 423, 425, 429].contains(status)
        default: false
        }
    }

    /// Whether the function wants it forgotten, without a dead letter.
    var isDiscarded: Bool {
        if case .failed(let error) = self { error.retry == .discard } else { false }
    }

    /// The code and the message of a failure.
    var failure: (code: String, message: String) {
        if case .replied(let status) = self {
            return ("status_\(status)", "the function replied with status \(status)")
        }
        return (error?.code ?? label, error?.message ?? label)
    }

    var reason: String { "\(failure.code): \(failure.message)" }
}
