import FunctionCore

/// The host's first words: who the worker is to be.
package struct Hello: Sendable, Equatable {
    package var version: UInt32 = Frame.protocolVersion
    /// The content hash of the bundle, as the host knows it.
    package var bundle: String
    package var function: String
    package var confinement: Confinement
    package var environment: [String: String]

    package init(
        bundle: String,
        function: String,
        confinement: Confinement,
        environment: [String: String]
    ) {
        self.bundle = bundle
        self.function = function
        self.confinement = confinement
        self.environment = environment
    }

    package func write(to writer: inout WireWriter) {
        writer.frame(.hello) { writer in
            writer.integer(version)
            writer.string(bundle)
            writer.string(function)
            confinement.write(to: &writer)
            writer.dictionary(environment)
        }
    }

    package init(_ payload: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(payload)
        version = try reader.integer()
        guard version == Frame.protocolVersion else {
            let versions = "the host speaks protocol \(version), this bundle \(Frame.protocolVersion)"
            throw WireError("\(versions); build both from one version")
        }
        bundle = try reader.string()
        function = try reader.string()
        confinement = try Confinement(&reader)
        environment = try reader.dictionary()
    }
}

/// The worker's first words: it can take invocations, or why not.
package struct Ready: Sendable, Equatable {
    package var version: UInt32 = Frame.protocolVersion
    /// From the start of `main` to here, in microseconds.
    package var startup: UInt32
    /// Whether the handler runs one invocation after the other.
    package var serial: Bool
    /// Why the handler could not be made; nil where it was.
    package var failure: String?

    package init(startup: UInt32, serial: Bool = false, failure: String? = nil) {
        self.startup = startup
        self.serial = serial
        self.failure = failure
    }

    package func write(to writer: inout WireWriter) {
        writer.frame(.ready) { writer in
            writer.integer(version)
            writer.integer(startup)
            writer.integer(UInt8(serial ? 1 : 0))
            writer.optional(failure)
        }
    }

    package init(_ payload: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(payload)
        version = try reader.integer()
        guard version == Frame.protocolVersion else {
            let versions = "the bundle speaks protocol \(version), this host \(Frame.protocolVersion)"
            throw WireError("\(versions); build both from one version")
        }
        startup = try reader.integer()
        serial = try reader.integer(UInt8.self) == 1
        failure = try reader.optional()
    }
}

