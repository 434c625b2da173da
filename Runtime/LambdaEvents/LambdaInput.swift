import FunctionCore

/// An event as AWS Lambda hands it to a runtime, and what it is to a function of ours.
///
/// A document is told by its members, as AWS says of none what it is: `version` 2.0 and a request context with
/// `http` is a request, `Records` of queue messages a Redis batch, a scheduled event a schedule's. All others,
/// such as what a caller of the Invoke API sends, are plain, byte for byte.
package struct LambdaInput: Sendable {
    /// The function's event; its operation is not known here.
    package var event: Event
    /// Who asked, where an authorizer said so.
    package var principal: String?
    /// How often the event has been delivered, this time included.
    package var attempt: Int
    /// What was read, which says in what form the reply goes back.
    package var shape: Shape
    /// Whether it came by a Function URL, which takes replies as they come, unlike an HTTP API.
    package var isFunctionURL = false
    /// `GET /p/{x}` of the route that the API matched, nil where it has none.
    package var route: String?

    /// Whether its caller can take a reply piece by piece.
    package var takesStreams: Bool {
        switch shape {
        case .http: isFunctionURL
        case .plain: true
        case .records, .schedule: false
        }
    }

    /// The documents that are told apart.
    package enum Shape: Sendable, Hashable {
        case plain
        /// A request of payload format 2.0.
        case http
        /// Messages of a queue, which may fail one by one.
        case records
        case schedule
    }

    init(
        _ event: Event,
        _ shape: Shape,
        principal: String? = nil,
        attempt: Int = 1,
        route: String? = nil
    ) {
        self.event = event
        self.shape = shape
        self.principal = principal
        self.attempt = attempt
        self.route = route
    }

    /// Reads a document.
    /// - Throws: `FunctionError` 400 for a document that is one of those told apart and breaks its rules, naming
    ///   the member. What is no JSON is a plain event.
    package init(_ body: Bytes) throws(FunctionError) {
        guard let json = try? JSON.parse(body), case .object(let object) = json else {
            self.init(Event(body: body), .plain)
            return
        }
        let context = object["requestContext"]
        if context?["http"] != nil, object["version"]?.stringValue == "2.0" {
            self = try HTTPPayload.read(object)
        } else if context?.objectValue != nil, object["httpMethod"]?.stringValue != nil {
            throw FunctionError.badRequest(
                "payload_version",
                "the event is a request of payload format 1.0; set PayloadFormatVersion: \"2.0\" at the API, "
                    + "or use a Function URL"
            )
        } else if let records = RecordsPayload.records(of: object) {
            self = try RecordsPayload.read(records)
        } else if let scheduled = SchedulePayload.read(object) {
            self = scheduled
        } else {
            self.init(Event(body: body), .plain)
        }
    }
}

extension LambdaInput {
    /// The document that a Lambda runtime is handed for an event of ours.
    ///
    /// A plain event goes as it is. So does a schedule's with an input of its own, as EventBridge Scheduler sends
    /// it. WebSocket events have no form that an HTTP API's function knows.
    /// `now` is when it was invoked, `route` the pattern that matched, such as `/p/{x}`, `attempt` which delivery
    /// it is, from 1.
    /// - Throws: `FunctionError` 501 for an event that has no form, 500 for a body that is not of its kind.
    package static func document(
        for event: Event,
        id: String,
        now: Instant,
        route: String? = nil,
        principal: String? = nil,
        attempt: Int = 1,
        place: LambdaPlace = .host
    ) throws(FunctionError) -> Bytes {
        switch event.kind {
        case .plain: return event.body.isEmpty ? "{}" : event.body
        case .http:
            guard let request = event.request else { throw unreadable("an HTTP event has no request") }
            let payload = HTTPPayload(id: id, now: now, route: route, principal: principal, place: place)
            return payload.document(request, event.body).bytes()
        case .redis:
            guard let batch = try? event.decode(RedisEvent.self) else {
                throw unreadable("a Redis event's body is none")
            }
            return RecordsPayload.document(batch, attempt: attempt, now: now, place: place).bytes()
        case .schedule:
            guard let firing = try? event.decode(ScheduledEvent.self) else { return event.body }
            return SchedulePayload.document(firing, id: id, place: place).bytes()
        case .websocket, .batch:
            throw FunctionError(
                status: 501,
                code: "no_lambda_event",
                message:
                    "a Lambda runtime has no form for \(event.kind) events; take the trigger out of the manifest",
                retry: .never
            )
        }
    }

    private static func unreadable(_ message: String) -> FunctionError {
        FunctionError(status: 500, code: "bad_event", message: message, retry: .never)
    }
}
