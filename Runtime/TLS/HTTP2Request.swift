import FunctionCore
import HTTPTrigger
import NIOHPACK

/// Heads in the form of HTTP/2, from and to the form that the gateway knows.
enum HTTP2Request {
    /// What a block of fields comes to.
    enum Reading {
        case head(RequestHead)
        case refused(Exchange.Refusal)
    }

    /// The head that a block of fields states.
    ///
    /// NIO has refused what breaks RFC 9113, 8.2 and 8.3: names in capitals, fields of a connection, control
    /// characters, pseudo fields that are missing, doubled, unknown or late, a body of another length than
    /// was stated.
    static func head(_ fields: HPACKHeaders, _ settings: ServerSettings) -> Reading {
        var method = "", path = "", size = 0
        var authority: String?, host: String?
        var cookies: [String] = []
        for (name, value, _) in fields {
            size += name.utf8.count + value.utf8.count
            switch name {
            case ":method": method = value
            case ":path": path = value
            case ":authority": authority = value
            case "host":
                guard host == nil else { return .refused(.host) }
                host = value
            case "cookie": cookies.append(value)
            default: break
            }
        }
        guard path.utf8.count <= settings.maxTargetBytes else {
            return .refused(.longTarget(settings.maxTargetBytes))
        }
        guard size <= settings.maxHeaderBytes + path.utf8.count, fields.count <= settings.maxHeaderFields + 4
        else { return .refused(.longHeaders(settings.maxHeaderBytes)) }
        guard let named = authority ?? host, host == nil || host == named, isAuthority(named) else {
            return .refused(.host)
        }
        guard isTarget(path, method) else { return .refused(.malformed) }
        var head = RequestHead(method: Method(method), target: path)
        head.add("host", named)
        for (name, value, _) in fields where name != "host" && name != "cookie" && name.utf8.first != 58 {
            if name == "content-length" {
                guard let length = Int(value), length >= 0 else { return .refused(.malformed) }
                head.contentLength = length
            }
            head.add(name, value)
        }
        // Clients may send each in a field of its own; a function sees one (RFC 9113, 8.2.3).
        if !cookies.isEmpty { head.add("cookie", cookies.joined(separator: "; ")) }
        return .head(head)
    }

    /// The fields of an answer.
    static func fields(_ head: ReplyHead, date: String) -> HPACKHeaders {
        var fields = HPACKHeaders()
        fields.reserveCapacity(head.headers.count + 6)
        fields.add(name: ":status", value: String(head.status))
        for header in head.headers where !ReplyHead.isOwn(header.name) {
            fields.add(name: header.name.lowercased(), value: header.value)
        }
        fields.add(name: "x-request-id", value: head.requestID)
        fields.add(name: "x-swiftlet-invocation", value: head.id)
        if let traceID = head.traceID { fields.add(name: "x-trace-id", value: traceID) }
        if head.mayHaveBody, let length = head.length {
            fields.add(name: "content-length", value: String(length))
        }
        fields.add(name: "date", value: date)
        return fields
    }

    private static func isAuthority(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for index in 0..<bytes.count where !Octets.isAuthority(bytes[index]) { return false }
        return bytes.count > 0
    }

    private static func isTarget(_ path: String, _ method: String) -> Bool {
        if path == "*" { return method == "OPTIONS" }
        guard method != "CONNECT", path.utf8.first == 47 else { return false }
        return path.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 35 }
    }
}
