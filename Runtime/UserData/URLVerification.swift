import FunctionCore
import Storage

/// Why a signed URL does not open what it names.
package struct BlobAccessError: Error, Sendable, Hashable {
    /// `signature_missing`, `signature_invalid`, `url_expired`, `not_found`, `storage_failed`.
    package var code: String
    package var message: String
    /// 403, 404 or 503.
    package var status: Int

    static func forbidden(_ code: String, _ message: String) -> BlobAccessError {
        BlobAccessError(code: code, message: message, status: 403)
    }
}

extension SignatureV4 {
    /// How far a signer's clock may be ahead.
    static let skew = Duration.seconds(15 * 60)

    private static let signedNames = [
        "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
    ]

    /// The path that a signed URL opens, decoded.
    ///
    /// The signature is checked before the times, so that nobody learns anything from a URL that was not made
    /// here. Parameters beyond the six are refused: they would not be signed.
    func verify(
        _ method: String,
        target: String,
        host: String,
        now: Instant
    ) -> Result<String, BlobAccessError> {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = percentDecoded(parts[0])
        guard parts.count == 2, let values = Self.parameters(parts[1]) else {
            return .failure(
                .forbidden(
                    "signature_missing",
                    "the URL carries no signature of this host; ask for a new one"
                )
            )
        }
        let invalid = BlobAccessError.forbidden(
            "signature_invalid",
            "the signature does not fit the URL, method and host; use the URL exactly as it was given"
        )
        guard let time = values["X-Amz-Date"], let begin = Self.instant(time),
            let seconds = values["X-Amz-Expires"].flatMap({ Int($0) }),
            (1...Self.longestLife).contains(seconds),
            values["X-Amz-Algorithm"] == Self.algorithm, values["X-Amz-SignedHeaders"] == "host",
            values["X-Amz-Credential"] == "\(key.accessKey)/\(scope(begin))",
            let given = values["X-Amz-Signature"]
        else { return .failure(invalid) }
        let signed = Self.signedNames.map { ($0, values[$0] ?? "") }
        let request = Self.urlRequest(method, path, signed, host)
        guard constantTimeEquals(signature(of: request, at: begin), given) else { return .failure(invalid) }
        guard begin <= now + Self.skew, now < begin + .seconds(seconds) else {
            return .failure(.forbidden("url_expired", "the URL's time is over; ask for a new one"))
        }
        return .success(path)
    }

    /// The six parameters, each once and no other; nil otherwise.
    private static func parameters(_ query: Substring) -> [String: String]? {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let name = percentDecoded(parts[0])
            guard signedNames.contains(name) || name == "X-Amz-Signature", values[name] == nil else {
                return nil
            }
            values[name] = percentDecoded(parts[1])
        }
        return values.count == signedNames.count + 1 ? values : nil
    }

    /// Reads `20130524T000000Z`, and nothing that is written otherwise.
    static func instant(_ time: String) -> Instant? {
        let text = Array(time)
        guard text.count == 16 else { return nil }
        let dashed =
            "\(String(text[0..<4]))-\(String(text[4..<6]))-\(String(text[6..<11])):"
            + "\(String(text[11..<13])):\(String(text[13...]))"
        guard let instant = Instant(rfc3339: dashed), self.time(instant) == time else { return nil }
        return instant
    }
}
