import FunctionCore
import Testing

@testable import HTTPTrigger

/// What a parser made of some bytes, in words: requests one a line, and the fault at the end if there was
/// one.
struct Reading: Equatable, CustomStringConvertible {
    var lines: [String] = []
    /// Bytes that were not consumed.
    var rest: [UInt8] = []

    static let limits = RequestParser.Limits(target: 100, headers: 400, fields: 10)

    /// Gives the bytes to a parser in pieces that end at `cuts`, the way a connection does.
    init(_ bytes: [UInt8], cuts: [Int] = []) {
        var parser = RequestParser(limits: Reading.limits)
        var body: [UInt8] = []
        var start = 0
        for cut in cuts + [bytes.count] {
            rest += bytes[start..<cut]
            start = cut
            parts: while true {
                var consumed = 0
                let part = parser.next(rest.span, consumed: &consumed)
                switch part {
                case .head(let head): lines.append(Reading.describe(head))
                case .body(let range): body += rest[range]
                case .end:
                    lines.append("body \(body.count) \(String(decoding: body.prefix(40), as: UTF8.self))")
                    body = []
                case .incomplete: break
                case .fault(let fault):
                    lines.append("fault \(fault)")
                    rest = []
                    return
                }
                rest.removeFirst(consumed)
                if case .incomplete = part { break parts }
            }
        }
    }

    init(_ text: String, cuts: [Int] = []) {
        self.init(Array(text.utf8), cuts: cuts)
    }

    var description: String { lines.joined(separator: " | ") }

    var fault: String? { lines.last.flatMap { $0.hasPrefix("fault ") ? String($0.dropFirst(6)) : nil } }

    private static func describe(_ head: RequestHead) -> String {
        let fields = head.headers.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let marks = [
            head.isOld ? "old" : nil, head.keepsAlive ? nil : "closes", head.asksUpgrade ? "upgrade" : nil,
            head.expectsContinue ? "continue" : nil, head.unknownExpectation ? "miracle" : nil,
        ]
        return ([head.method.text, head.target, "[\(fields)]"] + marks.compactMap { $0 }).joined(
            separator: " "
        )
    }
}

