import FunctionCore

/// A batch of messages as Lambda's poller of SQS hands them over.
package enum RecordsPayload {
    /// The messages of a Redis event.
    ///
    /// What an entry says besides its data is in the message's attributes, as a sender to SQS would put it there.
    package static func document(
        _ batch: RedisEvent,
        attempt: Int = 1,
        now: Instant,
        place: LambdaPlace = .host
    ) -> JSON {
        let arn = "arn:aws:sqs:\(place.region):\(place.account):\(batch.stream)"
        let records = batch.entries.map { entry -> JSON in
            let body = entry.data.text
            var said: JSONObject = ["type": text(entry.type), "source": text(entry.source)]
            if entry.time.nanoseconds % 1_000_000 != 0 { said["time"] = text(entry.time.rfc3339) }
            if let traceparent = entry.traceparent { said["traceparent"] = text(traceparent) }
            return [
                "messageId": .string(entry.id), "receiptHandle": .string(entry.id), "body": .string(body),
                "attributes": [
                    "ApproximateReceiveCount": .string(String(attempt)),
                    "SentTimestamp": .string(String(milliseconds(entry.time))),
                    "SenderId": .string(place.account),
                    "ApproximateFirstReceiveTimestamp": .string(String(milliseconds(now))),
                ],
                "messageAttributes": .object(said), "md5OfBody": .string(MD5.hex(Array(body.utf8))),
                "eventSource": "aws:sqs", "eventSourceARN": .string(arn), "awsRegion": .string(place.region),
            ]
        }
        return ["Records": .array(records)]
    }

    private static func text(_ value: String) -> JSON {
        ["stringValue": .string(value), "dataType": "String"]
    }

    private static func milliseconds(_ instant: Instant) -> Int64 {
        instant.nanoseconds / 1_000_000
    }

    /// The records of a document whose every record is a queue's message, else nil.
    static func records(of object: JSONObject) -> [JSON]? {
        guard let records = object["Records"]?.arrayValue, !records.isEmpty else { return nil }
        let areMessages = records.allSatisfy {
            $0["eventSource"]?.stringValue == "aws:sqs" && $0["body"] != nil
        }
        return areMessages ? records : nil
    }

    /// Reads messages of one queue as a Redis event, which their senders need not know of: a body that is no
    /// JSON becomes `{"data": "…"}`, and a message without a type is an `sqs.message`.
    static func read(_ records: [JSON]) throws(FunctionError) -> LambdaInput {
        let arn = records[0]["eventSourceARN"]?.stringValue ?? ""
        let last = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).last
        let queue = String(last ?? "")
        var entries: [RedisEntry] = []
        var attempt = 1
        for (place, record) in records.enumerated() {
            guard let id = record["messageId"]?.stringValue, !id.isEmpty else {
                throw broken(place, "messageId must be a string that is not empty")
            }
            guard let body = record["body"]?.stringValue else { throw broken(place, "body must be a string") }
            entries.append(entry(id, body, record, queue))
            attempt = max(attempt, number(record, "ApproximateReceiveCount") ?? 1)
        }
        guard Set(entries.map(\.id)).count == entries.count else {
            throw .badRequest("bad_records", "two messages of the event have one messageId")
        }
        guard let body = try? JSONCoder.encode(RedisEvent(stream: queue, entries: entries)) else {
            throw .badRequest("bad_records", "the messages cannot be written as JSON")
        }
        return LambdaInput(Event(kind: .redis, body: body), .records, attempt: attempt)
    }

    private static func entry(_ id: String, _ body: String, _ record: JSON, _ queue: String) -> RedisEntry {
        func said(_ name: String) -> String? {
            record["messageAttributes"]?[name]?["stringValue"]?.stringValue
        }
        let sent = number(record, "SentTimestamp") ?? 0
        let (nanoseconds, overflow) = Int64(sent).multipliedReportingOverflow(by: 1_000_000)
        return RedisEntry(
            id: id,
            type: said("type") ?? "sqs.message",
            source: said("source") ?? queue,
            time: said("time").flatMap { Instant(rfc3339: $0) }
                ?? Instant(nanoseconds: overflow ? .max : nanoseconds),
            traceparent: said("traceparent"),
            data: (try? JSON.parse(Bytes(body))) ?? ["data": .string(body)]
        )
    }

    private static func number(_ record: JSON, _ attribute: String) -> Int? {
        record["attributes"]?[attribute]?.stringValue.flatMap { Int($0) }
    }

    private static func broken(_ place: Int, _ rule: String) -> FunctionError {
        .badRequest("bad_records", "Records[\(place)].\(rule)")
    }
}
