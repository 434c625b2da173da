import FunctionCore

/// What an `Accept-Encoding` field allows (RFC 9110, 12.5.3).
package enum AcceptEncoding {
    /// Whether a client takes gzip, and does not like the plain body better.
    package static func takesGzip(_ value: String) -> Bool {
        // What nearly every client sends.
        if value.hasPrefix("gzip, ") || value == "gzip" {
            if !value.utf8.contains(59) { return true }
        }
        var gzip: Int?, any: Int?, plain: Int?
        for part in value.split(separator: ",") {
            let pieces = part.split(separator: ";").map { MediaType.trimmed($0) }
            guard let name = pieces.first.map(String.init) else { continue }
            let weight = weight(pieces.dropFirst())
            if name.isHeader("gzip") || name.isHeader("x-gzip") {
                gzip = weight
            } else if name == "*" {
                any = weight
            } else if name.isHeader("identity") {
                plain = weight
            }
        }
        guard let wanted = gzip ?? any, wanted > 0 else { return false }
        return wanted >= plain ?? 0
    }

    /// The weight in thousandths; one that cannot be read counts as none at all.
    private static func weight(_ parameters: some Sequence<Substring>) -> Int {
        for parameter in parameters {
            let halves = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, String(MediaType.trimmed(halves[0])).isHeader("q") else { continue }
            let text = MediaType.trimmed(halves[1])
            guard let number = Double(text), (0...1).contains(number), text.utf8.count <= 5 else { return 0 }
            return Int(number * 1000)
        }
        return 1000
    }
}

extension MediaType {
    /// Whether bodies of that type get shorter by gzip.
    ///
    /// Never an event stream: an event held back in a compressor is late.
    package static func isCompressible(_ contentType: String) -> Bool {
        let essence = trimmed(contentType.prefix { $0 != ";" }).lowercased()
        if essence == "text/event-stream" { return false }
        if essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml") {
            return true
        }
        return compressible.contains(essence)
    }

    private static let compressible: Set<String> = [
        "application/json", "application/javascript", "application/xml", "application/wasm",
        "application/x-ndjson", "application/ld+json", "application/graphql", "application/sql",
        "application/rtf", "image/bmp", "image/x-icon", "font/ttf", "font/otf",
    ]
}
