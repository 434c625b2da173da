import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RecordsPayloadTests {
    private func record(_ changes: JSONObject = [:]) -> JSON {
        var record: JSONObject = [
            "messageId": "m1", "receiptHandle": "h", "body": "{\"n\":1}",
            "attributes": ["ApproximateReceiveCount": "3", "SentTimestamp": "1545082649183"],
            "messageAttributes": [:], "md5OfBody": "x", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:orders", "awsRegion": "us-east-2",
        ]
        for (name, value) in changes { record[name] = value }
        return .object(record)
    }

    private func read(_ records: JSON...) throws -> (batch: RedisEvent, input: LambdaInput) {
        let input = try LambdaInput((["Records": .array(records)] as JSON).bytes())
        return (try input.event.decode(RedisEvent.self), input)
    }

    @Test("a queue's messages are entries, whoever sent them")
    func readsMessages() throws {
        let said: JSON = [
            "type": ["stringValue": "order.placed", "dataType": "String"],
            "traceparent": ["stringValue": "00-1-2-01", "dataType": "String"],
        ]
        let (batch, input) = try read(
            record(["messageAttributes": said]),
            record(["messageId": "m2", "body": "hi"])
        )
        #expect(input.shape == .records && input.event.kind == .redis && input.attempt == 3)
        #expect(batch.stream == "orders" && batch.entries.map(\.id) == ["m1", "m2"])
        let first = batch.entries[0]
        #expect(first.type == "order.placed" && first.source == "orders" && first.traceparent == "00-1-2-01")
        #expect(first.time.rfc3339 == "2018-12-17T21:37:29.183Z" && first.data == ["n": 1])
        #expect(batch.entries[1].type == "sqs.message" && batch.entries[1].data == ["data": "hi"])
    }

    @Test(
        "a message that breaks the form is refused with its place and member",
        arguments: [
            ("Records[0].messageId", ["messageId": ""]), ("Records[0].messageId", ["messageId": 7]),
            ("Records[0].body", ["body": [:]]),
        ] as [(String, JSONObject)]
    )
    func refusesBrokenMessages(_ place: String, _ changes: JSONObject) {
        let error = #expect(throws: FunctionError.self) { try read(record(changes)) }
        #expect(error?.code == "bad_records" && error?.message.hasPrefix(place) == true)
        #expect(throws: FunctionError.self) { try read(record(), record()) }
    }

    @Test("hostile numbers are bounded")
    func boundsNumbers() throws {
        let attributes: JSON = ["SentTimestamp": "9223372036854775807", "ApproximateReceiveCount": "-1"]
        let (batch, input) = try read(record(["attributes": attributes]))
        #expect(batch.entries[0].time == Instant(nanoseconds: .max) && input.attempt == 1)
    }

    @Test("entries of a stream are messages of a queue, with the digest that SQS gives")
    func writesMessages() throws {
        let entry = RedisEntry(
            id: "e1",
            type: "order.placed",
            source: "shop",
            time: Instant(nanoseconds: 1_545_082_649_183_000_000),
            traceparent: nil,
            data: ["n": 1]
        )
        let event = RedisEvent(stream: "events:order.placed", entries: [entry])
        let body = try LambdaInput.document(
            for: Event(kind: .redis, body: JSONCoder.encode(event)),
            id: "",
            now: Instant(seconds: 1_545_082_650),
            attempt: 2
        )
        let expected: JSON = [
            "messageId": "e1", "receiptHandle": "e1", "body": "{\"n\":1}",
            "attributes": [
                "ApproximateReceiveCount": "2", "SentTimestamp": "1545082649183", "SenderId": "123456789012",
                "ApproximateFirstReceiveTimestamp": "1545082650000",
            ],
            "messageAttributes": [
                "type": ["stringValue": "order.placed", "dataType": "String"],
                "source": ["stringValue": "shop", "dataType": "String"],
            ],
            "md5OfBody": "MD5", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:events:order.placed",
            "awsRegion": "us-east-1",
        ]
        var record = try #require(try JSON.parse(body)["Records"]?[0]?.objectValue)
        #expect(record["md5OfBody"] == "082c26c8a6bc75226a31da5495cc9292")
        record["md5OfBody"] = "MD5"
        #expect(JSON.object(record) == expected)
    }

    @Test(
        "digests are those of RFC 1321",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
            (String(repeating: "a", count: 55), "ef1772b6dff9a122358552954ad0df65"),
            (String(repeating: "a", count: 56), "3b0c8ac703f828b04c6c197006d17218"),
            (String(repeating: "a", count: 64), "014842d480b571495a4a0363793f7367"),
        ]
    )
    func digests(_ text: String, _ digest: String) {
        #expect(MD5.hex(Array(text.utf8)) == digest)
    }
}
