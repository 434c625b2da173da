import FunctionCore
import Invocations

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
        if !key.isEmpty { object["key"] = .string(key) }
        if priority != 0 { object["priority"] = .integer(Int64(priority)) }
        if let expires { object["expires"] = .integer(expires.nanoseconds) }
        if let countsFor { object["countsFor"] = .string(countsFor) }
        if let unique {
            object["unique"] = .string(unique.key)
            if let period = unique.period { object["uniqueFor"] = .integer(period.nanoseconds) }
        }
        if let perKey = lane.perKey { object["perKey"] = .integer(Int64(perKey)) }
        if lane.isOrdered { object["ordered"] = true }
        if let rate = lane.rate {
            object["rate"] = [.integer(rate.interval), .integer(rate.burst)]
        }
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
        key = json["key"]?.stringValue ?? ""
        priority = json["priority"]?.intValue ?? 0
        expires = json["expires"]?.intValue.map { Instant(nanoseconds: Int64($0)) }
        countsFor = json["countsFor"]?.stringValue
        unique = json["unique"]?.stringValue.map { key in
            UniqueWish(key: key, period: json["uniqueFor"]?.intValue.map { .nanoseconds(Int64($0)) })
        }
        lane.perKey = json["perKey"]?.intValue
        lane.isOrdered = json["ordered"]?.boolValue ?? false
        if let interval = json["rate"]?[0]?.intValue, let burst = json["rate"]?[1]?.intValue {
            lane.rate = BucketRule(interval: Int64(interval), burst: Int64(burst))
        }
    }
}
