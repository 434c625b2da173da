import Glibc

/// What may be fetched: any public address by https, and beyond that only what is named by host and port.
///
/// A name is checked as it was written, an address at the moment of the connection, so a public name that
/// resolves to a private address is refused as well. Connections are kept per fetcher; callers that may reach
/// different things need a fetcher each.
package struct AllowList: Sendable, Hashable {
    private var entries: Set<String> = []
    private var checksNothing = false

    /// Public addresses by https and nothing else.
    package static let publicOnly = AllowList()

    /// Everything; for the command line, where the operator names the URL.
    package static var unrestricted: AllowList {
        var list = AllowList()
        list.checksNothing = true
        return list
    }

    private init() {}

    /// Public addresses by https, and `entries` of the form `host:port`, such as `127.0.0.1:9900` or
    /// `[::1]:80`, by http and at any address.
    package init(_ entries: [String]) throws(FetchError) {
        for entry in entries {
            guard let colon = entry.lastIndex(of: ":"), let port = Int(entry[entry.index(after: colon)...]),
                (1...65_535).contains(port), colon != entry.startIndex
            else {
                throw FetchError(
                    .invalidRequest,
                    "`\(entry)` must be a host and a port such as 127.0.0.1:9900"
                )
            }
            allow(host: String(entry[..<colon]), port: port)
        }
    }

    /// Adds one host and port.
    package mutating func allow(host: String, port: Int) {
        entries.insert(AllowList.entry(host, port))
    }

    /// Adds the host and port of a URL.
    package mutating func allow(url: String) throws(FetchError) {
        let url = try FetchURL(url)
        allow(host: url.host, port: url.port)
    }

    /// Whether the host and port are named, so that neither scheme nor address matter.
    func names(_ url: FetchURL) -> Bool {
        checksNothing || entries.contains(AllowList.entry(url.host, url.port))
    }

    /// The check before a name is resolved.
    func check(_ url: FetchURL) throws(FetchError) {
        guard url.scheme == "https" || names(url) else {
            throw FetchError(
                .refused,
                "\(url.redacted) is not https; use it, or allow \(url.host):\(url.port) in the configuration"
            )
        }
    }

    private static func entry(_ host: String, _ port: Int) -> String {
        "\(FetchURL.bare(host.lowercased())):\(port)"
    }
}

/// Whether an address belongs to nobody else on the internet: this machine, a private network, a multicast
/// group, or a range that wraps an IPv4 address of such a kind.
func isPrivateAddress(family: Int32, _ bytes: [UInt8]) -> Bool {
    switch family {
    case AF_INET where bytes.count >= 4:
        return isPrivateIPv4(bytes[0], bytes[1], bytes[2])
    case AF_INET6 where bytes.count >= 16:
        let isMapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        let isTranslated = Array(bytes[0..<12]) == [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        if isMapped || isTranslated { return isPrivateIPv4(bytes[12], bytes[13], bytes[14]) }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return isPrivateIPv4(bytes[2], bytes[3], bytes[4]) }
        // Only 2000::/3 is global unicast, and Teredo (2001::/32) within it is a tunnel to anywhere.
        let isTeredo = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0
        return bytes[0] & 0xE0 != 0x20 || isTeredo
    default:
        return true
    }
}

private func isPrivateIPv4(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
    switch (first, second) {
    case (0, _), (10, _), (127, _), (169, 254), (192, 168): true
    case (100, 64...127), (172, 16...31), (198, 18...19): true
    case (192, 0): third == 0
    case (224...255, _): true
    default: false
    }
}
