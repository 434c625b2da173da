import FunctionCore

/// Something that happened, as it waits in an outbox to be relayed.
package struct OutboxEvent: Sendable, Hashable {
    /// Unique for ever: an event with an id that an outbox knows is the same event.
    package var id: String
    /// `questionnaire.submitted`.
    package var type: String
    /// The function that said so.
    package var source: String
    package var time: Instant
    package var traceparent: String?
    /// JSON text.
    package var data: String

    package init(
        id: String,
        type: String,
        source: String,
        time: Instant,
        traceparent: String?,
        data: String
    ) {
        self.id = id
        self.type = type
        self.source = source
        self.time = time
        self.traceparent = traceparent
        self.data = data
    }

    /// At most this many bytes of JSON text.
    package static let dataLimit = 1024 * 1024

    /// What is wrong with an event that a function wants told; `path` goes before the members' names.
    package static func faults(of event: OutgoingEvent, path: String = "") -> [Fault] {
        var faults = [
            NameRule.fault(event.type, at: path + "type"),
            event.id.flatMap { NameRule.fault($0, at: path + "id") },
        ].compactMap { $0 }
        let count = event.data.text.utf8.count
        if count > dataLimit {
            let message =
                "\(path)data has \(count) bytes of JSON, and an event holds at most \(dataLimit); "
                + "store it as a blob and send its key"
            faults.append(Fault(path + "data", "size", message))
        }
        return faults
    }

    /// What a function wants told, checked before; `id` is the one it takes where the function names none.
    package init(_ event: OutgoingEvent, id: String, source: String, time: Instant, trace: TraceContext) {
        self.init(
            id: event.id ?? id,
            type: event.type,
            source: source,
            time: time,
            traceparent: trace.traceparent,
            data: event.data.text
        )
    }
}
