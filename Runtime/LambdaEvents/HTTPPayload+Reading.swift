import FunctionCore

extension HTTPPayload {
    /// Reads a request.
    ///
    /// The target is the path and query as they were sent; a stage's name in front of the path is taken off,
    /// as a route does not know it. Fields of one name stay one field, joined; cookies are a field again. HEAD
    /// becomes GET, as at our own gateway.
    static func read(_ object: JSONObject) throws(FunctionError) -> LambdaInput {
        let context = object["requestContext"] ?? .null
        guard let http = context["http"], let method = http["method"]?.stringValue, isToken(method) else {
            throw broken("requestContext.http.method", "must be a method such as \"GET\"")
        }
        guard let path = object["rawPath"]?.stringValue, path.utf8.first == 47 else {
            throw broken("rawPath", "must be a path that begins with /")
        }
        let query = try optionalText(object["rawQueryString"], "rawQueryString") ?? ""
        let stageless = withoutStage(path, context["stage"]?.stringValue)
        let headers = try headers(of: object)
        let request = HTTPRequest(
            method: method == "HEAD" ? "GET" : method,
            target: query.isEmpty ? stageless : "\(stageless)?\(query)",
            parameters: try texts(object["pathParameters"], "pathParameters"),
            headers: headers,
            clientAddress: http["sourceIp"]?.stringValue ?? "",
            scheme: headers.first("x-forwarded-proto") ?? "https"
        )
        var input = LambdaInput(
            Event(kind: .http, request: request, body: try body(of: object)),
            .http,
            principal: principal(context["authorizer"]),
            route: object["routeKey"]?.stringValue.flatMap { $0 == anyRoute ? nil : $0 }
        )
        input.isFunctionURL = context["domainName"]?.stringValue?.contains(".lambda-url.") ?? false
        return input
    }

    private static func headers(of object: JSONObject) throws(FunctionError) -> [Header] {
        let cookies = try optionalTexts(object["cookies"], "cookies")
        var headers: [Header] = []
        guard let fields = object["headers"], !fields.isNull else {
            return cookies.isEmpty ? [] : [cookieField(cookies)]
        }
        guard case .object(let fields) = fields else { throw broken("headers", "must be an object") }
        for (name, value) in fields {
            guard isToken(name), let text = value.stringValue, isFieldValue(text) else {
                throw broken("headers.\(name)", "must be a field's name with a text without line ends")
            }
            // Where cookies are told apart, the field would say them again.
            if !cookies.isEmpty, sameName(name, "cookie") { continue }
            headers.append(Header(name.lowercased(), text))
        }
        if !cookies.isEmpty { headers.append(cookieField(cookies)) }
        return headers
    }

    private static func cookieField(_ cookies: [String]) -> Header {
        Header("cookie", cookies.joined(separator: "; "))
    }

    private static func body(of object: JSONObject) throws(FunctionError) -> Bytes {
        let isBase64: Bool
        switch object["isBase64Encoded"] {
        case nil, .null?: isBase64 = false
        case .bool(let flag)?: isBase64 = flag
        default: throw broken("isBase64Encoded", "must be true or false")
        }
        guard let text = try optionalText(object["body"], "body") else { return Bytes() }
        guard isBase64 else { return Bytes(text) }
        guard let bytes = Bytes(base64: text) else {
            throw broken("body", "must be Base64, as isBase64Encoded says")
        }
        return bytes
    }

    private static func withoutStage(_ path: String, _ stage: String?) -> String {
        guard let stage, stage != anyRoute, !stage.isEmpty else { return path }
        let prefix = "/" + stage
        if path == prefix { return "/" }
        return path.hasPrefix(prefix + "/") ? String(path.dropFirst(prefix.count)) : path
    }

    /// Who the authorizer let in: a token's subject, a user of IAM, or what a Lambda authorizer calls one.
    private static func principal(_ authorizer: JSON?) -> String? {
        authorizer?["jwt"]?["claims"]?["sub"]?.stringValue ?? authorizer?["iam"]?["userArn"]?.stringValue
            ?? authorizer?["lambda"]?["principalId"]?.stringValue
    }

    private static func optionalText(_ json: JSON?, _ name: String) throws(FunctionError) -> String? {
        guard let json, !json.isNull else { return nil }
        guard let text = json.stringValue else { throw broken(name, "must be a string") }
        return text
    }

    private static func optionalTexts(_ json: JSON?, _ name: String) throws(FunctionError) -> [String] {
        guard let json, !json.isNull else { return [] }
        guard let list = json.arrayValue else { throw broken(name, "must be a list of strings") }
        var texts: [String] = []
        for item in list {
            guard let text = item.stringValue, isFieldValue(text) else {
                throw broken(name, "must be a list of strings without line ends")
            }
            texts.append(text)
        }
        return texts
    }

    private static func texts(_ json: JSON?, _ name: String) throws(FunctionError) -> [String: String] {
        guard let json, !json.isNull else { return [:] }
        guard case .object(let object) = json else { throw broken(name, "must be an object") }
        var texts: [String: String] = [:]
        for (key, value) in object {
            guard let text = value.stringValue else { throw broken("\(name).\(key)", "must be a string") }
            texts[key] = text
        }
        return texts
    }

    private static func broken(_ member: String, _ rule: String) -> FunctionError {
        .badRequest("bad_http_event", "\(member) of the event \(rule) (payload format 2.0)")
    }
}

/// Whether a text can stand in a header field: no line ends, no NUL.
package func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 != 0 && $0 != 10 && $0 != 13 }
}
