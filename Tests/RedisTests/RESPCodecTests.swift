import FunctionCore
import NIOCore
import RedisTrigger
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RESPCodecTests {
    private static let stream =
        "+OK\r\n:-12\r\n$5\r\nhe\r\nl\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n-WRONGTYPE no\r\n"
        + "*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n$3\r\n2-0\r\n*-1\r\n"

    private static let values: [RedisValue] = [
        .simple("OK"), .integer(-12), .bulk("he\r\nl"), .bulk(""), .null, .null, .array([]),
        .error("WRONGTYPE no"),
        .array([
            .bulk("s"),
            .array([
                .array([.bulk("1-0"), .array([.bulk("f"), .bulk("v")])]),
                .array([.bulk("2-0"), .null]),
            ]),
        ]),
    ]

    @Test("replies decode alike wherever the stream is split")
    func splits() throws {
        let bytes = Array(RESPCodecTests.stream.utf8)
        for split in 0...bytes.count {
            let decoder = RESPDecoder()
            var head = ByteBuffer(bytes: bytes[..<split])
            var tail = ByteBuffer(bytes: bytes[split...])
            let replies = try decoder.feed(&head) + decoder.feed(&tail)
            #expect(replies == RESPCodecTests.values, "split at \(split)")
        }
    }

    @Test("replies decode byte by byte")
    func singleBytes() throws {
        let decoder = RESPDecoder()
        var replies: [RedisValue] = []
        for byte in RESPCodecTests.stream.utf8 {
            var piece = ByteBuffer(bytes: [byte])
            replies += try decoder.feed(&piece)
        }
        #expect(replies == RESPCodecTests.values)
    }

    private static let garbage = [
        "%1\r\n+a\r\n+b\r\n", "hello\r\n", "$-2\r\n", "*-5\r\n", ":12x\r\n", "*2000000\r\n",
        "*9999999999999\r\n", "$99999999999999999999\r\n",
        String(repeating: "*1\r\n", count: 10_000) + ":1\r\n",
    ]

    @Test("garbage is an error, not a crash and not memory", arguments: garbage.indices)
    func refused(_ index: Int) {
        #expect(throws: RedisError.self) {
            let decoder = RESPDecoder()
            var buffer = ByteBuffer(string: RESPCodecTests.garbage[index])
            let replies = try decoder.feed(&buffer)
            var rest = ByteBuffer(string: "\r\n+OK\r\n")
            let more = try decoder.feed(&rest)
            Issue.record("decoded \(replies) \(more)")
        }
    }

    @Test("a string over 64 MiB is refused before it is held whole")
    func tooLong() {
        #expect(throws: RedisError.self) {
            let decoder = RESPDecoder()
            var head = ByteBuffer(string: "$70000000\r\n")
            _ = try decoder.feed(&head)
            let piece = ByteBuffer(repeating: 0x61, count: 1 << 20)
            for _ in 0..<66 {
                var copy = piece
                _ = try decoder.feed(&copy)
            }
        }
    }

    @Test("a decoder that is dropped in the middle of a reply frees its parts")
    func dropped() throws {
        for length in stride(from: 1, to: RESPCodecTests.stream.utf8.count, by: 3) {
            var head = ByteBuffer(bytes: RESPCodecTests.stream.utf8.prefix(length))
            _ = try RESPDecoder().feed(&head)
        }
    }

    @Test("a command is an array of counted strings")
    func encoding() {
        var buffer = ByteBuffer()
        RESPCodec.encode(["SET", "k", Bytes([0, 13, 10])], into: &buffer)
        #expect(buffer == ByteBuffer(string: "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\0\r\n\r\n"))
    }
}