/// What goes before an event's body.
package struct InvokeHead: Sendable {
    package var invocation: String
    /// The slot of the shared page in which the worker marks that it has begun.
    package var slot: UInt16
    package var attempt: UInt32
    package var depth: UInt8
    /// What is left of the invocation's time, in nanoseconds: a duration, so that no clock is compared.
    package var remaining: Int64
    package var trace: TraceContext
    package var principal: String?
    package var fencingToken: UInt64?
    package var kind: Event.Kind
    package var operation: String
    package var request: HTTPRequest?
    package var connection: ConnectionEvent?
    /// JSON of a caller of the Lambda API, for Lambda runtimes.
    package var clientContext: String?
    /// Where the handler's random numbers begin.
    package var seed: UInt64
    /// Whether each reading of the clock is told to the host.
    package var tellsClock: Bool
    /// What readings of the clock give, in nanoseconds since the epoch, where an invocation is run again.
    package var clock: [Int64]?

    package init(
        invocation: String,
        slot: UInt16,
        attempt: UInt32,
        depth: UInt8,
        remaining: Int64,
        trace: TraceContext,
        principal: String?,
        fencingToken: UInt64?,
        kind: Event.Kind,
        operation: String,
        request: HTTPRequest?,
        connection: ConnectionEvent? = nil,
        clientContext: String? = nil,
        seed: UInt64 = 0,
        tellsClock: Bool = false,
        clock: [Int64]? = nil
    ) {
        self.invocation = invocation
        self.slot = slot
        self.attempt = attempt
        self.depth = depth
        self.remaining = remaining
        self.trace = trace
        self.principal = principal
        self.fencingToken = fencingToken
        self.kind = kind
        self.operation = operation
        self.request = request
        self.connection = connection
        self.clientContext = clientContext
        self.seed = seed
        self.tellsClock = tellsClock
        self.clock = clock
    }

    private static let hasRequest: UInt8 = 1
    private static let hasConnection: UInt8 = 2
    private static let hasClientContext: UInt8 = 4
    private static let tellsClock: UInt8 = 8
    private static let hasClock: UInt8 = 16

    /// Writes the head and, to the end of the frame, the body or where it lies.
    package func write(to writer: inout WireWriter, id: UInt32, body: Bytes, in extent: Extent? = nil) {
        writer.frame(.invoke, id: id, flags: extent == nil ? 0 : Frame.elsewhere) { writer in
            writer.string(invocation)
            writer.integer(slot)
            writer.integer(attempt)
            writer.integer(depth)
            writer.integer(remaining)
            writer.string(trace.traceID)
            writer.string(trace.spanID)
            writer.integer(UInt8(trace.sampled ? 1 : 0))
            writer.optional(principal)
            writer.integer(fencingToken ?? 0)
            writer.integer(kind.rawValue)
            writer.string(operation)
            writer.integer(
                (request == nil ? 0 : InvokeHead.hasRequest)
                    | (connection == nil ? 0 : InvokeHead.hasConnection)
                    | (clientContext == nil ? 0 : InvokeHead.hasClientContext)
                    | (tellsClock ? InvokeHead.tellsClock : 0) | (clock == nil ? 0 : InvokeHead.hasClock)
            )
            writer.integer(seed)
            if let clock {
                writer.integer(UInt32(clamping: clock.count))
                clock.forEach { writer.integer($0) }
            }
            if let request {
                writer.request(request)
            }
            connection?.write(to: &writer)
            if let clientContext { writer.string(clientContext) }
            if let extent { writer.extent(extent) } else { writer.rest(body.array) }
        }
    }

    /// Reads the head; what is left is the body.
    package static func read(
        _ payload: UnsafeRawBufferPointer
    ) throws(WireError) -> (InvokeHead, UnsafeRawBufferPointer) {
        var reader = WireReader(payload)
        let invocation = try reader.string()
        let slot = try reader.integer(UInt16.self)
        let attempt = try reader.integer(UInt32.self)
        let depth = try reader.integer(UInt8.self)
        let remaining = try reader.integer(Int64.self)
        let trace = TraceContext(
            traceID: try reader.string(),
            spanID: try reader.string(),
            sampled: try reader.integer(UInt8.self) == 1
        )
        let principal = try reader.optional()
        let token = try reader.integer(UInt64.self)
        let kindByte = try reader.integer(UInt8.self)
        guard let kind = Event.Kind(rawValue: kindByte) else {
            throw WireError("an event of unknown kind \(kindByte)")
        }
        let operation = try reader.string()
        var request: HTTPRequest?
        let parts = try reader.integer(UInt8.self)
        let seed = try reader.integer(UInt64.self)
        var clock: [Int64]?
        if parts & hasClock != 0 {
            clock = []
            for _ in 0..<(try reader.integer(UInt32.self)) { clock?.append(try reader.integer()) }
        }
        if parts & hasRequest != 0 {
            request = try reader.request()
        }
        let connection = parts & hasConnection != 0 ? try ConnectionEvent(from: &reader) : nil
        let clientContext = parts & hasClientContext != 0 ? try reader.string() : nil
        let head = InvokeHead(
            invocation: invocation,
            slot: slot,
            attempt: attempt,
            depth: depth,
            remaining: remaining,
            trace: trace,
            principal: principal,
            fencingToken: token == 0 ? nil : token,
            kind: kind,
            operation: operation,
            request: request,
            connection: connection,
            clientContext: clientContext,
            seed: seed,
            tellsClock: parts & tellsClock != 0,
            clock: clock
        )
        return (head, reader.rest())
    }
}

