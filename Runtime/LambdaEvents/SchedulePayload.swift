import FunctionCore

/// A schedule's firing as EventBridge says it.
package enum SchedulePayload {
    /// The event of an EventBridge rule.
    ///
    /// EventBridge knows whole seconds and no windows: what it cannot say stands in `detail`, which a rule's own
    /// events leave empty.
    package static func document(
        _ firing: ScheduledEvent,
        id: String,
        place: LambdaPlace = .host
    ) -> JSON {
        let seconds = Instant(seconds: firing.nominal.seconds)
        let isBare =
            seconds == firing.nominal && firing.window == nil && firing.until == nil
            && firing.handover == nil && !firing.schedule.isEmpty && !firing.schedule.utf8.contains(47)
        let own = (try? JSONCoder.encode(firing)).flatMap { try? JSON.parse($0) }
        let arn = "arn:aws:events:\(place.region):\(place.account):rule/\(firing.schedule)"
        return [
            "version": "0", "id": .string(firing.idempotencyKey ?? id), "detail-type": "Scheduled Event",
            "source": "aws.events", "account": .string(place.account), "time": .string(seconds.rfc3339),
            "region": .string(place.region), "resources": [.string(arn)],
            "detail": isBare ? [:] : own ?? [:],
        ]
    }

    /// Reads the event of a rule, or what EventBridge Scheduler sends to a target without an input; nil for any
    /// other document.
    ///
    /// The schedule's id is the name of the rule or of the schedule, the idempotency key the event's id, which
    /// is the same at every delivery.
    static func read(_ object: JSONObject) -> LambdaInput? {
        guard let source = object["source"]?.stringValue, source == "aws.events" || source == "aws.scheduler",
            object["detail-type"]?.stringValue == "Scheduled Event",
            let nominal = object["time"]?.stringValue.flatMap({ Instant(rfc3339: $0) })
        else { return nil }
        if let detail = object["detail"], let own = firing(detail) { return input(own) }
        let arn = object["resources"]?[0]?.stringValue ?? ""
        let resource = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).last ?? ""
        let name = resource.split(separator: "/").last.map { String($0) } ?? ""
        return input(
            ScheduledEvent(
                schedule: name,
                nominal: nominal,
                idempotencyKey: object["id"]?.stringValue
            )
        )
    }

    private static func firing(_ detail: JSON) -> ScheduledEvent? {
        guard detail["schedule"] != nil, detail["nominal"] != nil else { return nil }
        return try? JSONCoder.decode(ScheduledEvent.self, from: detail.bytes())
    }

    private static func input(_ firing: ScheduledEvent) -> LambdaInput? {
        guard let body = try? JSONCoder.encode(firing) else { return nil }
        return LambdaInput(Event(kind: .schedule, body: body), .schedule)
    }
}
