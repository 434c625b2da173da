import FunctionCore
import Storage

/// AWS Signature Version 4, as S3 uses it: in the `Authorization` header and in a URL's query.
///
/// S3 encodes a path once and does not normalise it; other services of AWS do both differently.
package struct SignatureV4: Sendable {
    static let algorithm = "AWS4-HMAC-SHA256"
    static let unsignedPayload = "UNSIGNED-PAYLOAD"
    /// The longest life of a URL, in seconds.
    package static let longestLife = 604_800

    /// What is signed.
    struct Request: Sendable {
        var method: String
        /// Not encoded.
        var path: String
        /// Names and values, not encoded, in any order.
        var query: [(String, String)] = []
        /// All fields that are signed, `host` among them.
        var headers: [Header]
        /// SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
        var payloadHash: String

        /// `host;range;x-amz-date`.
        var signedHeaders: String {
            headers.map { $0.name.lowercased() }.sorted().joined(separator: ";")
        }

        /// The form that both sides hash.
        var canonical: String {
            let fields = headers.map { ($0.name.lowercased(), SignatureV4.collapsed($0.value)) }
                .sorted { $0.0 < $1.0 }
                .map { "\($0.0):\($0.1)\n" }
                .joined()
            let path = SignatureV4.encoded(path, keepsSlash: true)
            return [method, path, SignatureV4.canonical(query), fields, signedHeaders, payloadHash]
                .joined(separator: "\n")
        }
    }

    let key: SigningKey
    let region: String
    let service: String

    init(key: SigningKey, region: String, service: String) {
        self.key = key
        self.region = region
        self.service = service
    }

    /// `20130524/us-east-1/s3/aws4_request`.
    func scope(_ now: Instant) -> String {
        "\(Self.day(now))/\(region)/\(service)/aws4_request"
    }

    /// The key of a day: four HMACs deep, so that a leaked one is good for a day, a region and a service
    /// only.
    func dayKey(_ day: String) -> [UInt8] {
        [day, region, service, "aws4_request"].reduce(Array("AWS4\(key.secret)".utf8)) {
            hmacSHA256(key: $0, Array($1.utf8))
        }
    }

    /// The signature of a request, 64 hexadecimal digits.
    func signature(of request: Request, at now: Instant) -> String {
        let text = [Self.algorithm, Self.time(now), scope(now), sha256Hex(Bytes(request.canonical))]
            .joined(separator: "\n")
        return hexadecimal(hmacSHA256(key: dayKey(Self.day(now)), Array(text.utf8)))
    }

    /// The value of the `Authorization` header.
    ///
    /// `request` holds `x-amz-date` for `now`.
    func authorization(for request: Request, at now: Instant) -> String {
        "\(Self.algorithm) Credential=\(key.accessKey)/\(scope(now)),SignedHeaders=\(request.signedHeaders),"
            + "Signature=\(signature(of: request, at: now))"
    }

    /// A path with a query that opens it for `seconds`.
    func presigned(_ method: String, _ path: String, host: String, seconds: Int, now: Instant) -> String {
        let query = [
            ("X-Amz-Algorithm", Self.algorithm),
            ("X-Amz-Credential", "\(key.accessKey)/\(scope(now))"),
            ("X-Amz-Date", Self.time(now)),
            ("X-Amz-Expires", String(seconds)),
            ("X-Amz-SignedHeaders", "host"),
        ]
        let signature = signature(of: Self.urlRequest(method, path, query, host), at: now)
        return "\(Self.encoded(path, keepsSlash: true))?\(Self.canonical(query))&X-Amz-Signature=\(signature)"
    }

    static func urlRequest(
        _ method: String,
        _ path: String,
        _ query: [(String, String)],
        _ host: String
    ) -> Request {
        Request(
            method: method,
            path: path,
            query: query,
            headers: [Header("host", host.lowercased())],
            payloadHash: unsignedPayload
        )
    }

    /// `20130524T000000Z`: RFC 3339 without its marks, in whole seconds.
    static func time(_ now: Instant) -> String {
        Instant(seconds: now.seconds).rfc3339.filter { $0 != "-" && $0 != ":" }
    }

    private static func day(_ now: Instant) -> String {
        String(time(now).prefix(8))
    }

    /// The query, encoded and sorted; a name without a value keeps its `=`.
    private static func canonical(_ query: [(String, String)]) -> String {
        query.map { (encoded($0.0), encoded($0.1)) }
            .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }

    /// Every byte but the unreserved ones as `%XX`.
    static func encoded(_ text: String, keepsSlash: Bool = false) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.append(byte)
            case UInt8(ascii: "/") where keepsSlash:
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A header's value with each run of spaces as one.
    private static func collapsed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }
}
