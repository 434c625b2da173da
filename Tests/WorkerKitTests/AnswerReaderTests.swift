import FunctionCore
import Seeds
import Testing

@testable import WorkerKit

@Suite(.timeLimit(.minutes(1)))
struct AnswerReaderTests {
    /// A reader of `text` that gets at most `piece` bytes at a time.
    private func reader(_ text: String, piece: Int = .max) -> AnswerReader {
        var rest = Array(text.utf8)[...]
        return AnswerReader {
            let bytes = Array(rest.prefix(piece))
            rest = rest.dropFirst(bytes.count)
            return bytes
        }
    }

    @Test("answers are read one after another, however they are cut", arguments: [1, 2, 7, .max])
    func reads(_ piece: Int) throws {
        var reader = reader(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-A:  b \r\nContent-Length: 2\r\n\r\nhi"
                + "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\n"
                + "T: v\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 500 Bad\n\nrest",
            piece: piece
        )
        let first = try reader.next()
        #expect(first.status == 200 && first.body == "hi" && first.keepsAlive)
        #expect(first.headers.first("x-a") == "b")
        #expect(try reader.next().body == "abc0123456789")
        #expect(try reader.next().status == 204)
        let last = try reader.next()
        #expect(last.status == 500 && last.body == "rest" && !last.keepsAlive)
        let end = #expect(throws: RuntimeFault.self) { try reader.next() }
        #expect(end?.isAtStart == true)
    }

    @Test(
        "what is no answer is refused, and never waited for without an end",
        arguments: [
            "SSH-2.0\r\n\r\n", "HTTP/1.1 9 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "HTTP/1.1 200",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 70_000),
        ]
    )
    func refuses(_ text: String) {
        var reader = reader(text)
        let fault = #expect(throws: RuntimeFault.self) { try reader.next() }
        #expect(fault?.isAtStart == false)
    }

    @Test("any bytes are an answer or a fault, never worse", arguments: 0..<200)
    func hostile(_ seed: Int) {
        var random = SeededRandom(UInt64(seed))
        var bytes = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8)
        for _ in 0..<4 {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        var reader = reader(String(decoding: bytes, as: UTF8.self), piece: 5)
        while (try? reader.next()) != nil {}
    }
}
