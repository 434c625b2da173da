import FunctionCore

/// An event on its way out: a row of an outbox, an entry of the stream `events:<type>` once it is relayed.
package struct OutgoingRow: Sendable, Hashable {
    /// The event's id; the same however often it is sent, so that readers can tell a repetition.
    package var id: String
    package var type: String
    /// The function that said so.
    package var source: String
    package var time: Instant
    package var traceparent: String?
    /// On whose behalf.
    package var principal: String?
    /// JSON.
    package var data: Bytes

    package init(
        id: String,
        type: String,
        source: String,
        time: Instant,
        traceparent: String? = nil,
        principal: String? = nil,
        data: Bytes
    ) {
        self.id = id
        self.type = type
        self.source = source
        self.time = time
        self.traceparent = traceparent
        self.principal = principal
        self.data = data
    }

    /// Where it goes.
    package var stream: String { "events:\(type)" }
}
