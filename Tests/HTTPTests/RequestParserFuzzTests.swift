import Seeds
import Testing

@testable import HTTPTrigger

@Suite("Request parser, however the bytes come", .timeLimit(.minutes(2)))
struct RequestParserFuzzTests {
    /// Good requests of every kind, one behind the other.
    static let good =
        "\r\nGET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Long-Enough-To-Be-Scanned: 0123456789abcdef\r\n\r\n"
        + "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello world"
        + RequestParserTests.chunked + "4;x=\"y\"\r\nwi\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nX: a\r\n\r\n"
        + "GET http://a:1/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    @Test("every way to cut the bytes in three gives the same")
    func cuts() {
        let bytes = Array(Self.good.utf8)
        let whole = Reading(bytes)
        #expect(whole.fault == nil && whole.lines.count == 8 && whole.rest.isEmpty)
        #expect(Reading(bytes, cuts: Array(1..<bytes.count)) == whole)
        for first in 1..<bytes.count {
            for second in [first, first + 1, min(first + 7, bytes.count), (first + bytes.count) / 2]
            where second <= bytes.count {
                #expect(Reading(bytes, cuts: [first, second]) == whole)
            }
        }
    }

    @Test("a hostile request is the same fault whether it comes whole, byte by byte or cut anywhere")
    func hostileCuts() {
        for (text, fault) in RequestParserTests.hostile {
            let bytes = Array((text + "GET / HTTP/1.1\r\nHost: h\r\n\r\n").utf8)
            #expect(Reading(bytes, cuts: Array(1..<bytes.count)).fault == fault)
            for cut in 1..<bytes.count {
                #expect(Reading(bytes, cuts: [cut]).fault == fault)
            }
        }
    }

    @Test("random bytes, and good requests with random faults, never trap, and cuts never matter")
    func random() {
        var random = SeededRandom(20_261_121)
        let alphabet = Array("\r\n\r\n\t :;,0123456789abcdefGETPOST/HTTP1.1Host*#\u{0}\u{7F}é".utf8)
        for _ in 0..<4000 {
            var bytes = Array(Self.good.utf8)
            if random.next() % 4 == 0 {
                bytes = (0..<random.below(200)).map { _ in alphabet[random.below(alphabet.count)] }
            }
            for _ in 0..<random.below(4) where !bytes.isEmpty {
                let at = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[at] = alphabet[random.below(alphabet.count)]
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(alphabet[random.below(alphabet.count)], at: at)
                default: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            let cuts = (0..<random.below(6)).map { _ in random.below(bytes.count + 1) }.sorted()
            let whole = Reading(bytes)
            let cut = Reading(bytes, cuts: cuts)
            #expect(whole == cut, "\(bytes) cut at \(cuts): \(whole) and \(cut)")
            // What is left over is a line under way at most.
            #expect(whole.rest.count <= Reading.limits.headers + 1)
        }
    }
}

extension SeededRandom {
    fileprivate mutating func below(_ bound: Int) -> Int { bound == 0 ? 0 : Int(next() % UInt64(bound)) }
}
