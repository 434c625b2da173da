import FunctionCore

extension Exchange {
    /// A request that is answered with an error, whatever its body.
    package struct Refusal: Sendable {
        var error: FunctionError
        var headers: [Header] = []
        /// The rest of what the client sends cannot be understood, or is not worth reading.
        var closes = false

        package init(_ error: FunctionError, headers: [Header] = [], closes: Bool = false) {
            self.error = error
            self.headers = headers
            self.closes = closes
        }
    }
}

extension Exchange.Refusal {
    static let noRoute = Exchange.Refusal(.notFound("no route matches the path; see `swiftlet functions`"))

    /// The value of `Allow`.
    static func allowed(_ methods: [String]) -> String {
        var allowed = methods
        if allowed.contains("GET"), !allowed.contains("HEAD") { allowed.append("HEAD") }
        return allowed.sorted().joined(separator: ", ")
    }

    static func wrongMethod(_ head: RequestHead, _ methods: [String]) -> Exchange.Refusal {
        let list = allowed(methods)
        let message = "the path does not take \(head.method.text); it takes \(list)"
        let error = FunctionError(status: 405, code: "method_not_allowed", message: message, retry: .never)
        return Exchange.Refusal(error, headers: [Header("allow", list)])
    }

    package static func longTarget(_ limit: Int) -> Exchange.Refusal {
        let message = "the request target is over \(limit) bytes"
        return Exchange.Refusal(
            FunctionError(status: 414, code: "target_too_long", message: message),
            closes: true
        )
    }

    package static func longHeaders(_ limit: Int) -> Exchange.Refusal {
        let message = "the header is over \(limit) bytes or has too many fields"
        return Exchange.Refusal(
            FunctionError(status: 431, code: "headers_too_large", message: message),
            closes: true
        )
    }

    package static let malformed = Exchange.Refusal(
        .badRequest("bad_request", "the request is not HTTP/1.1 as RFC 9112 defines it"),
        closes: true
    )

    package static let host = Exchange.Refusal(
        .badRequest("bad_request", "a request must have exactly one Host header, with a host and no more"),
        closes: true
    )

    static let coding = Exchange.Refusal(
        FunctionError(
            status: 501,
            code: "transfer_coding",
            message: "the only transfer-encoding known here is `chunked`"
        ),
        closes: true
    )

    static let expectation = Exchange.Refusal(
        FunctionError(
            status: 417,
            code: "expectation_failed",
            message: "the only expectation known here is `100-continue`"
        )
    )

    static let connect = Exchange.Refusal(
        FunctionError(status: 501, code: "no_tunnels", message: "this host opens no tunnels for CONNECT"),
        closes: true
    )

    /// What the parser found, in words.
    init(_ fault: RequestParser.Fault, _ settings: ServerSettings) {
        self =
            switch fault {
            case .malformed: .malformed
            case .host: .host
            case .targetTooLong: .longTarget(settings.maxTargetBytes)
            case .headersTooLarge: .longHeaders(settings.maxHeaderBytes)
            case .version: .version
            case .coding: .coding
            }
    }

    static let version = Exchange.Refusal(
        FunctionError(status: 505, code: "http_version", message: "this port speaks HTTP/1.1 and HTTP/1.0"),
        closes: true
    )

    package static let slow = Exchange.Refusal(
        FunctionError(status: 408, code: "request_timeout", message: "the request did not arrive in time"),
        closes: true
    )

    static let stopping = Exchange.Refusal(
        FunctionError(status: 503, code: "draining", message: "the host is stopping; try again"),
        closes: true
    )

    static let tooManyConnections = Exchange.Refusal(
        FunctionError(
            status: 503,
            code: "too_many_connections",
            message: "the host holds as many connections as it may; try again later"
        ),
        closes: true
    )
}
