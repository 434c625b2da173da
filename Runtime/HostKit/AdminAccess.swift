import FunctionCore
import HTTPTrigger
import Storage

/// Who may use the admin port: on which addresses it listens, under which names it answers, and the token that
/// callers show.
package struct AdminAccess: Sendable, Equatable {
    /// What a route asks of its callers beside the right names.
    package enum Door: Sendable {
        /// Nothing: the login page and what belongs to it, and the answer that the process lives.
        case open
        /// The token, as programs send it.
        case program
        /// The token, or the session that the login page gives a browser.
        case page
    }

    /// Why a request is refused.
    package enum Refusal: Sendable, Equatable {
        case name, origin, token

        var error: FunctionError {
            switch self {
            case .name:
                FunctionError(
                    status: 403,
                    code: "not_local",
                    message:
                        "the admin port is not known by this name; call it 127.0.0.1 or localhost, or list the name "
                        + "in admin.hosts"
                )
            case .origin:
                FunctionError(
                    status: 403,
                    code: "foreign_origin",
                    message:
                        "the admin port answers programs and its own pages, not pages of another origin"
                )
            case .token:
                FunctionError(
                    status: 401,
                    code: "token_required",
                    message: "send the host's admin.token as `authorization: Bearer TOKEN`"
                )
            }
        }
    }

    /// The fewest characters of a token.
    static let shortest = 32
    /// The session's cookie for a host as a browser calls it.
    ///
    /// It has the port in its name: browsers send cookies to all ports of a host, and the sessions of two hosts on
    /// one machine must not take each other's place.
    package static func cookie(_ host: String) -> String {
        let port = host.split(separator: ":").last.flatMap { UInt16($0) }
        return port.map { "swiftlet_console_\($0)" } ?? "swiftlet_console"
    }

    package var bind = "127.0.0.1"
    /// Names that lead here beside those of loopback, in lower case.
    package var hosts: [String] = []
    /// Empty for none.
    package var token = ""

    package init() {}

    /// Whether it can be reached from this machine alone.
    package var isLocal: Bool { AdminAccess.isLoopback(bind) && hosts.isEmpty }

    /// How this machine reaches it.
    package func url(port: Int) -> String {
        switch bind {
        case "0.0.0.0", "localhost": "http://127.0.0.1:\(port)"
        case "::": "http://[::1]:\(port)"
        default: "http://\(bind.contains(":") ? "[\(bind)]" : bind):\(port)"
        }
    }

    // MARK: Deciding

    /// What stands against a request; nil for nothing.
    ///
    /// A page of somebody's that is open in a browser on this machine can send requests here, but its browser
    /// names the page's origin, and a name that was made to lead here stays in `Host`.
    package func refusal(_ method: String, _ headers: [Header], _ door: Door) -> Refusal? {
        let host = (headers.first("host") ?? "").lowercased()
        guard knows(name(of: host)) else { return .name }
        if let origin = headers.first("origin")?.lowercased(),
            origin != "http://\(host)", origin != "https://\(host)"
        {
            return .origin
        }
        if let site = headers.first("sec-fetch-site"), site != "same-origin", site != "none" {
            // A link on another page may lead here; nothing else of it.
            let isLink = headers.first("sec-fetch-mode") == "navigate" && method == "GET"
            guard isLink, headers.first("sec-fetch-dest") == "document" else { return .origin }
        }
        guard !token.isEmpty else { return nil }
        switch door {
        case .open: return nil
        case .program: return showsToken(headers) ? nil : .token
        case .page:
            return showsToken(headers) || hasSession(headers, AdminAccess.cookie(host)) ? nil : .token
        }
    }

    private func knows(_ name: String) -> Bool {
        if AdminAccess.isLoopback(name) || hosts.contains(name) { return true }
        // An address is no name that somebody else could have led here.
        return !isLocal && !name.contains("/") && AddressRange(name) != nil
    }

    /// Without the port and the brackets of an IPv6 address.
    private func name(of host: String) -> String {
        host.hasPrefix("[")
            ? String(host.dropFirst().prefix { $0 != "]" }) : String(host.prefix { $0 != ":" })
    }

    static func isLoopback(_ name: String) -> Bool { ["127.0.0.1", "localhost", "::1"].contains(name) }

    // MARK: The token

    func isToken(_ text: String) -> Bool { constantTimeEquals(text, token) }

    private func showsToken(_ headers: [Header]) -> Bool {
        guard let field = headers.first("authorization") else { return false }
        // AWS's clients sign with a key, whose id is what can be shown by them.
        let signature = "AWS4-HMAC-SHA256 Credential="
        if field.hasPrefix(signature) {
            return isToken(String(field.dropFirst(signature.count).prefix { $0 != "/" }))
        }
        return field.lowercased().hasPrefix("bearer ") && isToken(String(field.dropFirst("bearer ".count)))
    }

    /// What a browser keeps in the place of the token, which cannot be found from it.
    package var session: String {
        hexadecimal(hmacSHA256(key: Array(token.utf8), Array("console session".utf8)))
    }

    private func hasSession(_ headers: [Header], _ cookie: String) -> Bool {
        headers.lazy.filter { $0.name.lowercased() == "cookie" }.contains { field in
            field.value.split(separator: ";").contains { pair in
                let pair = pair.drop { $0 == " " }
                guard pair.hasPrefix("\(cookie)=") else { return false }
                return constantTimeEquals(pair.dropFirst(cookie.utf8.count + 1), session)
            }
        }
    }
}
