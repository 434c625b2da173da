import FunctionCore
import HTTPTrigger
import Testing

@Suite("Byte ranges", .timeLimit(.minutes(1)))
struct ByteRangeTests {
    @Test(
        "a Range header is read as RFC 9110 has it",
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-3", .part(offset: 0, length: 4)),
            ("bytes=4-", .part(offset: 4, length: 6)),
            ("bytes=-3", .part(offset: 7, length: 3)), ("bytes=-30", .part(offset: 0, length: 10)),
            ("bytes=9-99", .part(offset: 9, length: 1)), ("bytes=10-", .unsatisfiable),
            ("bytes=-0", .unsatisfiable),
            ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole),
            ("bytes=-", .whole), ("bytes=a-b", .whole), ("lines=0-1", .whole), ("bytes=+1-2", .whole),
            ("bytes=0-99999999999999999999", .part(offset: 0, length: 10)),
        ] as [(String?, ByteRange)]
    )
    func reads(header: String?, range: ByteRange) {
        #expect(ByteRange(header, size: 10) == range)
    }

    @Test("an empty body satisfies no range")
    func empty() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange(nil, size: 0) == .whole)
    }
}
