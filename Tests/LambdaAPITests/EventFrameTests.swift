import FunctionCore
import LambdaAPI
import Testing

@Suite("Frames of an AWS event stream", .timeLimit(.minutes(1)))
struct EventFrameTests {
    @Test("the checksum is that of ISO 3309")
    func checksum() {
        #expect(CRC32.of("123456789".utf8) == 0xCBF4_3926)
        #expect(CRC32.of([]) == 0)
    }

    @Test("a message without anything in it is sixteen bytes")
    func empty() {
        let bytes: [UInt8] = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xC2, 0x48, 0xEB, 0x7D, 0x98, 0xC8, 0xFF]
        #expect(EventFrame([], Bytes()).bytes.array == bytes)
    }

    @Test("a message is its lengths, their checksum, headers, payload and the checksum of all")
    func golden() {
        let frame = EventFrame([Header(":event-type", "PayloadChunk")], "{'foo':'bar'}").bytes.array
        let headers = [11] + Array(":event-type".utf8) + [7, 0, 12] + Array("PayloadChunk".utf8)
        #expect(frame.count == 16 + headers.count + 13)
        #expect(Array(frame[0..<8]) == [0, 0, 0, 56, 0, 0, 0, 27])
        #expect(number(frame[8..<12]) == CRC32.of(frame[..<8]))
        #expect(Array(frame[12..<39]) == headers)
        #expect(Array(frame[39..<52]) == Array("{'foo':'bar'}".utf8))
        #expect(number(frame[52...]) == CRC32.of(frame[..<52]))
    }

    @Test("a stream's end tells how it failed, and the log where it was asked for")
    func completes() {
        #expect(EventFrame.complete().payload == "{}")
        let failed = EventFrame.complete(error: #"{"errorType":"odd"}"#, log: "bG9n")
        let end = #"{"ErrorCode":"Unhandled","ErrorDetails":"{\"errorType\":\"odd\"}","LogResult":"bG9n"}"#
        #expect(failed.payload.text == end)
        #expect(failed.headers.first(":event-type") == "InvokeComplete")
        #expect(EventFrame.chunk("a").headers.first(":content-type") == "application/octet-stream")
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
