import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTPPayloadTests {
    /// A Function URL's request, with members put in place of others.
    private func payload(_ changes: JSONObject = [:], context: JSONObject = [:]) -> Bytes {
        var about: JSONObject = [
            "accountId": "anonymous", "apiId": "abc", "domainName": "abc.lambda-url.us-east-1.on.aws",
            "http": [
                "method": "POST", "path": "/p", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7",
                "userAgent": "a",
            ],
            "requestId": "r", "routeKey": "$default", "stage": "$default", "timeEpoch": 1_584_039_838_000,
        ]
        for (name, value) in context { about[name] = value }
        var object: JSONObject = [
            "version": "2.0", "routeKey": "$default", "rawPath": "/pa2%Fth/1",
            "rawQueryString": "a=foo&a=%2Fbar",
            "cookies": ["s=1", "t=2; x"], "headers": ["x-many": "a,b", "cookie": "s=1"],
            "queryStringParameters": ["a": "foo,/bar"], "pathParameters": nil, "stageVariables": nil,
            "requestContext": .object(about), "body": "{\"n\":1}", "isBase64Encoded": false,
        ]
        for (name, value) in changes { object[name] = value }
        return JSON.object(object).bytes()
    }

    @Test("a Function URL's request is the request that our own gateway would have made")
    func readsRequests() throws {
        let input = try LambdaInput(payload())
        let request = try #require(input.event.request)
        #expect(input.shape == .http && input.event.kind == .http && input.route == nil)
        #expect(request.method == "POST" && request.scheme == "https" && request.clientAddress == "192.0.2.7")
        #expect(request.target == "/pa2%Fth/1?a=foo&a=%2Fbar")
        #expect(request.query == ["a": "/bar"])
        #expect(request.headers == [Header("x-many", "a,b"), Header("cookie", "s=1; t=2; x")])
        #expect(input.event.body == "{\"n\":1}")
        #expect(input.principal == nil)
    }

    @Test("a route's parameters, a stage in front of the path, HEAD and each authorizer are understood")
    func readsContext() throws {
        let context: JSONObject = [
            "stage": "dev", "http": ["method": "HEAD", "path": "/dev/p"],
            "authorizer": ["jwt": ["claims": ["sub": "ada"], "scopes": nil]],
        ]
        let changes: JSONObject = [
            "rawPath": "/dev/p/7", "rawQueryString": "", "routeKey": "GET /p/{x}",
            "pathParameters": ["x": "7"],
            "headers": ["x-forwarded-proto": "http"], "cookies": nil,
        ]
        let input = try LambdaInput(payload(changes, context: context))
        #expect(input.event.request?.target == "/p/7" && input.event.request?.method == "GET")
        #expect(input.event.request?.parameters == ["x": "7"] && input.event.request?.scheme == "http")
        #expect(input.route == "GET /p/{x}" && input.principal == "ada")
        let iam = try LambdaInput(
            payload(context: ["authorizer": ["iam": ["userArn": "arn:aws:iam::1:user/b"]]])
        )
        #expect(iam.principal == "arn:aws:iam::1:user/b")
        let other = try LambdaInput(payload(["rawPath": "/device/p"], context: ["stage": "dev"]))
        #expect(other.event.request?.path == "/device/p")
    }

    @Test("a body comes as text or as Base64, or not at all")
    func readsBodies() throws {
        #expect(
            try LambdaInput(payload(["body": "AP8=", "isBase64Encoded": true])).event.body.array == [0, 255]
        )
        #expect(try LambdaInput(payload(["body": nil, "isBase64Encoded": nil])).event.body.isEmpty)
    }

    @Test(
        "a request that breaks the format is refused with the member's name",
        arguments: [
            ("rawPath", ["rawPath": "p"]), ("rawPath", ["rawPath": nil]),
            ("rawQueryString", ["rawQueryString": 1]),
            ("headers", ["headers": []]), ("headers.x", ["headers": ["x": "a\r\nb: c"]]),
            ("headers.x y", ["headers": ["x y": "a"]]), ("headers.x", ["headers": ["x": ["a"]]]),
            ("cookies", ["cookies": ["a\nb"]]), ("cookies", ["cookies": "a=b"]), ("body", ["body": ["a": 1]]),
            ("body", ["body": "AP8", "isBase64Encoded": true]),
            ("isBase64Encoded", ["isBase64Encoded": "no"]),
            ("pathParameters.x", ["pathParameters": ["x": 1]]), ("pathParameters", ["pathParameters": "x"]),
            ("requestContext.http.method", ["requestContext": ["http": ["method": "GET /x"]]]),
            ("requestContext.http.method", ["requestContext": ["http": [:]]]),
        ] as [(String, JSONObject)]
    )
    func refusesBrokenRequests(_ member: String, _ changes: JSONObject) {
        let error = #expect(throws: FunctionError.self) { try LambdaInput(payload(changes)) }
        #expect(error?.status == 400 && error?.code == "bad_http_event")
        #expect(error?.message.hasPrefix("\(member) of the event ") == true, "\(error?.message ?? "")")
    }

    @Test(
        "a request of payload format 1.0 is refused with the remedy, what is no event of AWS stays as it is"
    )
    func tellsShapes() throws {
        let old: Bytes = #"{"version":"1.0","httpMethod":"GET","path":"/","requestContext":{"stage":"x"}}"#
        let error = #expect(throws: FunctionError.self) { try LambdaInput(old) }
        #expect(error?.code == "payload_version" && error?.message.contains("PayloadFormatVersion") == true)
        let deep = Bytes(String(repeating: "[", count: 100_000))
        for body: Bytes in ["", "{", "[1]", "null", "{\"version\":\"2.0\"}", #"{"Records":[]}"#, deep] {
            let input = try LambdaInput(body)
            #expect(input.shape == .plain && input.event.kind == .plain && input.event.body == body)
        }
        let s3: Bytes = #"{"Records":[{"eventSource":"aws:s3","s3":{}}]}"#
        #expect(try LambdaInput(s3).event.body == s3)
    }

    @Test("an event of our gateway is written as API Gateway writes it")
    func writesRequests() throws {
        let request = HTTPRequest(
            method: "GET",
            target: "/pa%2Fth/7?a=foo&a=%2Fbar&b",
            parameters: ["x": "7"],
            headers: [
                Header("Host", "api.example.org:8080"), Header("X-Many", "a"), Header("x-many", "b"),
                Header("Cookie", "s=1;  t=2"), Header("User-Agent", "test"),
            ],
            clientAddress: "192.0.2.1"
        )
        let bytes = try LambdaInput.document(
            for: Event(kind: .http, request: request),
            id: "id",
            now: Instant(nanoseconds: 1_584_039_838_123_000_000),
            route: "/{name}/{x*}",
            principal: "ada"
        )
        let json = try JSON.parse(bytes)
        let expected: JSON = [
            "version": "2.0", "routeKey": "GET /{name}/{x+}", "rawPath": "/pa%2Fth/7",
            "rawQueryString": "a=foo&a=%2Fbar&b", "cookies": ["s=1", "t=2"],
            "headers": ["host": "api.example.org:8080", "x-many": "a,b", "user-agent": "test"],
            "queryStringParameters": ["a": "foo,/bar", "b": ""],
            "requestContext": [
                "accountId": "123456789012", "apiId": "api", "authorizer": ["lambda": ["principalId": "ada"]],
                "domainName": "api.example.org", "domainPrefix": "api",
                "http": [
                    "method": "GET", "path": "/pa%2Fth/7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                    "userAgent": "test",
                ],
                "requestId": "id", "routeKey": "GET /{name}/{x+}", "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1_584_039_838_123,
            ],
            "pathParameters": ["x": "7"], "isBase64Encoded": false,
        ]
        #expect(json == expected, "\(json)")
    }

    @Test(
        "a body is text where its type says so and it is UTF-8, else Base64",
        arguments: [
            ("application/json; charset=utf-8", [123, 125], false), ("text/csv", [44], false),
            ("application/problem+json", [123, 125], false), ("multipart/form-data; boundary=x", [45], true),
            ("application/x-www-form-urlencoded", [97], true), ("text/plain", [255], true),
            (nil, [97], false),
        ] as [(String?, [UInt8], Bool)]
    )
    func writesBodies(_ type: String?, _ body: [UInt8], _ isBase64: Bool) throws {
        let headers = type.map { [Header("Content-Type", $0)] } ?? []
        let event = Event(
            kind: .http,
            request: HTTPRequest(method: "POST", target: "/", headers: headers),
            body: Bytes(body)
        )
        let json = try JSON.parse(LambdaInput.document(for: event, id: "", now: Instant(seconds: 0)))
        #expect(json["isBase64Encoded"] == .bool(isBase64))
        #expect(json["body"]?.stringValue == (isBase64 ? Bytes(body).base64 : Bytes(body).text))
        #expect(json["routeKey"] == "$default")
    }
}
