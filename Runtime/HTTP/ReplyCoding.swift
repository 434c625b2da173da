import FunctionCore

/// How a reply's body goes out.
enum ReplyCoding: Sendable {
    /// As it is, for every client.
    case plain
    /// As it is, as this client takes nothing else, or there is no body.
    case varied
    case gzip

    /// Shorter bodies would grow, or fit the same packet.
    static let least = 1024

    /// Chooses by what a reply says of itself; `length` is nil for a stream.
    ///
    /// What is encoded already, a part of something, or of a type that gains nothing stays as it is; so does
    /// what `no-transform` or a digest of the body forbids to touch.
    init(_ status: Int, _ headers: [Header], length: Int?, request: RequestHead) {
        self = .plain
        guard (length ?? .max) >= ReplyCoding.least, status >= 200, ![204, 206, 304].contains(status) else {
            return
        }
        var isCompressible = false
        for header in headers {
            switch header.name.utf8.count {
            case 6: if header.name.isHeader("digest") { return }
            case 11: if header.name.isHeader("repr-digest") { return }
            case 12:
                if header.name.isHeader("content-type") {
                    isCompressible = MediaType.isCompressible(header.value)
                }
            case 13:
                if header.name.isHeader("content-range") { return }
                let forbids = header.value.lowercased().contains("no-transform")
                if forbids, header.name.isHeader("cache-control") { return }
            case 14: if header.name.isHeader("content-digest") { return }
            case 16: if header.name.isHeader("content-encoding") { return }
            default: break
            }
        }
        guard isCompressible else { return }
        // A client of HTTP/1.0 could not tell the end of a body whose length is not known beforehand.
        let takes = !request.isOld && request.acceptEncoding.map(AcceptEncoding.takesGzip) == true
        self = takes && request.method != .head ? .gzip : .varied
    }

    /// The reply's fields, with what the choice adds to them.
    ///
    /// A strong tag would promise the same bytes to everybody, so it is weakened.
    func applied(to headers: [Header]) -> [Header] {
        if case .plain = self { return headers }
        var headers = headers
        headers.append(Header("vary", "Accept-Encoding"))
        guard case .gzip = self else { return headers }
        headers.removeAll { $0.name.isHeader("accept-ranges") }
        for index in headers.indices
        where headers[index].name.isHeader("etag") && !headers[index].value.hasPrefix("W/") {
            headers[index].value = "W/" + headers[index].value
        }
        headers.append(Header("content-encoding", "gzip"))
        return headers
    }
}
