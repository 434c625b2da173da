import FunctionCore

/// What a `Range` header asks of a body whose length is known (RFC 9110, 14).
package enum ByteRange: Sendable, Hashable {
    /// All of it: no header, several ranges, another unit, or a header that cannot be read.
    case whole
    /// One part.
    case part(offset: Int64, length: Int64)
    /// A part that the body does not have.
    case unsatisfiable

    /// Reads a header's value.
    package init(_ header: String?, size: Int64) {
        self = .whole
        guard let header, header.hasPrefix("bytes="), !header.utf8.contains(44) else { return }
        let bounds = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }) else {
            return
        }
        // A number beyond 64 bits means "to the end" or "past the end"; both follow from the greatest number.
        let first = bounds[0].isEmpty ? nil : Int64(bounds[0]) ?? .max
        let last = bounds[1].isEmpty ? nil : Int64(bounds[1]) ?? .max
        switch (first, last) {
        case (nil, nil): return
        case (nil, let suffix?):
            self =
                suffix == 0 || size == 0
                ? .unsatisfiable : .part(offset: max(0, size - suffix), length: min(suffix, size))
        case (let first?, let last):
            let end = min(last ?? .max, size - 1)
            if let last, last < first { return }
            self = first >= size ? .unsatisfiable : .part(offset: first, length: end - first + 1)
        }
    }
}

extension EndpointResponse {
    /// A file, or the part of it that the request's `Range` asks for: 200, 206 or 416.
    ///
    /// `etag`, with its quotes, lets a client go on with an interrupted download only if the file is the
    /// same.
    package static func file(
        _ path: String,
        size: Int64,
        contentType: String,
        etag: String? = nil,
        for request: EndpointRequest,
        headers: [Header] = []
    ) -> EndpointResponse {
        var headers = [Header("content-type", contentType), Header("accept-ranges", "bytes")] + headers
        if let etag { headers.append(Header("etag", etag)) }
        var asked = request.headers.first("range")
        if let condition = request.headers.first("if-range"), condition != etag { asked = nil }
        if request.method != "GET" || request.isHead { asked = nil }
        return .part(of: size, range: asked, headers: headers) { .file(path: path, offset: $0, length: $1) }
    }

    /// A body of known size, or the part of it that `range` asks for.
    static func part(
        of size: Int64,
        range: String?,
        headers: [Header],
        body: (_ offset: Int64, _ length: Int64) -> Body
    ) -> EndpointResponse {
        switch ByteRange(range, size: size) {
        case .whole: return EndpointResponse(headers: headers, body: body(0, size))
        case .part(let offset, let length):
            let place = Header("content-range", "bytes \(offset)-\(offset + length - 1)/\(size)")
            return EndpointResponse(status: 206, headers: headers + [place], body: body(offset, length))
        case .unsatisfiable:
            let message = "the body has \(size) bytes; ask for a range within them"
            var response = EndpointResponse.failure(
                FunctionError(status: 416, code: "range_not_satisfiable", message: message)
            )
            response.headers.append(Header("content-range", "bytes */\(size)"))
            return response
        }
    }
}
