import FunctionCore

/// Tells what it was given: for the tests of the bundle as a Lambda.
struct TellFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        try await pause(Settings(event).integer("ms", 0))
        var told: JSONObject = [
            "kind": .string("\(event.kind)"), "operation": .string(event.operation),
            "body": .string(event.body.text), "invocation": .string(context.invocation),
            "trace": .string(context.trace.traceparent), "attempt": .integer(Int64(context.attempt)),
            "remaining": .integer(Int64(context.remaining.milliseconds)),
            "environment": .array(context.environment.keys.sorted().map { .string($0) }),
        ]
        if let request = event.request {
            told["target"] = .string(request.target)
            told["method"] = .string(request.method)
            let parameters = request.parameters.sorted { $0.key < $1.key }
            told["parameters"] = .object(JSONObject(parameters.map { ($0.key, .string($0.value)) }))
        }
        context.log.info("told\nall", ["kind": "\(event.kind)"])
        return .json(.object(told), headers: [Header("set-cookie", "a=1"), Header("set-cookie", "b=2")])
    }
}

/// Fails the entries whose data say `fail`: `yes`, or `forget` for one that is of no use any more.
struct PartialFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let batch = try event.decode(RedisEvent.self)
        let failures = batch.entries.compactMap { entry -> (id: String, error: FunctionError)? in
            switch entry.data["fail"]?.stringValue {
            case "yes": (entry.id, FunctionError(code: "told_to", message: "told to"))
            case "forget": (entry.id, .discard("told_to", "told to"))
            case "all": (entry.id, .deadLetter("told_to", "told to"))
            default: nil
            }
        }
        if batch.entries.contains(where: { $0.data["fail"] == "throw" }) {
            throw FunctionError(code: "told_to", message: "told to")
        }
        return failures.isEmpty ? Reply() : .failing(failures)
    }
}

/// Streams its event's `text`, and fails after it where `fail` says so.
struct TornFunction: StreamingFunction {
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        let settings = Settings(event)
        if settings.text("fail") == "first" { throw FunctionError.invalid("fail", "first", "before a word") }
        try reply.start(status: 201, headers: [Header("content-type", "text/x-torn")])
        try await reply.write(Bytes(settings.text("text")))
        try await pause(settings.integer("ms", 0))
        if settings.text("fail") == "last" {
            throw FunctionError(code: "torn_off", message: "after the text")
        }
    }
}

/// Sends the CloudEvent back that it was sent, in structured mode where the query says `structured`.
struct CloudFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let events = try event.cloudEvents()
        guard events.count == 1 else { return .json(["events": .integer(Int64(events.count))]) }
        return .cloudEvent(events[0], structured: event.request?.query["mode"] == "structured")
    }
}

/// Says what it was told to order, and by which CloudEvent.
struct OrderFunction: SynchronousTypedFunction {
    struct Order: Codable {
        var item: String
        var count: Int
    }

    struct Told: Encodable {
        var order: Order
        var id: String?
        var type: String?
        var subject: String?
    }

    func handle(_ order: Order, _ context: Context) -> Told {
        let event = context.cloudEvent
        return Told(order: order, id: event?.id, type: event?.type, subject: event?.subject)
    }
}
