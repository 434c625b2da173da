/// The method of a request.
package enum Method: Sendable, Hashable {
    case get, head, post, put, patch, delete, options, connect, trace
    /// Any other token, which no route takes.
    case other(String)

    /// The method that is written so; case counts.
    package init(_ text: String) {
        switch text {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "PATCH": self = .patch
        case "DELETE": self = .delete
        case "OPTIONS": self = .options
        case "CONNECT": self = .connect
        case "TRACE": self = .trace
        default: self = .other(text)
        }
    }

    /// As it is sent.
    var text: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other(let text): text
        }
    }

    /// The text for metrics and logs: clients cannot make new series by inventing methods.
    var label: String {
        if case .other = self { return "OTHER" }
        return text
    }
}
