import FunctionCore
import Seeds
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CloudEventTests {
    private static let required = [
        Header("ce-specversion", "1.0"), Header("CE-Id", "1"), Header("ce-source", "/shop"),
        Header("ce-type", "t"),
    ]

    private func event(_ headers: [Header], _ body: Bytes = "") -> Event {
        Event(kind: .http, request: HTTPRequest(method: "POST", target: "/", headers: headers), body: body)
    }

    private func structured(_ body: String, _ type: String = "application/cloudevents+json") -> Event {
        event([Header("Content-Type", type)], Bytes(body))
    }

    private func fault(_ event: Event) -> FunctionError? {
        #expect(throws: FunctionError.self) { try event.cloudEvents() }
    }

    @Test("binary mode has the attributes in fields and the data as the body")
    func readsBinary() throws {
        let headers =
            CloudEventTests.required + [
                Header("ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
                Header("ce-time", "2026-11-27T13:00:00.5-05:00"),
                Header("ce-dataschema", "https://example.org/s"),
                Header("ce-comexample", "\"a \\\"b\\\" %41\""),
                Header("Content-Type", "text/plain"), Header("x-other", "x"),
            ]
        let read = try event(headers, "hi").cloudEvent()
        let expected = CloudEvent(
            id: "1",
            source: "/shop",
            type: "t",
            subject: "Euro € 😀",
            time: Instant(rfc3339: "2026-11-27T18:00:00.5Z"),
            dataSchema: "https://example.org/s",
            dataContentType: "text/plain",
            extensions: ["comexample": "a \"b\" A"],
            data: "hi"
        )
        #expect(read == expected)
        #expect(try event(CloudEventTests.required).cloudEvent().data == nil)
    }

    @Test(
        "a request that breaks a rule is answered with 400 and the attribute's name",
        arguments: [
            ("specversion", Header("ce-specversion", "0.3"), true), ("id", Header("ce-id", ""), true),
            ("time", Header("ce-time", "yesterday"), false), ("subject", Header("ce-subject", "%FF"), false),
            ("subject", Header("ce-subject", "\"\""), false), ("my_own", Header("ce-my_own", "x"), false),
            ("datacontenttype", Header("ce-datacontenttype", "text/plain"), false),
            ("type", Header("ce-type", "again"), false),
        ]
    )
    func refusesBinary(_ attribute: String, _ header: Header, _ replaces: Bool) {
        let others = CloudEventTests.required.filter { !replaces || $0.name.lowercased() != header.name }
        let error = fault(event(others + [header]))
        #expect(error?.status == 400 && error?.code == "bad_cloudevent")
        #expect(error?.message.hasPrefix("the attribute \(attribute) ") == true, "\(error?.message ?? "")")
        for missing in 0..<4 {
            var headers = CloudEventTests.required
            let name = headers.remove(at: missing).name.lowercased().dropFirst(3)
            let expected = missing == 0 ? "not_a_cloudevent" : "bad_cloudevent"
            let error = fault(event(headers))
            #expect(error?.code == expected && error?.message.contains(name) == true)
        }
    }

    @Test(
        "structured mode has the data as JSON, as text by its type, or as Base64",
        arguments: [
            (#""data":{"a":[1]}"#, "application/json", #"{"a":[1]}"#),
            (#""data":"text""#, "application/json", "\"text\""),
            (#""data":"text","datacontenttype":"text/plain""#, "text/plain", "text"),
            (#""data":7,"datacontenttype":"text/plain""#, "text/plain", "7"),
            (#""data":"x","datacontenttype":"application/a+json""#, "application/a+json", "\"x\""),
            (#""data_base64":"aGk=","datacontenttype":"a/b""#, "a/b", "hi"), (#""data":null"#, nil, nil),
        ] as [(String, String?, String?)]
    )
    func readsStructured(_ members: String, _ type: String?, _ data: String?) throws {
        let body =
            #"{"specversion":"1.0","id":"1","source":"s","type":"t","n":7,"b":true,"gone":null,\#(members)}"#
        let read = try structured(body).cloudEvent()
        #expect(read.dataContentType == type && read.data?.text == data)
        #expect(read.extensions == ["n": "7", "b": "true"])
        let plain = Event(body: Bytes(body))
        #expect(try plain.cloudEvent() == read)
    }

    @Test(
        "a document that breaks a rule is refused by name",
        arguments: [
            ("bad_json", "{"), ("JSON object", "[]"), ("specversion", "{}"),
            ("id", #"{"specversion":"1.0","id":{},"source":"s","type":"t"}"#),
            (
                "data",
                #"{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":"aGk="}"#
            ),
            ("data_base64", #"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"?"}"#),
            ("Ext", #"{"specversion":"1.0","id":"1","source":"s","type":"t","Ext":"x"}"#),
            ("x", #"{"specversion":"1.0","id":"1","source":"s","type":"t","x":1.5}"#),
        ]
    )
    func refusesStructured(_ name: String, _ body: String) {
        let error = fault(structured(body))
        #expect(
            error?.status == 400 && error?.description.contains(name) == true,
            "\(error?.description ?? "")"
        )
    }

    @Test("a batch is several events; other formats are refused with 415")
    func readsBatches() throws {
        let one = #"{"specversion":"1.0","id":"1","source":"s","type":"t"}"#
        let type = "Application/CloudEvents-Batch+JSON; charset=UTF-8"
        #expect(try structured("[\(one),\(one)]", type).cloudEvents().count == 2)
        #expect(try structured("[]", type).cloudEvents().isEmpty)
        #expect(fault(structured(one, type))?.code == "bad_cloudevent")
        #expect(throws: FunctionError.self) { try structured("[\(one),\(one)]", type).cloudEvent() }
        for other in [
            "application/cloudevents+xml", "application/cloudevents", "application/cloudevents-batch+avro",
        ] {
            #expect(fault(structured(one, other))?.status == 415)
        }
    }

    @Test("what is sent is what is read, in both modes", arguments: 0..<200)
    func roundTrips(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        func word() -> String {
            let pieces = ["a", " ", "\"", "%", "é", "😀", "\\", "\n", "/", "0"]
            return (0..<Int.random(in: 1...6, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            .joined()
        }
        func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? {
            Bool.random(using: &random) ? value() : nil
        }
        let types = ["application/json", "text/plain", "image/png"]
        let data: [Bytes] = ["{\"a\":1}", "\"text\"", "hi", Bytes([0, 255]), "null"]
        let sent = CloudEvent(
            id: word(),
            source: word(),
            type: word(),
            subject: maybe(word()),
            time: maybe(
                Instant(nanoseconds: Int64.random(in: 0...2_000_000_000_000_000_000, using: &random))
            ),
            dataSchema: maybe(word()),
            dataContentType: types.randomElement(using: &random),
            extensions: ["ext1": word()],
            data: data.randomElement(using: &random)
        )
        for structured in [false, true] {
            let reply = Reply.cloudEvent(sent, structured: structured)
            #expect(reply.headers.allSatisfy { $0.value.utf8.allSatisfy { $0 >= 32 && $0 < 127 } })
            #expect(try event(reply.headers, reply.body).cloudEvent() == sent)
        }
    }

    @Test("any bytes are an event or a refusal, never worse", arguments: 0..<200)
    func hostile(_ seed: Int) {
        var random = SeededRandom(UInt64(seed))
        var body = Array(#"{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"aGk="}"#.utf8)
        for _ in 0..<3 {
            body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? structured(String(decoding: body, as: UTF8.self)).cloudEvent()
        let value = String(decoding: body.prefix(12), as: UTF8.self)
        _ = try? event(CloudEventTests.required + [Header("ce-x", value)]).cloudEvent()
    }
}
