import FunctionCore
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct EventStreamParserTests {
    private static let expected = [
        ServerSentEvent(data: "first"),
        ServerSentEvent(name: "delta", data: "two\nlines", id: "7"),
        ServerSentEvent(data: "äöü 🎈", id: "7"),
        ServerSentEvent(data: "[DONE]", id: "7"),
    ]

    @Test(
        "a stream reads the same with every line end and split at every byte",
        arguments: ["\n", "\r", "\r\n"]
    )
    func splits(end: String) throws {
        let lines = [
            ": a comment", "data: first", "", "event: delta", "id: 7", "data:two", "data: lines", "retry: 10",
            "",
            "data: äöü 🎈", "", "", "event: nothing", "", "data: [DONE]", "", "",
        ]
        let bytes = Array(lines.joined(separator: end).utf8)
        for cut in 0...bytes.count {
            var parser = EventStreamParser()
            var events = try parser.feed(Bytes(Array(bytes[..<cut])))
            events += try parser.feed(Bytes(Array(bytes[cut...])))
            #expect(events == Self.expected)
        }
        var parser = EventStreamParser()
        let single = try bytes.flatMap { try parser.feed(Bytes([$0])) }
        #expect(single == Self.expected)
    }

    @Test("a byte order mark before the first line is not part of it")
    func mark() throws {
        var parser = EventStreamParser()
        #expect(try parser.feed("\u{FEFF}data: x\n\n") == [ServerSentEvent(data: "x")])
    }

    @Test("an event without end is refused at the limit")
    func limit() throws {
        var parser = EventStreamParser()
        let piece = Bytes([UInt8](repeating: 97, count: 700_000))
        _ = try parser.feed(piece)
        #expect(throws: FunctionError.self) { _ = try parser.feed(piece) }
    }
}
