import FunctionCore

/// The head of an answer, free of the version of HTTP it goes out by.
///
/// Fields that are the connection's or the host's own may be in `headers`, as a function may have set them:
/// outputs leave them out by `isOwn`.
package struct ReplyHead {
    package let status: Int
    /// Fields of a function, an endpoint or an error: names are tokens, values have no control characters.
    package let headers: [Header]
    /// The length of the body, where it is known.
    package var length: Int?
    /// `x-request-id`, the client's own or the answer's.
    package var requestID: String
    /// `x-swiftlet-invocation`.
    package var id: String
    /// `x-trace-id`.
    package var traceID: String?
    /// HEAD: the fields of a body, and no body.
    var isHead = false
    /// The client speaks HTTP/1.0.
    var isOld = false
    /// The connection is to end with the answer.
    var closes = false

    /// Nil where a field would break the message.
    init?(status: Int, headers: [Header], requestID: String, id: String) {
        for header in headers where !ReplyHead.isValid(header) { return nil }
        self.status = status
        self.headers = headers
        self.requestID = requestID
        self.id = id
    }

    /// Whether bytes of a body go out behind it.
    package var sendsBody: Bool { !isHead && mayHaveBody }

    /// Whether there is a length to state.
    package var mayHaveBody: Bool { status != 204 && status != 304 && status != 101 }

    private static func isValid(_ header: Header) -> Bool {
        let name = header.name.utf8.span
        for index in 0..<name.count where !Octets.isToken(name[index]) { return false }
        let value = header.value.utf8.span
        for index in 0..<value.count where value[index] < 32 || value[index] == 127 {
            guard value[index] == 9 else { return false }
        }
        return name.count > 0
    }

    /// Hop-by-hop fields, and those that the host states itself.
    package static func isOwn(_ name: String) -> Bool {
        let name = name.utf8.span
        return switch name.count {
        case 2: name.spells("te")
        case 4: name.spells("date")
        case 7: name.spells("trailer") || name.spells("upgrade")
        case 10: name.spells("connection") || name.spells("keep-alive") || name.spells("x-trace-id")
        case 12: name.spells("x-request-id")
        case 14: name.spells("content-length")
        case 16: name.spells("proxy-connection")
        case 17: name.spells("transfer-encoding")
        case 21: name.spells("x-swiftlet-invocation")
        default: false
        }
    }

    /// The words behind the number.
    static func reason(_ status: Int) -> StaticString {
        switch status {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 203: "Non-Authoritative Information"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 300: "Multiple Choices"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 423: "Locked"
        case 424: "Failed Dependency"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 451: "Unavailable For Legal Reasons"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: ""
        }
    }
}
