import FunctionCore
import Seeds
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JSONBase64Tests {
    static let vectors: [(Bytes, String)] = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"), (Bytes([0xFB, 0xEF, 0xFF]), "++//"), (Bytes([0, 0, 0]), "AAAA"),
    ]

    @Test("the vectors of RFC 4648 encode and decode", arguments: vectors)
    func agreesWithVectors(bytes: Bytes, text: String) {
        #expect(bytes.base64 == text)
        #expect(Bytes(base64: text) == bytes)
    }

    static let refused = [
        "Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zg==Zg==", "-_-_",
        "Zm9é",
        "Z=g=", "=Zg=",
    ]

    @Test("a text that encoding would not write is refused", arguments: refused)
    func refusesOtherText(text: String) {
        #expect(Bytes(base64: text) == nil)
    }

    @Test("random bytes of every length up to 100 read back the same")
    func readsBackRandomBytes() {
        var generator = SeededRandom(3)
        for length in 0...100 {
            let bytes = Bytes((0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
            #expect(Bytes(base64: bytes.base64) == bytes)
        }
    }
}