@Suite("Request parser", .timeLimit(.minutes(1)))
struct RequestParserTests {
    @Test(
        "what the RFC allows is read",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / [Host=h] | body 0 "),
            ("GET / HTTP/1.1\r\nhOsT:h\r\n\r\n", "GET / [hOsT=h] | body 0 "),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / [Host=] | body 0 "),
            ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / [Host=[::1]:80] | body 0 "),
            ("GET / HTTP/1.7\r\nHost: h\r\n\r\n", "GET / [Host=h] | body 0 "),
            ("GET / HTTP/1.0\r\n\r\n", "GET / [] old closes | body 0 "),
            (
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "GET / [Connection=keep-alive] old | body 0 "
            ),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
                "GET / [Host=h,Connection=x, Close] closes | body 0 "
            ),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
                "GET / [Host=h,Upgrade=websocket,Connection=keep-alive, Upgrade] upgrade | body 0 "
            ),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
                "GET / [Host=h,Upgrade=websocket] | body 0 "
            ),
            ("FETCH /a?b=%20|{} HTTP/1.1\r\nHost: h\r\n\r\n", "FETCH /a?b=%20|{} [Host=h] | body 0 "),
            ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * [Host=h] | body 0 "),
            ("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", "CONNECT h:80 [Host=h:80] | body 0 "),
            ("GET http://a:8/b?c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /b?c [Host=a:8] | body 0 "),
            ("GET HTTPS://a HTTP/1.1\r\nHost: h\r\n\r\n", "GET / [Host=a] | body 0 "),
            ("GET http://a?q HTTP/1.1\r\nHost: h\r\n\r\n", "GET /?q [Host=a] | body 0 "),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / [Host=h] | body 0 "),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nX:\t a\tb \t\r\nY: é\r\n\r\n",
                "GET / [Host=h,X=a\tb,Y=é] | body 0 "
            ),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc",
                "POST / [Host=h,Expect=100-Continue,Content-Length=3] continue | body 3 abc"
            ),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0002\r\n\r\nabGET / HTTP/1.1\r\nHost: h\r\n\r\n",
                "POST / [Host=h,Content-Length=0002] | body 2 ab | GET / [Host=h] | body 0 "
            ),
            (
                chunked + "4\r\nwiki\r\n0005;a=\"b;c\"\r\npedia\r\n0\r\nX-Sum: 1\r\n\r\n",
                "POST / [Host=h,Transfer-Encoding=chunked] | body 9 wikipedia"
            ),
            (
                chunked + "A ;x\r\n0123456789\r\n0;last\r\n\r\n",
                "POST / [Host=h,Transfer-Encoding=chunked] | body 10 0123456789"
            ),
        ]
    )
    func reads(text: String, expected: String) {
        #expect("\(Reading(text))" == expected)
    }

    @Test("what is not a request, or could be taken for two, is a fault", arguments: hostile)
    func refuses(text: String, fault: String) {
        // Whole, as a connection gives it, with another request behind that must not be seen.
        let reading = Reading(text + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(reading.fault == fault, "\(reading)")
        #expect(!reading.lines.contains { $0.contains("/smuggled") })
    }

    @Test("a limit is a limit: what just fits is read, a byte or field more is not")
    func limits() {
        let limits = Reading.limits
        func target(_ length: Int) -> String {
            "GET /\(String(repeating: "a", count: length - 1)) HTTP/1.1\r\nHost: h\r\n\r\n"
        }
        #expect(Reading(target(limits.target)).fault == nil)
        #expect(Reading(target(limits.target + 1)).fault == "targetTooLong")
        func field(_ length: Int) -> String {
            let filler = String(repeating: "a", count: length - "Host: hX: ".utf8.count)
            return "GET / HTTP/1.1\r\nHost: h\r\nX: \(filler)\r\n\r\n"
        }
        #expect(Reading(field(limits.headers)).fault == nil)
        #expect(Reading(field(limits.headers + 1)).fault == "headersTooLarge")
        func fields(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X: a\r\n", count: count - 1) + "\r\n"
        }
        #expect(Reading(fields(limits.fields)).fault == nil)
        #expect(Reading(fields(limits.fields + 1)).fault == "headersTooLarge")
        let trailer = Reading(Self.chunked + "0\r\nX: " + String(repeating: "a", count: 400) + "\r\n\r\n")
        #expect(trailer.fault == "headersTooLarge")
    }

    @Test("what does not end is refused at its limit, not waited for")
    func endless() {
        let long = String(repeating: "a", count: 1000)
        #expect(Reading("GET /\(long)").fault == "targetTooLong")
        #expect(Reading(long).fault == "malformed")
        #expect(Reading("GET / HTTP/1.1\r\n\(long)").fault == "headersTooLarge")
        #expect(Reading(Self.chunked + "1;\(long)").fault == "malformed")
        let extensions = String(repeating: "1;\(String(repeating: "x", count: 99))\r\na\r\n", count: 5)
        #expect(Reading(Self.chunked + extensions).fault == "malformed")
    }

    static let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static func fields(_ text: String) -> String { "GET / HTTP/1.1\r\nHost: h\r\n\(text)\r\n\r\n" }
    private static func codings(_ text: String) -> String {
        fields("Transfer-Encoding: \(text)") + "0\r\n\r\n"
    }

    static let hostile: [(String, String)] =
        [
            // The request line.
            "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
            " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
            "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", "GET / a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /\r\n\r\n", "GET\r\n\r\n", "G=T / HTTP/1.1\r\n\r\n", "GET / http/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\rHost: h\r\r",
            "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
            "GET / HTTP/11\r\nHost: h\r\n\r\n", "GET / HTTP/1,1\r\nHost: h\r\n\r\n",
            "GET /\u{0} HTTP/1.1\r\nHost: h\r\n\r\n", "GET /é HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /#top HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\u{7F} HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT /a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", "GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
            "\r\n\r\n\r\n\r\n\r\n", "\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GETGETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            // Fields.
            "GET / HTTP/1.1\r\n Host: h\r\n\r\n", fields("X : a"), fields("X\t: a"), fields(": a"),
            fields("X"), fields("X-Folded: a\r\n b"), fields("X-Folded: a\r\n\tb"), fields("X\u{0}Y: a"),
            fields("X: a\u{0}b"), fields("X: a\rb"), fields("X: a\nb"), fields("X: \u{1B}[2J"),
            fields("X[]: a"),
            fields("Xé: a"), fields("\"X\": a"), fields("X: a\r\r\n"), "GET / HTTP/1.1\r\nHost: h\r\n\n",
            // Lengths and codings.
            fields("Content-Length: 3\r\nTransfer-Encoding: chunked"),
            fields("Transfer-Encoding: chunked\r\nContent-Length: 3"),
            fields("Content-Length: 3\r\nContent-Length: 4"),
            fields("Content-Length: 3\r\nContent-Length: 3"),
            fields("Content-Length: 3, 3"), fields("Content-Length: -3"), fields("Content-Length: +3"),
            fields("Content-Length: 0x3"), fields("Content-Length: 3 3"), fields("Content-Length:"),
            fields("Content-Length: 3;"), fields("Content-Length: 9999999999999999999"),
            fields("Content-Length: 18446744073709551619"), codings("gzip"), codings("identity"),
            codings("chunked, gzip"), codings("chunked, chunked"), codings("xchunked"),
            codings("chunked;q=1"),
            codings(""), codings(", chunked"), codings("chunked,"), codings("\"chunked\""),
            codings("chun ked"),
            codings("chunked\r\nTransfer-Encoding: chunked"),
            codings("chunked\r\nTransfer-Encoding: identity"),
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            // Chunks.
            chunked + "\r\n", chunked + "g\r\n", chunked + "-1\r\n", chunked + "+1\r\n", chunked + "0x1\r\n",
            chunked + " 1\r\n", chunked + "1 \r\na\r\n", chunked + "1\t\r\na\r\n", chunked + "1\na\n",
            chunked + "1\ra", chunked + "1;a\nb\r\n", chunked + "1;\u{0}\r\n", chunked + "1 a\r\n",
            chunked + "1,\r\n", chunked + "fffffffffffffffff\r\n", chunked + "8000000000000000\r\n",
            chunked + "1\r\nab\r\n", chunked + "1\r\na\n", chunked + "1\r\na\r0", chunked + "1\r\na0\r\n",
            chunked + "0\r\nX : a\r\n\r\n", chunked + "0\r\nX\r\n\r\n", chunked + "0\r\n\n",
            chunked + "0\n\n",
            chunked + "0\r\n X: a\r\n\r\n",
        ].map { ($0, "malformed") }
        + [
            "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "GET / HTTP/1.1\r\nHost: é\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n",
        ].map { ($0, "host") }
        + ["GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"].map {
            (($0, "version"))
        }
        + [
            codings("gzip, chunked"), codings("gzip\r\nTransfer-Encoding: chunked"),
            codings("br,gzip,chunked"),
        ].map { ($0, "coding") }
}
