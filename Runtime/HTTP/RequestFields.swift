import FunctionCore
import NIOHTTP1

/// The header fields of a request, read once: the list that goes to the function, and the few that the
/// gateway itself acts on.
struct RequestFields {
    var list: [Header] = []
    var hosts = 0
    var contentLength: Int?
    var isChunked = false
    var expectsContinue = false
    var unknownExpectation = false
    var asksUpgrade = false
    var contentType: String?
    var contentEncoding: String?
    var traceparent: String?
    var requestID: String?
    var idempotencyKey: String?
    var prefersAsync = false
    var principal: String?

    init() {}

    init(_ headers: HTTPHeaders, principalHeader: String?) {
        list.reserveCapacity(headers.count)
        for (name, value) in headers {
            list.append(Header(name, value))
            note(name, value)
            if let principalHeader, principal == nil, name.isHeader(principalHeader), !value.isEmpty {
                principal = value
            }
        }
    }

    /// Sorts by length first, so that most fields cost one comparison of two numbers.
    private mutating func note(_ name: String, _ value: String) {
        switch name.utf8.count {
        case 4:
            if name.isHeader("host") { hosts += 1 }
        case 6:
            if name.isHeader("expect") {
                if value.isHeader("100-continue") {
                    expectsContinue = true
                } else {
                    unknownExpectation = true
                }
            } else if name.isHeader("prefer") {
                prefersAsync = prefersAsync || Self.prefersAsync(value)
            }
        case 7:
            if name.isHeader("upgrade") { asksUpgrade = true }
        case 11:
            if name.isHeader("traceparent") { traceparent = value }
        case 12:
            if name.isHeader("content-type") {
                contentType = value
            } else if name.isHeader("x-request-id"), Self.isRequestID(value) {
                requestID = value
            }
        case 14:
            // Two that differ never come here: the decoder refuses them.
            if name.isHeader("content-length") { contentLength = Int(value) ?? Int.max }
        case 15:
            if name.isHeader("idempotency-key") { idempotencyKey = value }
        case 16:
            if name.isHeader("content-encoding") { contentEncoding = value }
        case 17:
            if name.isHeader("transfer-encoding") { isChunked = true }
        default: break
        }
    }

    private static func isRequestID(_ value: String) -> Bool {
        !value.isEmpty && value.utf8.count <= 128 && value.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }

    /// RFC 7240: a list of preferences, each with parameters of its own.
    private static func prefersAsync(_ value: String) -> Bool {
        value.split(separator: ",").contains { preference in
            let name = preference.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
            return name.isHeader("respond-async")
        }
    }
}

extension String {
    /// Whether this is the header name `name`, whatever the case of its letters.
    func isHeader(_ name: String) -> Bool {
        let left = utf8.span
        let right = name.utf8.span
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] {
            let letter = left[index] | 0x20
            guard letter == right[index] | 0x20, letter >= 97, letter <= 122 else { return false }
        }
        return true
    }
}
