import FunctionCore
import Recordings

/// An event of any trigger as a JSON document, for whoever sends one to a function by hand.
///
///     {"kind": "http", "operation": "", "request": {"method", "target", "parameters": {}, "headers": [{"name", "value"}]}, "body": …}
///
/// A `body` that is a string is the body's text, any other value its JSON. `connection` has `id`, `phase` (connect,
/// message or disconnect) and `text` (whether the message is).
package enum EventDocument {
    /// The content type by which the admin API knows one from a plain event.
    package static let type = "application/vnd.swiftlet.event+json"
    /// The content type of a recording of which the event is to be invoked afresh.
    package static let recordingType = "application/vnd.swiftlet.recording+json"

    private static let kinds: [(name: String, kind: Event.Kind)] = [
        ("plain", .plain), ("http", .http), ("redis", .redis), ("schedule", .schedule),
        ("websocket", .websocket),
    ]
    private static let phases: [(name: String, phase: ConnectionEvent.Phase)] = [
        ("connect", .connect), ("message", .message), ("disconnect", .disconnect),
    ]

    /// The document of an event; a body that is no JSON is in it as text.
    package static func json(_ event: Event) -> JSON {
        var object: JSONObject = [
            "kind": .string(kinds.first { $0.kind == event.kind }?.name ?? "plain"),
            "operation": .string(event.operation),
        ]
        if let request = event.request {
            let headers = request.headers.map {
                JSON.object(["name": .string($0.name), "value": .string($0.value)])
            }
            object["request"] = [
                "method": .string(request.method), "target": .string(request.target),
                "parameters": .object(
                    JSONObject(
                        request.parameters.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }
                    )
                ),
                "headers": .array(headers),
            ]
        }
        if let connection = event.connection {
            object["connection"] = [
                "id": .string(connection.id),
                "phase": .string(phases.first { $0.phase == connection.phase }?.name ?? "message"),
                "text": .bool(connection.isText),
            ]
        }
        var body = (try? JSON.parse(event.body)) ?? .string(event.body.text)
        // A string in the document is a body's text: one that is itself a JSON string stays as it was written.
        if case .string = body { body = .string(event.body.text) }
        object["body"] = body
        return .object(object)
    }

    /// The event of a text: a document's where it is one, else a plain event whose body it is.
    /// - Throws: `FunctionError` 400 where it is no JSON, 422 where a document's member is off.
    package static func reading(_ text: Bytes) throws(FunctionError) -> Event {
        guard let value = try? JSON.parse(text) else {
            throw .badRequest("bad_json", "the event is not JSON")
        }
        return isDocument(value) ? try event(value) : Event(body: text)
    }

    /// Whether it is a document, not the object of a plain event.
    package static func isDocument(_ value: JSON) -> Bool {
        value["kind"]?.stringValue != nil
            && ["request", "connection", "body"].contains { value[$0] != nil }
    }

    /// The event of a document.
    /// - Throws: `FunctionError` 422, naming the member that is off.
    package static func event(_ document: JSON) throws(FunctionError) -> Event {
        guard document.objectValue != nil else {
            throw .invalid("", "type", "an event's document must be an object with `kind` and `body`")
        }
        let kind = try choice(document["kind"], "kind", kinds.map { ($0.name, $0.kind) }) ?? .plain
        var event = Event(kind: kind, operation: document["operation"]?.stringValue ?? "")
        switch document["body"] {
        case nil: event.body = kind == .http || kind == .websocket ? Bytes() : "{}"
        case .string(let text)?: event.body = Bytes(text)
        case let value?: event.body = value.bytes()
        }
        if kind == .http || document["request"] != nil { event.request = request(document["request"]) }
        if kind == .websocket {
            let connection = document["connection"]
            event.connection = ConnectionEvent(
                id: connection?["id"]?.stringValue ?? "sample",
                phase: try choice(
                    connection?["phase"],
                    "connection.phase",
                    phases.map { ($0.name, $0.phase) }
                )
                    ?? .message,
                isText: connection?["text"]?.boolValue ?? true
            )
        }
        return event
    }

    /// The event of a recording's file, of which its calls and clock may be left out.
    /// - Throws: `FunctionError` 422 where it is no recording, or one of a batch.
    static func event(recording file: Bytes) throws(FunctionError) -> Event {
        let recorded: RecordedEvent
        do {
            recorded = try Recording(file).event
        } catch {
            throw FunctionError(describing: error)
        }
        guard recorded.event.kind == .batch else { return recorded.event }
        // The host makes a batch of it once more.
        guard let events = recorded.events, events.count == 1 else {
            let message =
                "the recording is of a batch of \(recorded.events?.count ?? 0) events, which the host makes; "
                + "`swiftlet replay` runs it again"
            throw .invalid("recording", "kind", message)
        }
        return events[0].event
    }

    private static func request(_ document: JSON?) -> HTTPRequest {
        var parameters: [String: String] = [:]
        for (name, value) in document?["parameters"]?.objectValue ?? [:] {
            parameters[name] = value.stringValue ?? value.text
        }
        return HTTPRequest(
            method: document?["method"]?.stringValue ?? "POST",
            target: document?["target"]?.stringValue ?? "/",
            parameters: parameters,
            headers: (document?["headers"]?.arrayValue ?? []).compactMap { header in
                guard let name = header["name"]?.stringValue else { return nil }
                return Header(name, header["value"]?.stringValue ?? "")
            }
        )
    }

    private static func choice<Value>(
        _ given: JSON?,
        _ path: String,
        _ known: [(String, Value)]
    ) throws(FunctionError) -> Value? {
        guard let given else { return nil }
        if let found = known.first(where: { $0.0 == given.stringValue }) { return found.1 }
        let names = known.map(\.0).joined(separator: ", ")
        throw .invalid(path, "one_of", "\(path) must be one of \(names), not \(given.text)")
    }
}
