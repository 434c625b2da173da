import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BatchItemFailuresTests {
    private let batch = RedisEvent(
        stream: "s",
        entries: ["a", "b", "c"].map {
            RedisEntry(id: $0, type: "t", source: "s", time: Instant(seconds: 0), traceparent: nil, data: 1)
        }
    )

    @Test(
        "nothing, null, an object without failures and an empty list say that all is done",
        arguments: [
            "", "null", "{}", "[]", "\"x\"", #"{"batchItemFailures":[]}"#, #"{"batchItemFailures":null}"#,
        ]
    )
    func readsSuccess(_ answer: String) throws {
        #expect(BatchItemFailures.read(Bytes(answer), of: ["a"]) == .some([]))
        #expect(try BatchItemFailures.reply(Bytes(answer), to: batch).status == 200)
    }

    @Test(
        "what cannot be relied on fails all",
        arguments: [
            "{", #"{"batchItemFailures":{}}"#, #"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            #"{"batchItemFailures":[{"itemIdentifier":null}]}"#, #"{"batchItemFailures":[{"id":"a"}]}"#,
            #"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}"#,
            #"{"batchItemFailures":["a"]}"#,
        ]
    )
    func readsFailure(_ answer: String) {
        guard case .all = BatchItemFailures.read(Bytes(answer), of: ["a", "b"]) else {
            Issue.record("some were done")
            return
        }
        let error = #expect(throws: FunctionError.self) {
            try BatchItemFailures.reply(Bytes(answer), to: batch)
        }
        #expect(error?.status == 502 && error?.code == "bad_lambda_reply")
    }

    @Test("those named come again, the others are done, both ways")
    func readsAndWritesSome() throws {
        let answer: Bytes =
            #"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#
        #expect(BatchItemFailures.read(answer, of: ["a", "b", "c"]) == .some(["c", "a"]))
        let reply = try BatchItemFailures.reply(answer, to: batch)
        #expect(reply.status == 207)
        let back = try BatchItemFailures.document(reply, to: batch)
        #expect(back == ["batchItemFailures": [["itemIdentifier": "a"], ["itemIdentifier": "c"]]])
    }

    @Test("what is to be forgotten is done; what is never to be retried is left to the queue's own policy")
    func writesRetries() throws {
        let reply = Reply.failing([
            ("a", .discard("old", "too late")), ("b", .deadLetter("bad", "look at it")), ("c", .invalid([])),
        ])
        let document = try BatchItemFailures.document(reply, to: batch)
        #expect(document == ["batchItemFailures": [["itemIdentifier": "b"], ["itemIdentifier": "c"]]])
        #expect(try BatchItemFailures.document(Reply(body: "ok"), to: batch) == ["batchItemFailures": []])
    }

    @Test("a reply that failed, or does not name what failed, fails all")
    func writesFailure() {
        for reply in [Reply(status: 503), Reply(status: 207, body: "x"), .failing([("z", .invalid([]))])] {
            #expect(throws: FunctionError.self) { try BatchItemFailures.document(reply, to: batch) }
        }
    }
}
