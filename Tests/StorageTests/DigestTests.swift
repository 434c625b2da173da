import FunctionCore
import Storage
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DigestTests {
    @Test("SHA-256 gives the digests that FIPS 180-4 publishes")
    func publishedDigests() {
        #expect(sha256Hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("a hash that is fed in pieces is the hash of the whole")
    func pieces() {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let hash = SHA256()
        hash.update(bytes[..<1])
        hash.update(bytes[1..<70_000])
        hash.update(Array(bytes[70_000...]).lazy.map { $0 })
        #expect(hexadecimal(hash.finish()) == sha256Hex(Bytes(bytes)))
    }

    @Test("HMAC gives the codes that RFC 4231 publishes")
    func publishedCodes() {
        let second = hmacSHA256(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(hexadecimal(second) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let sixth = hmacSHA256(
            key: [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        )
        #expect(hexadecimal(sixth) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test(
        "texts compare equal only when they are",
        arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("a", "ab", false)]
    )
    func comparison(_ left: String, _ right: String, _ equal: Bool) {
        #expect(constantTimeEquals(left, right) == equal)
    }
}
