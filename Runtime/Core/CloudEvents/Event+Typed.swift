extension Event {
    /// What a typed function is handed: its input, and a context that tells the attributes where a CloudEvent came.
    ///
    /// The object is that of the event's data then, in binary and in structured mode alike.
    /// - Throws: `FunctionError` 400, 415 or 422; a batch of other than one event is refused.
    func typed<Input: Decodable>(_ context: Context) throws -> (Input, Context) {
        guard carriesCloudEvents else { return (try decode(Input.self), context) }
        let cloudEvent = try cloudEvent()
        guard CloudEvent.isJSON(cloudEvent.dataContentType) else {
            throw FunctionError(
                status: 415,
                code: "unsupported_event_format",
                message: "the event's data must be JSON, not \(cloudEvent.dataContentType ?? "")",
                retry: .never
            )
        }
        var inner = self
        inner.body = cloudEvent.data ?? Bytes()
        var context = context
        context.cloudEvent = cloudEvent
        return (try inner.decode(Input.self), context)
    }

    private var carriesCloudEvents: Bool {
        guard let headers = request?.headers else { return false }
        return headers.contains { header in
            sameName(header.name, "ce-specversion")
                || (sameName(header.name, "content-type")
                    && header.value.lowercased().hasPrefix("application/cloudevents"))
        }
    }
}
