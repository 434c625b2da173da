import FunctionCore
import Invocations
import Storage
import Synchronization

/// Signed URLs of blobs: made for functions, checked by the gateway.
extension BlobStore {
    /// Where the gateway answers for blobs; a key follows.
    package static let urlPath = "/_swiftlet/blobs/"

    /// Says under which scheme, host and port clients reach the gateway, such as `http://127.0.0.1:8080`.
    ///
    /// The host is signed. To be called once the port is known, and before functions run.
    package func setBaseURL(_ url: String) {
        base.withLock { $0 = url.hasSuffix("/") ? String(url.dropLast()) : url }
    }

    /// A URL that answers GET for `seconds` of the wall clock, and 403 after.
    /// - Throws: `FunctionError` 404 without such a blob, 422 for other seconds than 1 to 604800.
    package func signedURL(_ key: String, seconds: Int = 60, method: String = "GET") async throws -> SignedURL
    {
        guard (1...SignatureV4.longestLife).contains(seconds) else {
            let message =
                "seconds is \(seconds) and must be 1 to \(SignatureV4.longestLife); ask for another time"
            throw FunctionError.invalid("seconds", "range", message)
        }
        guard let reference = try await head(key) else {
            throw FunctionError.notFound("there is no blob \(key); store it before asking for its URL")
        }
        guard let base = base.withLock({ $0 }) else {
            throw FunctionError(
                status: 503,
                code: "not_ready",
                message: "the gateway does not listen yet; try again"
            )
        }
        let begin = Instant(seconds: clock.now.seconds)
        let path = Self.urlPath + reference.key
        let target = signature.presigned(method, path, host: Self.host(base), seconds: seconds, now: begin)
        return SignedURL(url: base + target, expires: begin + .seconds(seconds))
    }

    /// The blob that a request may read.
    ///
    /// `target` is the request's path and query as they were sent, `host` its Host header.
    package func verify(
        _ method: String,
        target: String,
        host: String,
        now: Instant
    ) async -> Result<BlobReference, BlobAccessError> {
        switch signature.verify(method, target: target, host: host, now: now) {
        case .failure(let error): return .failure(error)
        case .success(let path):
            let gone = BlobAccessError(code: "not_found", message: "the blob is gone", status: 404)
            guard path.hasPrefix(Self.urlPath) else { return .failure(gone) }
            do {
                guard let reference = try await head(String(path.dropFirst(Self.urlPath.count))) else {
                    return .failure(gone)
                }
                return .success(reference)
            } catch is FunctionError {
                return .failure(gone)
            } catch {
                let message = "the host's storage failed; try again later"
                return .failure(BlobAccessError(code: "storage_failed", message: message, status: 503))
            }
        }
    }

    /// The Host header that clients send for a URL: without the scheme's own port.
    static func host(_ url: String) -> String {
        for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where url.hasPrefix(scheme) {
            let authority = url.dropFirst(scheme.count).prefix { $0 != "/" }
            return String(authority.hasSuffix(port) ? authority.dropLast(port.count) : authority)
        }
        return String(url.prefix { $0 != "/" })
    }
}
