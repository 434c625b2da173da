import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SchedulePayloadTests {
    private func firing(_ document: String) throws -> ScheduledEvent {
        let input = try LambdaInput(Bytes(document))
        #expect(input.shape == .schedule && input.event.kind == .schedule)
        return try input.event.decode(ScheduledEvent.self)
    }

    @Test("a rule's event names the rule, the time it is for, and an id that deliveries share")
    func readsRules() throws {
        let event = try firing(
            #"""
            {"version":"0","id":"53dc4d37","detail-type":"Scheduled Event","source":"aws.events",
             "account":"123456789012","time":"2026-03-09T13:30:00Z","region":"us-east-1",
             "resources":["arn:aws:events:us-east-1:123456789012:rule/bus/daily-motto"],"detail":{}}
            """#
        )
        #expect(event.schedule == "daily-motto" && event.idempotencyKey == "53dc4d37")
        #expect(event.nominal.rfc3339 == "2026-03-09T13:30:00Z")
        #expect(event.window == nil && event.until == nil && event.handover == nil)
    }

    @Test("what EventBridge Scheduler sends without an input is a schedule's event too")
    func readsScheduler() throws {
        let event = try firing(
            #"""
            {"version":"0","id":"e","detail-type":"Scheduled Event","source":"aws.scheduler","account":"1",
             "time":"2026-03-09T13:30:00Z","region":"us-east-1",
             "resources":["arn:aws:scheduler:us-east-1:1:schedule/default/nightly"],"detail":"{}"}
            """#
        )
        #expect(event.schedule == "nightly" && event.idempotencyKey == "e")
    }

    @Test("a firing within a second, or of a window, keeps all that it says in the detail")
    func keepsDetail() throws {
        let nominal = Instant(nanoseconds: 1_773_063_000_500_000_000)
        let firings = [
            ScheduledEvent(schedule: "plain", nominal: Instant(seconds: 1_773_063_000), idempotencyKey: "k"),
            ScheduledEvent(schedule: "fraction", nominal: nominal, idempotencyKey: "k"),
            ScheduledEvent(
                schedule: "window",
                nominal: nominal,
                window: "day",
                until: nominal + .seconds(60),
                handover: "{\"a\":1}"
            ),
            ScheduledEvent(schedule: "odd/name", nominal: Instant(seconds: 0)),
        ]
        for firing in firings {
            let event = Event(kind: .schedule, body: try JSONCoder.encode(firing))
            let document = try LambdaInput.document(for: event, id: "id", now: Instant(seconds: 0))
            #expect(try JSON.parse(document)["version"] == "0")
            let read = try LambdaInput(document).event
            #expect(read.kind == .schedule)
            #expect(try JSON.parse(read.body) == JSON.parse(event.body))
        }
    }

    @Test("a schedule's own input goes as it is, as Scheduler sends an input")
    func keepsInputs() throws {
        let event = Event(kind: .schedule, body: #"{"tone":"warm"}"#)
        #expect(try LambdaInput.document(for: event, id: "id", now: Instant(seconds: 0)) == event.body)
    }

    @Test("events of other sources, or without a time, are plain")
    func leavesOthers() throws {
        for document in [
            #"{"source":"aws.ec2","detail-type":"Scheduled Event","time":"2026-03-09T13:30:00Z"}"#,
            #"{"source":"aws.events","detail-type":"Scheduled Event","time":"yesterday"}"#,
            #"{"source":"aws.events","detail-type":"Other","time":"2026-03-09T13:30:00Z"}"#,
        ] {
            #expect(try LambdaInput(Bytes(document)).shape == .plain)
        }
    }

    @Test("WebSocket events are refused, with the remedy")
    func refusesWebSockets() {
        let event = Event(kind: .websocket, connection: ConnectionEvent(id: "c", phase: .connect))
        let error = #expect(throws: FunctionError.self) {
            try LambdaInput.document(for: event, id: "", now: Instant(seconds: 0))
        }
        #expect(error?.code == "no_lambda_event")
    }
}
