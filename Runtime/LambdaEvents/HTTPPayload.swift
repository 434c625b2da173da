import FunctionCore

/// Requests in payload format 2.0, as HTTP APIs of API Gateway and Function URLs send them.
package struct HTTPPayload: Sendable {
    /// The request's id.
    var id: String
    /// When it came.
    var now: Instant
    /// The pattern that matched; without one the request looks like a Function URL's.
    var route: String?
    var principal: String?
    var place: LambdaPlace

    /// The name of the route that takes all, and of the stage that is not in paths.
    static let anyRoute = "$default"

    /// The document of a request.
    func document(_ request: HTTPRequest, _ body: Bytes) -> JSON {
        let target = request.target.utf8
        let end = target.firstIndex(of: 63) ?? target.endIndex
        let path = String(request.target[..<end])
        let route =
            route.map { "\(request.method) \(HTTPPayload.gatewayPattern($0))" } ?? HTTPPayload.anyRoute
        let rawQuery = end == target.endIndex ? "" : String(request.target[target.index(after: end)...])
        var document: JSONObject = [
            "version": "2.0", "routeKey": .string(route), "rawPath": .string(path),
            "rawQueryString": .string(rawQuery),
        ]
        let (headers, cookies) = HTTPPayload.fields(request.headers)
        if !cookies.isEmpty { document["cookies"] = .array(cookies.map { .string($0) }) }
        document["headers"] = .object(headers)
        let query = HTTPPayload.joined(HTTPPayload.queryPairs(rawQuery))
        if !query.isEmpty { document["queryStringParameters"] = .object(query) }
        document["requestContext"] = context(request, path, route, headers)
        if !request.parameters.isEmpty {
            let sorted = request.parameters.sorted { $0.key < $1.key }
            document["pathParameters"] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
        }
        let (text, isBase64) = HTTPPayload.text(of: body, type: request.headers.first("content-type"))
        if !body.isEmpty { document["body"] = .string(text) }
        document["isBase64Encoded"] = .bool(isBase64)
        return .object(document)
    }

    private func context(
        _ request: HTTPRequest,
        _ path: String,
        _ route: String,
        _ headers: JSONObject
    ) -> JSON {
        let host = headers["host"]?.stringValue ?? "localhost"
        let name = String(host.prefix { $0 != ":" })
        var context: JSONObject = [
            "accountId": .string(place.account),
            "apiId": .string(String(name.prefix { $0 != "." })),
        ]
        if let principal { context["authorizer"] = ["lambda": ["principalId": .string(principal)]] }
        context["domainName"] = .string(name)
        context["domainPrefix"] = .string(String(name.prefix { $0 != "." }))
        context["http"] = [
            "method": .string(request.method), "path": .string(path), "protocol": "HTTP/1.1",
            "sourceIp": .string(request.clientAddress), "userAgent": headers["user-agent"] ?? "",
        ]
        context["requestId"] = .string(id)
        context["routeKey"] = .string(route)
        context["stage"] = .string(HTTPPayload.anyRoute)
        context["time"] = .string(HTTPPayload.commonLogTime(now))
        context["timeEpoch"] = .integer(now.nanoseconds / 1_000_000)
        return .object(context)
    }

    /// `{name*}` is `{name+}` in API Gateway.
    private static func gatewayPattern(_ pattern: String) -> String {
        pattern.hasSuffix("*}") ? pattern.dropLast(2) + "+}" : pattern
    }

    /// Fields in lower case, those of one name joined, and the cookies apart.
    static func fields(_ headers: [Header]) -> (fields: JSONObject, cookies: [String]) {
        var pairs: [(String, String)] = []
        var cookies: [String] = []
        for header in headers {
            let name = header.name.lowercased()
            if name == "cookie" {
                cookies += header.value.split(separator: ";").map { trimmed($0) }.filter { !$0.isEmpty }
            } else {
                pairs.append((name, header.value))
            }
        }
        return (joined(pairs), cookies)
    }

    /// An object in which the values of one name are joined by commas, in the order in which they came.
    static func joined(_ pairs: [(String, String)]) -> JSONObject {
        var joined = JSONObject()
        for (name, value) in pairs {
            let before = joined[name]?.stringValue.map { $0 + "," } ?? ""
            joined[name] = .string(before + value)
        }
        return joined
    }

    private static func queryPairs(_ raw: String) -> [(String, String)] {
        raw.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? percentDecoded(parts[1], plusIsSpace: true) : ""
            return (percentDecoded(parts[0], plusIsSpace: true), value)
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }

    /// A body as a JSON string can hold it, and whether that is Base64.
    ///
    /// As at a Function URL: text only where the type says so, or nothing says otherwise, and it is UTF-8.
    static func text(of body: Bytes, type: String?) -> (text: String, isBase64: Bool) {
        if type.map(isTextual) ?? true, let text = String(validating: body.array, as: UTF8.self) {
            return (text, false)
        }
        return (body.base64, true)
    }

    private static func isTextual(_ type: String) -> Bool {
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml")
            || ["application/json", "application/xml", "application/javascript"].contains(essence)
    }

    /// `12/Mar/2020:19:03:58 +0000`.
    static func commonLogTime(_ instant: Instant) -> String {
        let text = instant.rfc3339
        let parts = text.prefix(10).split(separator: "-")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(Int(parts[1]) ?? 1) - 1]
        return "\(parts[2])/\(month)/\(parts[0]):\(text.dropFirst(11).prefix(8)) +0000"
    }
}
