import FunctionCore

/// Who sent a request, as far as the host can vouch for it.
package struct Caller: Sendable, Hashable {
    /// The address without a port; empty where the connection has none.
    package var address: String
    /// `http` or `https`, as the client used it.
    package var scheme: String

    package init(address: String, scheme: String) {
        self.address = address
        self.scheme = scheme
    }
}

/// Whom the gateway believes what they say of the client before them.
///
/// A field that says so is worth what its writer is worth. So only peers in `ranges` are believed, and only
/// in the one form that they are known to write: a proxy that sets `X-Forwarded-For` passes a `Forwarded`
/// made up by a client along untouched.
package struct TrustedProxies: Sendable {
    /// Which fields the proxies set.
    package enum Form: String, Sendable, CaseIterable {
        /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
        case xForwarded = "x-forwarded"
        /// `Forwarded` (RFC 7239).
        case forwarded
    }

    private let ranges: [AddressRange]
    private let form: Form

    package init(_ ranges: [AddressRange], form: Form = .xForwarded) {
        self.ranges = ranges
        self.form = form
    }

    /// Nobody is believed.
    package static let none = TrustedProxies([])

    /// Whether no proxies are named.
    var isEmpty: Bool { ranges.isEmpty }

    /// Whether the address is that of a proxy.
    package func trusts(_ address: String) -> Bool {
        !ranges.isEmpty && NetworkAddress(address).map(trusts) == true
    }

    private func trusts(_ address: NetworkAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }

    /// Whether a field of a request is to be left out before anybody reads it.
    ///
    /// Of a trusted peer only the form that it does not write is; of others all forms are, so that no
    /// function believes them by mistake.
    package func drops(_ name: String, fromTrusted isTrusted: Bool) -> Bool {
        switch name.utf8.count {
        case 9:
            name.isHeader("x-real-ip") || (name.isHeader("forwarded") && !(isTrusted && form == .forwarded))
        case 15: name.isHeader("x-forwarded-for") && !(isTrusted && form == .xForwarded)
        case 16:
            (name.isHeader("x-forwarded-host") || name.isHeader("x-forwarded-port"))
                && !(isTrusted && form == .xForwarded)
        case 17: name.isHeader("x-forwarded-proto") && !(isTrusted && form == .xForwarded)
        default: false
        }
    }

    /// Whose request it is that a trusted proxy brought.
    ///
    /// The entries are read from the right, where the nearest proxy wrote: the first address that is no
    /// trusted proxy's is the client's, and what stands left of it was written by nobody who is known.
    package func caller(behind proxy: Caller, _ headers: [Header]) -> Caller {
        var caller = proxy
        for hop in hops(headers).reversed() {
            guard let address = hop.address, let parsed = NetworkAddress(address) else { break }
            caller.address = address
            if let scheme = hop.scheme { caller.scheme = scheme }
            guard trusts(parsed) else { break }
        }
        return caller
    }

    // MARK: The fields

    /// What one proxy says of whom it served.
    private struct Hop {
        var address: String?
        var scheme: String?
    }

    private func hops(_ headers: [Header]) -> [Hop] {
        switch form {
        case .xForwarded:
            let addresses = Self.list(headers, "x-forwarded-for")
            let schemes = Self.list(headers, "x-forwarded-proto")
            return addresses.enumerated().map { index, text in
                // Most proxies write one scheme for the whole chain, the client's.
                let scheme = schemes.count == addresses.count ? schemes[index] : schemes.last
                return Hop(address: Self.address(text), scheme: scheme.flatMap(Self.scheme))
            }
        case .forwarded:
            return headers.filter { $0.name.isHeader("forwarded") }.flatMap { Self.elements($0.value) }
        }
    }

    private static func list(_ headers: [Header], _ name: String) -> [Substring] {
        headers.filter { $0.name.isHeader(name) }.flatMap {
            $0.value.split(separator: ",", omittingEmptySubsequences: false).map(MediaType.trimmed)
        }
    }

    private static func scheme(_ text: some StringProtocol) -> String? {
        let text = String(text)
        return ["http", "https"].first { text.isHeader($0) }
    }

    /// The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
    private static func address(_ text: some StringProtocol) -> String? {
        var rest = Substring(text)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            rest = rest[rest.index(after: rest.startIndex)..<end]
        } else if let colon = rest.firstIndex(of: ":"), rest.lastIndex(of: ":") == colon {
            rest = rest[..<colon]
        }
        return NetworkAddress(rest) == nil ? nil : String(rest)
    }

    /// The elements of a `Forwarded` field; one that cannot be read says nothing.
    private static func elements(_ value: String) -> [Hop] {
        var hops = [Hop()]
        var name = "", text = ""
        var isName = true, isQuoted = false, isEscaped = false
        func close() {
            let value = MediaType.trimmed(Substring(text))
            switch String(MediaType.trimmed(Substring(name))) {
            case let key where key.isHeader("for"): hops[hops.count - 1].address = address(value)
            case let key where key.isHeader("proto"): hops[hops.count - 1].scheme = scheme(value)
            default: break
            }
            (name, text, isName) = ("", "", true)
        }
        for character in value {
            if isEscaped {
                text.append(character)
                isEscaped = false
            } else if isQuoted {
                switch character {
                case "\\": isEscaped = true
                case "\"": isQuoted = false
                default: text.append(character)
                }
            } else {
                switch character {
                case "\"" where !isName: isQuoted = true
                case ";": close()
                case ",":
                    close()
                    hops.append(Hop())
                case "=" where isName: isName = false
                default: if isName { name.append(character) } else { text.append(character) }
                }
            }
        }
        close()
        // A quote without its end: nobody can tell what was meant.
        if isQuoted { hops[hops.count - 1] = Hop() }
        return hops
    }
}
