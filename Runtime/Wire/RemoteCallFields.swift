import FunctionCore

/// What goes with a binding call that comes from another machine: the header fields of a POST whose body is a `call`
/// frame, and whose answer is frames as on a worker's channel.
package struct RemoteCallFields: Sendable, Equatable {
    /// Below the gateway's URL.
    package static let path = "/_swiftlet/calls"
    package static let contentType = "application/vnd.swiftlet.frames"
    /// The longest that a call may wait for its answer: as long as Lambda lets a function run.
    package static let timeoutMax = Duration.seconds(900)

    package var function: String
    package var invocation: String
    package var attempt: Int
    package var principal: String?
    package var trace: TraceContext
    /// How long the invocation still has.
    package var timeout: Duration

    package init(
        function: String,
        invocation: String,
        attempt: Int,
        principal: String?,
        trace: TraceContext,
        timeout: Duration
    ) {
        self.function = function
        self.invocation = invocation
        self.attempt = attempt
        self.principal = principal
        self.trace = trace
        self.timeout = timeout
    }

    package var headers: [Header] {
        var headers = [
            Header("content-type", RemoteCallFields.contentType),
            Header("swiftlet-protocol", "\(Frame.protocolVersion)"),
            Header("swiftlet-function", function), Header("swiftlet-invocation", invocation),
            Header("swiftlet-attempt", "\(attempt)"), Header("traceparent", trace.traceparent),
            Header("swiftlet-timeout-ms", "\(max(1, timeout.nanoseconds / 1_000_000))"),
        ]
        // A name may hold any signs, a field may not.
        if let principal { headers.append(Header("swiftlet-principal", Bytes(principal).base64)) }
        return headers
    }

    /// Reads a request's fields.
    /// - Throws: 400 naming the field, 409 for another version of the protocol.
    package init(_ headers: [Header]) throws(FunctionError) {
        func field(_ name: String) throws(FunctionError) -> String {
            guard let value = headers.first(name), !value.isEmpty, value.utf8.count <= 256 else {
                throw .badRequest("bad_call", "the header field \(name) is missing, empty or too long")
            }
            return value
        }
        let version = try field("swiftlet-protocol")
        guard version == "\(Frame.protocolVersion)" else {
            throw .conflict(
                "protocol_mismatch",
                "the bundle speaks version \(version.prefix(20)) of the protocol, this host "
                    + "\(Frame.protocolVersion); build both from one release"
            )
        }
        function = try field("swiftlet-function")
        invocation = try field("swiftlet-invocation")
        guard let attempt = Int(try field("swiftlet-attempt")), attempt > 0 else {
            throw .badRequest("bad_call", "swiftlet-attempt must be a whole number from 1")
        }
        let most = RemoteCallFields.timeoutMax.nanoseconds / 1_000_000
        guard let time = Int64(try field("swiftlet-timeout-ms")), (1...most).contains(time) else {
            throw .badRequest("bad_call", "swiftlet-timeout-ms must be a whole number from 1 to \(most)")
        }
        self.attempt = attempt
        timeout = .milliseconds(time)
        trace = headers.first("traceparent").flatMap { TraceContext(traceparent: $0) } ?? .begin()
        if let text = headers.first("swiftlet-principal") {
            guard let bytes = Bytes(base64: text), let name = String(validating: bytes.array, as: UTF8.self)
            else {
                throw .badRequest("bad_call", "swiftlet-principal must be Base64 of UTF-8")
            }
            principal = name
        }
    }
}
