import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTPReplyTests {
    @Test(
        "an answer without a status is the body of a 200, a string without its quotes",
        arguments: [
            ("\"hello\"", "hello"), ("{ \"a\" : [1, 2.5] }", #"{"a":[1,2.5]}"#), ("[ 1,\n2 ]", "[1,2]"),
            ("7", "7"),
            ("true", "true"), ("null", "null"), ("", ""), (#"{"body":"x"}"#, #"{"body":"x"}"#),
        ]
    )
    func infers(_ answer: String, _ body: String) throws {
        let reply = try HTTPPayloadReply.read(Bytes(answer))
        #expect(reply.status == 200 && reply.body.text == body)
        #expect(reply.headers == [.json])
    }

    @Test("an answer with a status says status, fields, cookies and body itself")
    func readsReplies() throws {
        let answer: JSON = [
            "statusCode": 201, "headers": ["X-A": "1", "x-n": 2, "x-b": true, "x-none": nil],
            "cookies": ["a=1; Secure", "b=2"], "body": "aGk=", "isBase64Encoded": true,
        ]
        let reply = try HTTPPayloadReply.read(answer.bytes())
        #expect(reply.status == 201 && reply.body == "hi")
        let expected = [
            Header.json, Header("x-a", "1"), Header("x-n", "2"), Header("x-b", "true"),
            Header("set-cookie", "a=1; Secure"), Header("set-cookie", "b=2"),
        ]
        #expect(reply.headers == expected)
        #expect(try HTTPPayloadReply.read(#"{"statusCode":"404"}"#).status == 404)
        let typed = try HTTPPayloadReply.read(#"{"statusCode":200,"headers":{"Content-Type":"text/html"}}"#)
        #expect(typed.headers == [Header("content-type", "text/html")])
    }

    @Test(
        "an answer that breaks the form is a 502 that names the member",
        arguments: [
            ("JSON", "{"), ("statusCode", #"{"statusCode":"x"}"#), ("statusCode", #"{"statusCode":99}"#),
            ("statusCode", #"{"statusCode":null}"#), ("statusCode", #"{"statusCode":600}"#),
            ("statusCode", #"{"statusCode":100}"#), ("body", #"{"statusCode":200,"body":{}}"#),
            ("body", #"{"statusCode":200,"body":"?","isBase64Encoded":true}"#),
            ("headers", #"{"statusCode":200,"headers":[]}"#),
            ("headers.x", #"{"statusCode":200,"headers":{"x":[]}}"#),
            ("headers.x", #"{"statusCode":200,"headers":{"x":"a\r\nset-cookie: b"}}"#),
            ("headers.x:", #"{"statusCode":200,"headers":{"x:":"a"}}"#),
            ("cookies", #"{"statusCode":200,"cookies":"a=b"}"#),
            ("cookies", #"{"statusCode":200,"cookies":["a\n"]}"#),
        ]
    )
    func refusesBrokenReplies(_ member: String, _ answer: String) {
        let error = #expect(throws: FunctionError.self) { try HTTPPayloadReply.read(Bytes(answer)) }
        #expect(error?.status == 502 && error?.code == "bad_lambda_reply")
        #expect(error?.message.contains(member) == true, "\(error?.message ?? "")")
    }

    @Test("a reply is written with its cookies apart, its fields joined and bytes as Base64")
    func writesReplies() {
        let reply = Reply(
            status: 207,
            headers: [Header("Vary", "a"), Header("Set-Cookie", "x=1"), Header("vary", "b")],
            body: Bytes([0xC3])
        )
        let expected: JSON = [
            "statusCode": 207, "headers": ["vary": "a,b"], "body": "ww==", "isBase64Encoded": true,
            "cookies": ["x=1"],
        ]
        #expect(HTTPPayloadReply.document(reply) == expected)
    }

    @Test("a streamed head is found wherever its pieces are cut")
    func readsPreludes() throws {
        let headers = [Header("content-type", "text/plain"), Header("set-cookie", "a=1"), Header("x-a", "b")]
        let whole = StreamPrelude.bytes(status: 202, headers: headers).array + Array("body".utf8) + [0, 0]
        for cut in 0...whole.count {
            var reader = StreamPrelude.Reader()
            let first = try reader.take(Bytes(Array(whole[..<cut])))
            let head = try #require(try first ?? reader.take(Bytes(Array(whole[cut...]))))
            #expect(head.status == 202 && Set(head.headers) == Set(headers))
            let rest = head.rest.array + (first == nil ? [] : Array(whole[cut...]))
            #expect(rest == Array("body".utf8) + [0, 0])
        }
    }

    @Test("several values of a field come by their own member, and a broken or endless head is refused")
    func refusesBrokenPreludes() throws {
        let nul = String(repeating: "\0", count: 8)
        var reader = StreamPrelude.Reader()
        let head = try reader.take(Bytes(#"{"multiValueHeaders":{"x":["a","b"]}}"# + nul))
        let expected = [
            Header("content-type", "application/octet-stream"), Header("x", "a"), Header("x", "b"),
        ]
        #expect(head?.status == 200 && head?.headers == expected)
        for broken in ["[]" + nul, nul, "{\"statusCode\":0}" + nul, String(repeating: "a", count: 65_537)] {
            var reader = StreamPrelude.Reader()
            let error = #expect(throws: FunctionError.self) { try reader.take(Bytes(broken)) }
            #expect(error?.code == "bad_lambda_reply")
        }
    }
}
