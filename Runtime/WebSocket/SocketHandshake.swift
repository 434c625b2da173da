import CCrypto
import FunctionCore

/// A client's wish for a WebSocket connection, checked by RFC 6455 section 4.2.1.
package struct SocketHandshake: Sendable {
    /// What answers the client's key.
    package var accept: String
    /// What the client offers, its favourite first.
    package var subprotocols: [String]

    /// Why a request is refused: the error, and the fields that go with it.
    package struct Refusal: Error, Sendable {
        package var error: FunctionError
        package var headers: [Header]
    }

    /// Whether a request asks for a WebSocket connection, rightly or not.
    package static func isAsked(_ headers: [Header]) -> Bool {
        headers.has("upgrade", "websocket") && headers.has("connection", "upgrade")
    }

    /// Reads a request.
    ///
    /// `origins` are those of web pages that may connect: `https://app.example`, or `*` for any. A page of
    /// the host that the request names may always; so may a client that is no browser, and names no origin.
    package init(
        method: String,
        isHTTP11: Bool,
        headers: [Header],
        origins: [String]
    ) throws(Refusal) {
        guard method == "GET", isHTTP11, SocketHandshake.isAsked(headers) else {
            throw SocketHandshake.upgradeRequired("this path is for WebSocket connections (RFC 6455)")
        }
        guard headers.tokens("sec-websocket-version") == ["13"] else {
            throw SocketHandshake.upgradeRequired("the Sec-WebSocket-Version spoken here is 13")
        }
        let keys = headers.filter { sameName($0.name, "sec-websocket-key") }
        guard keys.count == 1, let key = keys.first?.value, Bytes(base64: key)?.count == 16 else {
            let message = "Sec-WebSocket-Key must come once, as the Base64 of 16 bytes"
            throw Refusal(error: .badRequest("bad_handshake", message), headers: [])
        }
        try SocketHandshake.check(headers, origins)
        accept = SocketHandshake.accept(of: key)
        subprotocols = headers.tokens("sec-websocket-protocol")
        guard subprotocols.allSatisfy(isToken), Set(subprotocols).count == subprotocols.count else {
            let message = "Sec-WebSocket-Protocol must be a list of different tokens"
            throw Refusal(error: .badRequest("bad_handshake", message), headers: [])
        }
    }

    /// The first of `known` that the client offers.
    package func choice(of known: [String]) -> String? {
        known.first { subprotocols.contains($0) }
    }

    private static func upgradeRequired(_ message: String) -> Refusal {
        Refusal(
            error: FunctionError(status: 426, code: "upgrade_required", message: message, retry: .never),
            headers: [
                Header("upgrade", "websocket"), Header("connection", "upgrade"),
                Header("sec-websocket-version", "13"),
            ]
        )
    }

    /// A browser sends cookies with a handshake from any page, and no CORS stands before it; the origin is
    /// all there is against a page that connects in its visitor's name.
    private static func check(_ headers: [Header], _ origins: [String]) throws(Refusal) {
        let named = headers.filter { sameName($0.name, "origin") }
        guard let origin = named.first?.value, !origins.contains("*") else { return }
        let lowered = origin.lowercased()
        let hosts = headers.first("host").map { ["http://\($0.lowercased())", "https://\($0.lowercased())"] }
        guard named.count == 1, origins.contains(lowered) || hosts?.contains(lowered) == true else {
            let message =
                "pages of this origin may not connect; `origins:` of the manifest lists those that may"
            throw Refusal(
                error: FunctionError(status: 403, code: "origin_refused", message: message, retry: .never),
                headers: []
            )
        }
    }

    /// SHA-1 as the protocol has it: to show that a WebSocket server answers, not to keep a secret.
    static func accept(of key: String) -> String {
        let text = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        let status = swiftlet_sha1(text, text.count, &digest)
        precondition(status == 1, "libcrypto has no SHA-1")
        return Bytes(digest).base64
    }
}

extension [Header] {
    /// The members of a list field, over all its lines.
    fileprivate func tokens(_ name: String) -> [String] {
        filter { sameName($0.name, name) }
            .flatMap { $0.value.split(separator: ",", omittingEmptySubsequences: true) }
            .map { String($0.drop(while: isBlank).trimmed) }
            .filter { !$0.isEmpty }
    }

    /// Whether a list field has a member, whatever the case of its letters.
    fileprivate func has(_ name: String, _ token: String) -> Bool {
        tokens(name).contains { sameName($0, token) }
    }
}

extension Substring {
    /// Without blanks at its end.
    fileprivate var trimmed: Substring {
        var text = self
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

private func isBlank(_ character: Character) -> Bool {
    character == " " || character == "\t"
}
