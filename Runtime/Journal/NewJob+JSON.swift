import FunctionCore

/// A job as it waits in a user's shard for the journal: all but its body as JSON text.
extension NewJob {
    package var json: JSON {
        var object: JSONObject = [
            "id": .string(id), "function": .string(function), "operation": .string(operation),
            "trigger": .string(trigger), "trace": .string(trace.traceparent),
            "maxAttempts": .integer(Int64(maxAttempts)),
            "maxRecoveries": .integer(Int64(maxRecoveries)), "depth": .integer(Int64(depth)),
        ]
        if let owner { object["owner"] = .string(owner) }
        if let runAt { object["runAt"] = .integer(runAt.nanoseconds) }
        if let idempotencyKey { object["idempotencyKey"] = .string(idempotencyKey) }
        return .object(object)
    }

    /// - Returns: nil for what no swiftlet writes.
    package init?(_ json: JSON, body: Bytes) {
        guard let id = json["id"]?.stringValue, let function = json["function"]?.stringValue,
            let trigger = json["trigger"]?.stringValue,
            let trace = json["trace"]?.stringValue.flatMap({ TraceContext(traceparent: $0) })
        else { return nil }
        self.init(
            id: id,
            function: function,
            operation: json["operation"]?.stringValue ?? "",
            body: body,
            trigger: trigger,
            owner: json["owner"]?.stringValue,
            trace: trace,
            maxAttempts: json["maxAttempts"]?.intValue ?? 1,
            maxRecoveries: json["maxRecoveries"]?.intValue ?? 10,
            runAt: json["runAt"]?.intValue.map { Instant(nanoseconds: Int64($0)) },
            depth: json["depth"]?.intValue ?? 0,
            idempotencyKey: json["idempotencyKey"]?.stringValue
        )
    }
}
