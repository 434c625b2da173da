import FunctionCore
import Recordings
import Testing

@Suite("What is taken out of a recording", .timeLimit(.minutes(1)))
struct ScrubberTests {
    private let scrubber = Scrubber(["Voucher", "pin"]) { bytes in
        Array(
            String(decoding: bytes, as: UTF8.self).split(
                separator: "hunter22",
                omittingEmptySubsequences: false
            )
            .joined(separator: "[redacted]").utf8
        )
    }

    @Test("credentials, named values and known secrets are gone, wherever they were")
    func cleaned() throws {
        let request = HTTPRequest(
            method: "POST",
            target: "/a?voucher=V-1111&x=hunter22",
            parameters: ["pin": "9999"],
            headers: [
                Header("Authorization", "Basic QWxh"), Header("Cookie", "sid=S-2222"),
                Header("x-note", "hunter22"),
            ]
        )
        let body =
            #"{"a": {"voucher": "V-3333"}, "list": [{"name": "Authorization", "value": "T-4444"}], "b": "hunter22"}"#
        var recording = recorded(
            Event(kind: .http, request: request, body: Bytes(body)),
            outcome: RecordedOutcome(
                label: "failed",
                error: FunctionError(code: "c", message: "hunter22 was wrong")
            )
        )
        let tape = Tape(since: .now)
        let call = RecordedCall(binding: "fetch", method: "send", arguments: Bytes(body), body: Bytes())
        tape.value(Bytes(body), of: tape.began(call))
        tape.replied(200, [Header("set-cookie", "S-5555")])
        tape.replied(Array(body.utf8))
        tape.write(to: &recording)
        let text = try JSONCoder.encode(scrubber.clean(recording)).text
        for secret in ["V-1111", "9999", "QWxh", "S-2222", "V-3333", "T-4444", "S-5555", "hunter22"] {
            #expect(!text.contains(secret), "\(secret) is in \(text)")
        }
        #expect(text.contains("[redacted] was wrong"))
    }

    @Test("the events of a batch and its results are cleaned like others")
    func batches() throws {
        let request = HTTPRequest(
            method: "POST",
            target: "/",
            headers: [Header("authorization", "Bearer S-7777")]
        )
        var recording = recorded()
        recording.event = RecordedEvent(batch: [
            Event(kind: .http, request: request, body: "S-7777 hunter22"), Event(body: "plain"),
        ])
        let tape = Tape(since: .now)
        let reply = Reply(headers: [Header("set-cookie", "S-8888")], body: "hunter22")
        tape.replied(200, [])
        tape.replied(RecordedBatch.body(of: [.success(reply), .failure(.badRequest("c", "hunter22"))]).array)
        tape.write(to: &recording)
        let text = try JSONCoder.encode(scrubber.clean(recording)).text
        for secret in ["S-7777", "S-8888", "hunter22"] { #expect(!text.contains(secret), "\(text)") }
        let read = try Recording(Bytes(text))
        #expect(read.event.event(joining: { Bytes("\($0.count)") }).body == "2")
        #expect(read.event.event.kind == .batch)
    }

    @Test("a recording without any of them stays as it is, to the byte, through its file")
    func untouched() throws {
        let bodies = [Bytes(#"{ "a" : 1.0 }"#), Bytes([0, 255, 1, 254]), Bytes("plain"), Bytes()]
        for body in bodies {
            let event = Event(kind: .schedule, operation: "tick", body: body)
            let first = recorded(event)
            let read = try Recording(JSONCoder.encode(Scrubber().clean(first)))
            #expect(read.event.event.body == body)
            #expect(read.event.event.kind == .schedule && read.event.event.operation == "tick")
            #expect(read.seedValue == 7 && read.traceContext == first.traceContext)
            #expect(first.differences(to: read).isEmpty)
        }
        #expect(throws: FunctionError.self) { try Recording("{}") }
        #expect(throws: FunctionError.self) { try Recording("not json") }
    }

    @Test("a call with a secret of this host is the same as one with a secret that was taken out")
    func symmetric() {
        func send(_ secret: String) -> RecordedCall {
            let arguments = #"{"url": "http://a", "token": "\#(secret)"}"#
            return RecordedCall(binding: "fetch", method: "send", arguments: Bytes(arguments), body: Bytes())
        }
        #expect(scrubber.clean(send("hunter22")) == scrubber.clean(send("[redacted]")))
    }
}
