import FunctionCore

/// What a request says of how a function is to be invoked.
package struct LambdaRequest: Sendable, Hashable {
    package enum Kind: String, Sendable {
        /// The caller waits for the reply.
        case requestResponse = "RequestResponse"
        /// The event is kept as a job, and the caller goes on.
        case event = "Event"
        /// Nothing runs.
        case dryRun = "DryRun"
    }

    package var function: FunctionName
    package var kind: Kind
    /// Whether the end of the invocation's log comes with the reply.
    package var wantsLog: Bool
    /// JSON for Lambda runtimes.
    package var clientContext: String?
    package var payload: Bytes

    /// Bytes of an event whose caller waits, and of one that becomes a job, as Lambda has them.
    package static let payloadMax = 6 * 1024 * 1024
    package static let eventMax = 1024 * 1024
    /// Bytes of a client context in Base64.
    package static let clientContextMax = 3583

    /// Reads a request whose `headers` and `qualifier` are as they came; `only` overrules what they say of
    /// the kind.
    /// - Throws: `LambdaError` for what Lambda would refuse.
    package init(
        function: String,
        qualifier: String?,
        headers: [Header],
        payload: Bytes,
        as only: Kind? = nil
    ) throws(LambdaError) {
        self.function = try FunctionName(function, qualifier: qualifier)
        let type =
            only?.rawValue ?? headers.first("x-amz-invocation-type") ?? Kind.requestResponse.rawValue
        guard let kind = Kind(rawValue: type) else {
            throw .invalidParameter("X-Amz-Invocation-Type must be RequestResponse, Event or DryRun")
        }
        self.kind = kind
        let log = headers.first("x-amz-log-type") ?? "None"
        guard ["None", "Tail"].contains(log) else {
            throw .invalidParameter("X-Amz-Log-Type must be None or Tail")
        }
        wantsLog = log == "Tail" && kind == .requestResponse
        let limit = kind == .event ? LambdaRequest.eventMax : LambdaRequest.payloadMax
        guard payload.count <= limit else { throw .tooLarge(limit) }
        clientContext = try headers.first("x-amz-client-context").map(LambdaRequest.context)
        self.payload = payload.isEmpty ? "{}" : payload
        do {
            try JSON.check(self.payload)
        } catch {
            throw .invalidContent("Could not parse request body into json: \(error)")
        }
        guard kind != .event || self.payload.array.first(where: { $0 > 32 }) == UInt8(ascii: "{") else {
            throw .invalidContent("The event of an asynchronous invocation must be a JSON object")
        }
    }

    private static func context(_ text: String) throws(LambdaError) -> String {
        guard text.utf8.count <= clientContextMax else {
            throw .invalidContent("X-Amz-Client-Context must be at most \(clientContextMax) bytes long")
        }
        guard let bytes = Bytes(base64: text), case .object? = try? JSON.parse(bytes) else {
            throw .invalidContent("Client context must be a valid Base64-encoded JSON object")
        }
        return bytes.text
    }
}
