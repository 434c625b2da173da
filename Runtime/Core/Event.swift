/// What a function is invoked with.
///
/// All triggers reduce to one shape: a kind, the operation that the trigger names, and a body. An HTTP event
/// carries the request as well. `object()` reads any of them as the one JSON object the function works on, so
/// that the same handler serves a route, a queue and a plain invocation.
public struct Event: Sendable {
    /// Where the event came from.
    public enum Kind: UInt8, Sendable {
        /// A plain JSON document: `swiftlet invoke`, another function, a job.
        case plain = 0
        /// A request through the gateway.
        case http = 1
        /// A batch of entries from a Redis stream, list or channel.
        case redis = 2
        /// A schedule's nominal instant or a rotation's window.
        case schedule = 3
        /// A WebSocket connection: see `connection`.
        case websocket = 4
        /// Several events of any other kind together; no handler sees it, a `BatchFunction` gets the events.
        case batch = 5
    }

    /// Where the event came from.
    public var kind: Kind
    /// What the trigger asks for, from `operation:` in `function.yaml`; empty where the manifest names none.
    public var operation: String
    /// The request, where the event came by HTTP; of a WebSocket, the one that asked for the connection, with
    /// its headers in the event `connect` only.
    public var request: HTTPRequest?
    /// The connection, where the event came from a WebSocket.
    public var connection: ConnectionEvent?
    /// The body: the request's own bytes, a WebSocket's message, or the JSON document of the other kinds.
    public var body: Bytes

    /// An event; used by triggers and tests.
    public init(
        kind: Kind = .plain,
        operation: String = "",
        request: HTTPRequest? = nil,
        connection: ConnectionEvent? = nil,
        body: Bytes = Bytes()
    ) {
        self.kind = kind
        self.operation = operation
        self.request = request
        self.connection = connection
        self.body = body
    }

    /// The event as one JSON object: the body, and over it the route's parameters and the query.
    ///
    /// A parameter that reads as an integer is one, so `user` in a path and `"user": 7` in a plain event are
    /// alike. A query value fills in a member that body and path leave out.
    /// - Throws: `FunctionError` 400 `bad_json` for a body that is no JSON, 422 `not_an_object` for another
    ///   value.
    public func object() throws -> JSON {
        .object(try document().object(0))
    }

    /// The event's object decoded as `type`.
    /// - Throws: `FunctionError` 400 or 422, naming the member and the rule.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let document = try document()
        do {
            return try JSONCoder.decode(type, from: document)
        } catch {
            throw FunctionError(status: 422, code: "invalid_input", message: "\(error)", retry: .never)
        }
    }

    /// The body, and after its members those that path and query add: of two of one name the last counts.
    private func document() throws -> JSONDocument {
        let document: JSONDocument
        do {
            document = try JSONDocument(scanning: body.isEmpty ? "{}" : body, limits: JSON.Limits())
        } catch {
            throw FunctionError.badRequest("bad_json", "the body is not JSON: \(error)")
        }
        guard document[0].kind == .object else {
            throw FunctionError(
                status: 422,
                code: "not_an_object",
                message: "the body must be a JSON object such as {\"name\": \"value\"}",
                retry: .never
            )
        }
        guard let request else { return document }
        let query = request.query
        if query.isEmpty, request.parameters.isEmpty { return document }
        var added = JSONObject()
        document.compareNames(of: 0)
        for (name, value) in query where document.member(name, of: 0) == nil {
            added[name] = Event.scalar(value)
        }
        for (name, value) in request.parameters {
            added[name] = Event.scalar(value)
        }
        document.append(added)
        return document
    }

    private static func scalar(_ text: String) -> JSON {
        if text.utf8.count < 19, let number = Int64(text), String(number) == text { return .integer(number) }
        return .string(text)
    }
}

/// One entry of a Redis event; the same shape that `emit` writes.
public struct RedisEntry: Sendable, Codable {
    /// The event's own id; the same at every delivery of the entry, but for a list's elements after a restart
    /// of their host.
    public var id: String
    /// What happened, such as `questionnaire.submitted`; `redis.entry` for an entry that names no type,
    /// `redis.message` for a channel's.
    public var type: String
    /// Who said so: a function's name, or the stream for an entry written by somebody else.
    public var source: String
    /// When it was said.
    public var time: Instant
    /// The W3C trace it belongs to, where it carries one.
    public var traceparent: String?
    /// What was said.
    public var data: JSON

    /// An entry; used by the trigger and tests.
    public init(id: String, type: String, source: String, time: Instant, traceparent: String?, data: JSON) {
        self.id = id
        self.type = type
        self.source = source
        self.time = time
        self.traceparent = traceparent
        self.data = data
    }
}

/// The body of a Redis event.
public struct RedisEvent: Sendable, Codable {
    /// The stream, list or channel.
    public var stream: String
    /// Its entries, oldest first; at least one.
    public var entries: [RedisEntry]

    /// A batch; used by the trigger and tests.
    public init(stream: String, entries: [RedisEntry]) {
        self.stream = stream
        self.entries = entries
    }
}

/// The body of a schedule event.
public struct ScheduledEvent: Sendable, Codable {
    /// The schedule's id.
    public var schedule: String
    /// The instant for which the schedule fired; never later than `now`.
    public var nominal: Instant
    /// The rotation's window that is open, where the schedule belongs to one.
    public var window: String?
    /// When that window closes, or the deadline of the event `checkpoint`.
    public var until: Instant?
    /// What the window before left to this one: the body of its reply to the event `checkpoint`.
    public var handover: String?

    /// The same for each execution of this time's run, and for no other: what a function must not do twice can
    /// be kept apart by it.
    public var idempotencyKey: String?

    /// A firing; used by the scheduler and tests.
    public init(
        schedule: String,
        nominal: Instant,
        window: String? = nil,
        until: Instant? = nil,
        handover: String? = nil,
        idempotencyKey: String? = nil
    ) {
        self.schedule = schedule
        self.nominal = nominal
        self.window = window
        self.until = until
        self.handover = handover
        self.idempotencyKey = idempotencyKey
    }
}
