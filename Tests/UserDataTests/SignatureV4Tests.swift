import FunctionCore
import Storage
import Testing

@testable import UserData

/// The examples that AWS publishes for S3, and the key derivation of its general guide.
@Suite(.timeLimit(.minutes(1)))
struct SignatureV4Tests {
    private static let empty = sha256Hex("")
    private let now = Instant(seconds: 1_369_353_600)
    private let signer = SignatureV4(
        key: SigningKey(
            accessKey: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        region: "us-east-1",
        service: "s3"
    )

    private func request(
        _ method: String,
        _ path: String,
        query: [(String, String)] = [],
        headers: [Header] = [],
        hash: String = SignatureV4Tests.empty
    ) -> SignatureV4.Request {
        let fields = [
            Header("Host", "examplebucket.s3.amazonaws.com"), Header("x-amz-content-sha256", hash),
            Header("x-amz-date", "20130524T000000Z"),
        ]
        return SignatureV4.Request(
            method: method,
            path: path,
            query: query,
            headers: fields + headers,
            payloadHash: hash
        )
    }

    @Test("header signatures equal the published ones")
    func headers() {
        let get = request("GET", "/test.txt", headers: [Header("Range", "bytes=0-9")])
        #expect(
            signer.signature(of: get, at: now)
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
        let put = request(
            "PUT",
            "/test$file.text",
            headers: [
                Header("Date", "Fri, 24 May 2013 00:00:00 GMT"),
                Header("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            hash: sha256Hex("Welcome to Amazon S3.")
        )
        #expect(
            signer.signature(of: put, at: now)
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        )
        let lifecycle = request("GET", "/", query: [("lifecycle", "")])
        #expect(
            signer.signature(of: lifecycle, at: now)
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        )
        let list = request("GET", "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(
            signer.signature(of: list, at: now)
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        )
        #expect(
            signer.authorization(for: get, at: now)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test("a presigned URL equals the published one")
    func presigned() {
        let url = signer.presigned(
            "GET",
            "/test.txt",
            host: "examplebucket.s3.amazonaws.com",
            seconds: 86_400,
            now: now
        )
        #expect(
            url == "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    @Test("a day's key equals the published one")
    func derivation() {
        let other = SignatureV4(
            key: SigningKey(accessKey: "x", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1",
            service: "iam"
        )
        #expect(
            hexadecimal(other.dayKey("20150830"))
                == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        )
    }

    @Test(
        "a time is read only as it is written",
        arguments: ["20130524T000000", "20130524 000000Z", "2013-05-24T00Z00", "20131324T000000Z", ""]
    )
    func times(_ text: String) {
        #expect(SignatureV4.instant(text) == nil)
        #expect(SignatureV4.instant("20130524T000000Z") == now)
    }

    @Test("no single character of a signed URL can be changed")
    func everyCharacter() {
        let target = signer.presigned("GET", "/a/b.png", host: "h:80", seconds: 60, now: now)
        let changed = Array(target).indices.filter { place in
            var text = Array(target)
            text[place] = text[place] == "A" ? "B" : "A"
            guard case .success(let path) = signer.verify("GET", target: String(text), host: "h:80", now: now)
            else { return false }
            return path == "/a/b.png" || !path.isEmpty
        }
        #expect(changed.isEmpty)
        #expect((try? signer.verify("GET", target: target, host: "H:80", now: now).get()) == "/a/b.png")
    }
}
