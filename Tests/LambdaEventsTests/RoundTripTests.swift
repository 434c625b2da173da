import FunctionCore
import LambdaEvents
import Seeds
import Testing

/// Events and replies of any content come back as they went.
@Suite(.timeLimit(.minutes(1)))
struct RoundTripTests {
    private static let pieces = [
        "a", "%2F", "é", "\"", "\\", "+", ";", "=", ",", "~", "\u{1F600}", "\t", "b c",
    ]

    private func word(_ random: inout SeededRandom, _ pieces: [String] = pieces) -> String {
        (0..<Int.random(in: 1...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    private func bytes(_ random: inout SeededRandom) -> Bytes {
        if Bool.random(using: &random) { return Bytes(word(&random)) }
        return Bytes(
            (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
        )
    }

    @Test("a request", arguments: 0..<200)
    func requests(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let inPath = ["a", "%2F", "%zz", "~", ".", "-", "7"]
        let query = Bool.random(using: &random) ? "?\(word(&random, ["a", "=", "&", "%20", "+", "?"]))" : ""
        let types = ["application/json", "image/png", "text/plain; charset=utf-8"]
        let request = HTTPRequest(
            method: ["GET", "POST", "PUT"].randomElement(using: &random) ?? "GET",
            target: "/\(word(&random, inPath))\(query)",
            parameters: Bool.random(using: &random) ? ["x": word(&random)] : [:],
            headers: [
                Header("x-forwarded-proto", "https"), Header("x-a", word(&random)),
                Header("content-type", types.randomElement(using: &random) ?? ""),
                Header("cookie", "a=1; b=2"),
            ],
            clientAddress: "192.0.2.1",
            scheme: "https"
        )
        let event = Event(kind: .http, request: request, body: bytes(&random))
        let principal = Bool.random(using: &random) ? word(&random) : nil
        let document = try LambdaInput.document(
            for: event,
            id: "i",
            now: Instant(seconds: 0),
            route: "/{x}",
            principal: principal
        )
        let input = try LambdaInput(document)
        #expect(input.event.request == request && input.event.body == event.body)
        #expect(input.principal == principal && input.route == "\(request.method) /{x}")
    }

    @Test("a reply", arguments: 0..<200)
    func replies(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let reply = Reply(
            status: Int.random(in: 200...599, using: &random),
            headers: [
                Header("content-type", "a/b"), Header("x-a", word(&random)), Header("set-cookie", "a=1"),
                Header("set-cookie", "b=2"),
            ],
            body: bytes(&random)
        )
        let read = try HTTPPayloadReply.read(HTTPPayloadReply.document(reply).bytes())
        #expect(read.status == reply.status && read.headers == reply.headers && read.body == reply.body)
    }

    @Test("a batch", arguments: 0..<100)
    func batches(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let entries = (0..<Int.random(in: 1...5, using: &random)).map { place in
            RedisEntry(
                id: "\(place)-\(word(&random))",
                type: word(&random),
                source: word(&random),
                time: Instant(nanoseconds: Int64.random(in: 0...2_000_000_000_000_000_000, using: &random)),
                traceparent: Bool.random(using: &random) ? "00-1-2-01" : nil,
                data: Bool.random(using: &random) ? .string(word(&random)) : ["n": .integer(Int64(place))]
            )
        }
        let batch = RedisEvent(stream: "events:\(word(&random))", entries: entries)
        let event = Event(kind: .redis, body: try JSONCoder.encode(batch))
        let document = try LambdaInput.document(for: event, id: "", now: Instant(seconds: 0), attempt: 4)
        let input = try LambdaInput(document)
        #expect(input.attempt == 4)
        #expect(try JSON.parse(input.event.body) == JSON.parse(event.body))
    }

    @Test("any bytes at all are read or refused, never worse", arguments: 0..<300)
    func hostile(_ seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let request = HTTPRequest(method: "POST", target: "/a?b=c", headers: [Header("cookie", "a=1")])
        var document = try LambdaInput.document(
            for: Event(kind: .http, request: request, body: "x"),
            id: "i",
            now: Instant(seconds: 0)
        ).array
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            let place = Int.random(in: 0..<document.count, using: &random)
            document[place] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? LambdaInput(Bytes(document))
        _ = try? HTTPPayloadReply.read(Bytes(document))
        _ = BatchItemFailures.read(Bytes(document), of: ["a"])
        _ = InvocationFault(Bytes(document)).json
    }
}
