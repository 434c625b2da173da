import CCurl

/// A URL taken apart by libcurl's own parser, so that what is checked and what is fetched cannot differ.
struct FetchURL: Sendable {
    let scheme: String
    /// In lower case, an IPv6 address without its brackets.
    let host: String
    let port: Int
    /// Scheme, host, port and path; a query shows as `?…`.
    let redacted: String
    /// The whole URL as libcurl writes it.
    let text: String

    /// Reads an absolute URL.
    init(_ text: String) throws(FetchError) {
        guard let parser = curl_url() else { throw FetchError(.invalidRequest, "no memory for a URL") }
        defer { curl_url_cleanup(parser) }
        guard !text.utf8.contains(where: { $0 <= 32 || $0 == 127 }),
            curl_url_set(parser, CURLUPART_URL, text, 0) == CURLUE_OK
        else {
            throw FetchError(
                .invalidRequest,
                "the URL cannot be read; give an absolute URL such as https://host/path"
            )
        }
        guard FetchURL.part(parser, CURLUPART_USER) == nil, FetchURL.part(parser, CURLUPART_PASSWORD) == nil
        else {
            throw FetchError(.invalidRequest, "the URL holds credentials; send them in a header")
        }
        let scheme = FetchURL.part(parser, CURLUPART_SCHEME)?.lowercased() ?? ""
        let host = FetchURL.part(parser, CURLUPART_HOST)?.lowercased() ?? ""
        let port = FetchURL.part(parser, CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap {
            Int($0)
        }
        guard scheme == "http" || scheme == "https" else {
            throw FetchError(.refused, "only http and https URLs are fetched")
        }
        guard !host.isEmpty, let port else { throw FetchError(.invalidRequest, "the URL names no host") }
        let path = FetchURL.part(parser, CURLUPART_PATH) ?? "/"
        let query = FetchURL.part(parser, CURLUPART_QUERY) == nil ? "" : "?…"
        self.scheme = scheme
        self.host = FetchURL.bare(host)
        self.port = port
        let standard = scheme == "https" ? 443 : 80
        self.redacted = "\(scheme)://\(host)\(port == standard ? "" : ":\(port)")\(path)\(query)"
        // A fragment stays with the client.
        curl_url_set(parser, CURLUPART_FRAGMENT, nil, 0)
        self.text = FetchURL.part(parser, CURLUPART_URL) ?? text
    }

    /// Whether both have the same scheme, host and port, so that credentials may go along.
    func sameOrigin(as other: FetchURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// A host without brackets and without the dot of a rooted name.
    static func bare(_ host: String) -> String {
        var host = host[...]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if host.hasSuffix(".") { host = host.dropLast() }
        return String(host)
    }

    private static func part(_ parser: OpaquePointer, _ part: CURLUPart, flags: UInt32 = 0) -> String? {
        // SAFETY: libcurl allocates the text; it is copied and given back before the function returns.
        var found: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parser, part, &found, flags) == CURLUE_OK, let found else { return nil }
        defer { curl_free(found) }
        return String(cString: found)
    }
}

/// A URL for logs and messages: without query, credentials and fragment.
package func redacted(_ url: String) -> String {
    (try? FetchURL(url))?.redacted ?? "an unreadable URL"
}
