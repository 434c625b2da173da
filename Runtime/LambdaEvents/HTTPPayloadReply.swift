import FunctionCore

/// Replies in payload format 2.0, both ways.
package enum HTTPPayloadReply {
    /// The document that a runtime answers a request with.
    ///
    /// Fields of one name are joined by commas, each `set-cookie` is a cookie, and a body that is no UTF-8 is
    /// Base64.
    package static func document(_ reply: Reply) -> JSON {
        var cookies: [JSON] = []
        var fields: [(String, String)] = []
        for header in reply.headers {
            if sameName(header.name, "set-cookie") {
                cookies.append(.string(header.value))
            } else {
                fields.append((header.name.lowercased(), header.value))
            }
        }
        let text = String(validating: reply.body.array, as: UTF8.self)
        var document: JSONObject = [
            "statusCode": .integer(Int64(reply.status)), "headers": .object(HTTPPayload.joined(fields)),
            "body": .string(text ?? reply.body.base64), "isBase64Encoded": .bool(text == nil),
        ]
        if !cookies.isEmpty { document["cookies"] = .array(cookies) }
        return .object(document)
    }

    /// The reply that a function's answer to a request means.
    ///
    /// An object with `statusCode` says all of it. Any other JSON is the body of a 200, a string without its
    /// quotes, the rest written compactly. A missing content type is JSON, in both cases.
    /// - Throws: `FunctionError` 502 `bad_lambda_reply` for what is no JSON or breaks the form, naming the member.
    package static func read(_ body: Bytes) throws(FunctionError) -> Reply {
        if body.isEmpty { return Reply(headers: [.json]) }
        let json: JSON
        do {
            json = try JSON.parse(body)
        } catch {
            throw broken("the answer is not JSON: \(error)")
        }
        guard case .object(let object) = json, let code = object["statusCode"] else {
            let text = json.stringValue.map { Bytes($0) } ?? json.bytes()
            return Reply(headers: [.json], body: text)
        }
        var headers = try fields(object["headers"])
        headers += try cookies(object["cookies"])
        if headers.first("content-type") == nil { headers.insert(.json, at: 0) }
        return Reply(status: try status(code), headers: headers, body: try content(object))
    }

    static func status(_ code: JSON) throws(FunctionError) -> Int {
        // API Gateway takes digits in quotes as well.
        let status = code.intValue ?? code.stringValue.flatMap { Int($0) }
        guard let status, 200...599 ~= status else {
            throw broken("statusCode must be a whole number from 200 to 599")
        }
        return status
    }

    static func fields(_ json: JSON?) throws(FunctionError) -> [Header] {
        guard let json, !json.isNull else { return [] }
        guard case .object(let object) = json else { throw broken("headers must be an object") }
        var headers: [Header] = []
        for (name, value) in object {
            let text: String
            switch value {
            case .null: continue
            case .string(let string): text = string
            case .bool, .integer, .number: text = value.text
            case .array, .object: throw broken("headers.\(name) must be a string")
            }
            guard isToken(name), isFieldValue(text) else {
                throw broken("headers.\(name) must be a field's name with a text without line ends")
            }
            headers.append(Header(name.lowercased(), text))
        }
        return headers
    }

    static func cookies(_ json: JSON?) throws(FunctionError) -> [Header] {
        guard let json, !json.isNull else { return [] }
        guard let list = json.arrayValue else { throw broken("cookies must be a list of strings") }
        var headers: [Header] = []
        for item in list {
            guard let text = item.stringValue, isFieldValue(text) else {
                throw broken("cookies must be a list of strings without line ends")
            }
            headers.append(Header("set-cookie", text))
        }
        return headers
    }

    private static func content(_ object: JSONObject) throws(FunctionError) -> Bytes {
        guard let body = object["body"], !body.isNull else { return Bytes() }
        guard let text = body.stringValue else {
            throw broken("body must be a string; encode what it holds as JSON text")
        }
        guard object["isBase64Encoded"]?.boolValue == true else { return Bytes(text) }
        guard let bytes = Bytes(base64: text) else {
            throw broken("body must be Base64, as isBase64Encoded says")
        }
        return bytes
    }

    static func broken(_ message: String) -> FunctionError {
        FunctionError(status: 502, code: "bad_lambda_reply", message: "\(message) (payload format 2.0)")
    }
}
