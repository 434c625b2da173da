/// A header field; names compare without regard to case.
public struct Header: Sendable, Hashable {
    /// The field's name as it was sent.
    public var name: String
    /// The field's value, without surrounding white space.
    public var value: String

    /// A field of that name and value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension [Header] {
    /// The value of the first field called `name`, whatever the case of its letters.
    public func first(_ name: String) -> String? {
        first { sameName($0.name, name) }?.value
    }
}

/// Whether two header names are equal, ignoring ASCII case.
package func sameName(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    return zip(left.utf8, right.utf8).allSatisfy { lower($0) == lower($1) }
}

/// Whether `text` is a token of RFC 9110 section 5.6.2, as names of fields and of subprotocols must be.
package func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 94...122, 124, 126, 33, 35...39, 42, 43, 45, 46: true
            default: false
            }
        }
}

private func lower(_ byte: UInt8) -> UInt8 {
    byte >= 65 && byte <= 90 ? byte + 32 : byte
}

/// What an HTTP event carries besides its body.
public struct HTTPRequest: Sendable, Hashable {
    /// The method in capitals: `GET`, `POST`.
    public var method: String
    /// The path and query exactly as they were sent.
    public var target: String
    /// The values that the route's `{names}` matched, percent-decoded.
    public var parameters: [String: String]
    /// All header fields in the order in which they came.
    public var headers: [Header]
    /// The address of the client, without a port: behind proxies that the host trusts the one that they
    /// served, else the other end of the connection; empty where it is not known.
    public var clientAddress: String
    /// `http` or `https`, as the client used it.
    public var scheme: String

    /// A request; used by triggers and tests.
    public init(
        method: String,
        target: String,
        parameters: [String: String] = [:],
        headers: [Header] = [],
        clientAddress: String = "",
        scheme: String = "http"
    ) {
        self.method = method
        self.target = target
        self.parameters = parameters
        self.headers = headers
        self.clientAddress = clientAddress
        self.scheme = scheme
    }

    /// The path without the query, still percent-encoded.
    public var path: String {
        String(target.prefix { $0 != "?" })
    }

    /// The id of the last server-sent event that a client has, when it connects again (`Last-Event-ID`).
    public var lastEventID: String? {
        headers.first("last-event-id")
    }

    /// The query's names and values, percent-decoded; where a name comes twice the last one counts.
    public var query: [String: String] {
        // By bytes: to find the ends of characters costs a microsecond, in every typed invocation.
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return [:] }
        var result: [String: String] = [:]
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? percentDecoded(parts[1], plusIsSpace: true) : ""
            result[percentDecoded(parts[0], plusIsSpace: true)] = value
        }
        return result
    }
}

/// `text` with `%XX` replaced by the byte it stands for; a broken escape stays as it is.
public func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String {
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
        let byte = bytes[index]
        if byte == 37, index + 2 < bytes.count, let high = hexValue(bytes[index + 1]),
            let low = hexValue(bytes[index + 2])
        {
            out.append(high << 4 | low)
            index += 3
        } else {
            out.append(byte == 43 && plusIsSpace ? 32 : byte)
            index += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}

/// The value of a hexadecimal digit, or nil.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}
