import FunctionCore

/// What came before a request's body, free of how it came: the parser of HTTP/1 makes it, or a stream of
/// HTTP/2.
///
/// Whoever makes it has refused what the protocol forbids (framing, Host, characters, lengths); the gateway
/// decides on the rest.
package struct RequestHead: Sendable {
    var method: Method
    /// Path and query as they were sent, from the first slash; `*` for OPTIONS of the whole server.
    var target: String
    /// HTTP/1.0: no chunks, no 100, and no keep-alive that is not asked for.
    var isOld = false
    /// Whether the connection may go on after the answer; a stream of HTTP/2 leaves it as it is.
    var keepsAlive = true
    /// Whether the client would change the protocol: `Connection: upgrade` with an `Upgrade` field.
    var asksUpgrade = false
    /// The length of the body where the client states it.
    package var contentLength: Int?
    /// Who sent it; the gateway finds it out.
    var caller = Caller(address: "", scheme: "http")
    /// A trusted proxy brought it.
    var isFromProxy = false

    /// All fields in the order in which they came.
    private(set) var headers: [Header] = []
    package private(set) var expectsContinue = false
    private(set) var unknownExpectation = false
    private(set) var prefersAsync = false
    /// Whether a field says whom a proxy served.
    private(set) var hasForwarders = false
    /// Whether a field asks for more than a reply.
    private(set) var hasTrial = false

    // Where in `headers` the fields are of which the gateway wants the value, so that a copy of a head costs
    // two references.
    private var contentTypeAt: Int32 = -1
    private var contentEncodingAt: Int32 = -1
    private var traceparentAt: Int32 = -1
    private var requestIDAt: Int32 = -1
    private var idempotencyKeyAt: Int32 = -1
    private var upgradeAt: Int32 = -1
    private var acceptEncodingAt: Int32 = -1
    private var originAt: Int32 = -1

    package init(method: Method, target: String) {
        self.method = method
        self.target = target
    }

    var contentType: String? { value(at: contentTypeAt) }
    var contentEncoding: String? { value(at: contentEncodingAt) }
    var traceparent: String? { value(at: traceparentAt) }
    /// The client's own id for the request, where it is one that can be sent back.
    var requestID: String? { value(at: requestIDAt) }
    var idempotencyKey: String? { value(at: idempotencyKeyAt) }
    /// What `Upgrade` names.
    var upgrade: String? { value(at: upgradeAt) }
    var acceptEncoding: String? { value(at: acceptEncodingAt) }
    var origin: String? { value(at: originAt) }

    /// Takes a field on; `known` is what `FieldName` says of the name.
    ///
    /// Of fields that may come once the last one counts.
    mutating func add(_ name: String, _ value: String, known: FieldName?) {
        if headers.isEmpty { headers.reserveCapacity(8) }
        let index = Int32(truncatingIfNeeded: headers.count)
        headers.append(Header(name, value))
        switch known {
        case .expect:
            if value.isHeader("100-continue") {
                expectsContinue = true
            } else {
                unknownExpectation = true
            }
        case .prefer: prefersAsync = prefersAsync || Self.prefersAsync(value)
        case .traceparent: traceparentAt = index
        case .contentType: contentTypeAt = index
        case .requestID: if Self.isRequestID(value) { requestIDAt = index }
        case .idempotencyKey: idempotencyKeyAt = index
        case .contentEncoding: contentEncodingAt = index
        case .upgrade: upgradeAt = index
        case .acceptEncoding: acceptEncodingAt = index
        case .origin: originAt = index
        case .forwarder: hasForwarders = true
        case .trial: hasTrial = true
        default: break
        }
    }

    /// Takes a field on whose name is a text.
    package mutating func add(_ name: String, _ value: String) {
        add(name, value, known: FieldName(name.utf8.span))
    }

    /// Gives the fields of that name another value.
    mutating func replace(_ name: String, with value: String) {
        for index in headers.indices where headers[index].name.isHeader(name) {
            headers[index].value = value
        }
    }

    /// The same without the fields whose name `drops` takes.
    func without(_ drops: (String) -> Bool) -> RequestHead {
        var head = RequestHead(method: method, target: target)
        head.isOld = isOld
        head.keepsAlive = keepsAlive
        head.asksUpgrade = asksUpgrade
        head.contentLength = contentLength
        head.caller = caller
        head.isFromProxy = isFromProxy
        for header in headers where !drops(header.name) { head.add(header.name, header.value) }
        return head
    }

    private func value(at index: Int32) -> String? {
        index < 0 ? nil : headers[Int(index)].value
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
