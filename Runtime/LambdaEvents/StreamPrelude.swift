import FunctionCore

/// The head of a streamed reply to a request: a JSON object, then eight NUL bytes, then the body.
package enum StreamPrelude {
    /// What a streamed reply with a prelude says as its content type to the Runtime API.
    package static let contentType = "application/vnd.awslambda.http-integration-response"
    /// The most that a prelude may be long.
    package static let maximum = 64 * 1024
    private static let markLength = 8

    /// The prelude of a reply's status and fields.
    package static func bytes(status: Int, headers: [Header]) -> Bytes {
        guard case .object(var head) = HTTPPayloadReply.document(Reply(status: status, headers: headers))
        else { return Bytes() }
        head.removeValue(forKey: "body")
        head.removeValue(forKey: "isBase64Encoded")
        return Bytes(JSON.object(head).bytes().array + [UInt8](repeating: 0, count: markLength))
    }

    /// Finds the prelude in a body that comes in pieces.
    ///
    /// States: gathering, until the mark has come; then done. It holds at most `maximum` bytes.
    package struct Reader: Sendable {
        private var held: [UInt8] = []

        package init() {}

        /// Takes the next piece; the head and what follows it as soon as it is whole, else nil.
        /// - Throws: `FunctionError` 502 for a prelude that is too long or breaks its form.
        package mutating func take(
            _ piece: Bytes
        ) throws(FunctionError) -> (status: Int, headers: [Header], rest: Bytes)? {
            let from = max(0, held.count - markLength + 1)
            held += piece.array
            guard let end = Reader.mark(in: held, from: from) else {
                guard held.count <= maximum else {
                    throw HTTPPayloadReply.broken("the prelude is longer than \(maximum) bytes")
                }
                return nil
            }
            let head = held[..<end]
            let rest = Bytes(Array(held[(end + markLength)...]))
            held = []
            guard head.count <= maximum else {
                throw HTTPPayloadReply.broken("the prelude is longer than \(maximum) bytes")
            }
            guard let json = try? JSON.parse(Bytes(Array(head))), case .object(let object) = json else {
                throw HTTPPayloadReply.broken("the prelude must be a JSON object")
            }
            var headers = try HTTPPayloadReply.fields(object["headers"])
            headers += try Reader.several(object["multiValueHeaders"])
            headers += try HTTPPayloadReply.cookies(object["cookies"])
            if headers.first("content-type") == nil {
                headers.insert(Header("content-type", "application/octet-stream"), at: 0)
            }
            return (try HTTPPayloadReply.status(object["statusCode"] ?? 200), headers, rest)
        }

        private static func several(_ json: JSON?) throws(FunctionError) -> [Header] {
            guard let json, !json.isNull else { return [] }
            guard case .object(let object) = json else {
                throw HTTPPayloadReply.broken("multiValueHeaders must be an object of lists")
            }
            var headers: [Header] = []
            for (name, values) in object {
                for value in values.arrayValue ?? [values] {
                    headers += try HTTPPayloadReply.fields(.object([name: value]))
                }
            }
            return headers
        }

        private static func mark(in bytes: [UInt8], from: Int) -> Int? {
            var run = 0
            for index in from..<bytes.count {
                run = bytes[index] == 0 ? run + 1 : 0
                if run == markLength { return index - run + 1 }
            }
            return nil
        }
    }
}