/// What goes before a reply's body.
package struct ReplyHead: Sendable, Equatable {
    package var status: Int
    package var headers: [Header]

    package init(status: Int, headers: [Header]) {
        self.status = status
        self.headers = headers
    }

    private static let statuses = 200...599

    /// What a function that replies with a status out of range is told; its worker would pass for broken
    /// otherwise.
    package static func refusal(of status: Int) -> FunctionError? {
        guard !statuses.contains(status) else { return nil }
        let message = "the function replied with status \(status); a reply's status is 200 to 599"
        return FunctionError(code: "invalid_reply", message: message)
    }

    /// Writes the head and, to the end of the frame, the first of the body.
    package func write(to writer: inout WireWriter, id: UInt32, flags: UInt8, body: [UInt8]) {
        writer.frame(.reply, id: id, flags: flags) { writer in
            writer.integer(UInt16(clamping: status))
            writer.headers(headers)
            writer.rest(body)
        }
    }

    /// Writes the head of a whole reply and where its body lies.
    package func write(to writer: inout WireWriter, id: UInt32, in extent: Extent) {
        writer.frame(.reply, id: id, flags: Frame.last | Frame.elsewhere) { writer in
            writer.integer(UInt16(clamping: status))
            writer.headers(headers)
            writer.extent(extent)
        }
    }

    /// Reads the head; what is left is the first of the body.
    package static func read(
        _ payload: UnsafeRawBufferPointer
    ) throws(WireError) -> (
        ReplyHead, UnsafeRawBufferPointer
    ) {
        var reader = WireReader(payload)
        let status = Int(try reader.integer(UInt16.self))
        guard statuses.contains(status) else { throw WireError("a reply with status \(status)") }
        let head = ReplyHead(status: status, headers: try reader.headers())
        return (head, reader.rest())
    }
}

/// What goes before a call's body.
package struct CallHead: Sendable, Equatable {
    /// The frame id of the invocation that calls.
    package var invocation: UInt32
    package var binding: String
    package var method: String
    package var arguments: Bytes

    package init(invocation: UInt32, binding: String, method: String, arguments: Bytes) {
        self.invocation = invocation
        self.binding = binding
        self.method = method
        self.arguments = arguments
    }

    package func write(to writer: inout WireWriter, id: UInt32, body: Bytes) {
        writer.frame(.call, id: id, flags: Frame.last) { writer in
            writer.integer(invocation)
            writer.string(binding)
            writer.string(method)
            writer.block(arguments)
            writer.rest(body.array)
        }
    }

    package static func read(_ payload: UnsafeRawBufferPointer) throws(WireError) -> (CallHead, Bytes) {
        var reader = WireReader(payload)
        let head = CallHead(
            invocation: try reader.integer(),
            binding: try reader.string(),
            method: try reader.string(),
            arguments: try reader.block()
        )
        return (head, Bytes(Array(reader.rest())))
    }
}

/// A log line of a handler, cut to fit into a frame.
package struct LogPayload: Sendable, Equatable {
    private static let messageMax = 8192
    private static let fieldsMax = 64
    private static let fieldMax = 4096

    package var level: LogLevel
    package var message: String
    package var metadata: [String: String]

    package init(level: LogLevel, message: String, metadata: [String: String]) {
        self.level = level
        self.message = message
        self.metadata = metadata
    }

    package func write(to writer: inout WireWriter, id: UInt32) {
        writer.frame(.log, id: id) { writer in
            writer.integer(level.rawValue)
            writer.string(message, limit: LogPayload.messageMax)
            writer.integer(UInt16(min(metadata.count, LogPayload.fieldsMax)))
            for (name, value) in metadata.prefix(LogPayload.fieldsMax) {
                writer.string(name, limit: LogPayload.fieldMax)
                writer.string(value, limit: LogPayload.fieldMax)
            }
        }
    }

    package init(_ payload: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(payload)
        level = LogLevel(rawValue: try reader.integer()) ?? .info
        message = try reader.string()
        metadata = try reader.dictionary()
    }
}
