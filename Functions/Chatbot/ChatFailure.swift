import FunctionCore

/// A failure in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`, all four members always
/// there.
struct ChatFailure: Sendable {
    var error: FunctionError

    init(_ error: FunctionError) {
        self.error = error
    }

    /// The kind by which the dialect's clients choose their exception, beside the status.
    private var type: String {
        switch error.status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }

    var json: JSON {
        [
            "error": [
                "message": .string(error.message), "type": .string(type),
                "param": error.faults.first.map { .string($0.path) } ?? .null, "code": .string(error.code),
            ]
        ]
    }

    /// The failure as the whole reply.
    func reply() -> Reply {
        var headers: [Header] = []
        if case .after(let wait) = error.retry {
            headers.append(Header("retry-after", "\(max(1, Int(wait.components.seconds)))"))
        } else if error.status == 503 || error.status == 429 {
            headers.append(Header("retry-after", "1"))
        }
        return .json(json, status: error.status, headers: headers)
    }
}
