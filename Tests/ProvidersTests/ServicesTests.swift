import FunctionCore
import Invocations
import Synchronization
import Testing

@testable import Fetch
@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct ServicesTests {
    private func ask(_ text: String, system: String = "Be kind.") -> CompletionRequest {
        CompletionRequest(messages: [
            ChatMessage(role: "system", content: system), ChatMessage(role: "user", content: text),
        ])
    }

    private func complete(_ server: TinyServer, _ request: CompletionRequest) async throws -> Completion {
        let answer = RecordedAnswer()
        try await TextService(client(server)).call(callOf("complete", request), answer: answer)
        return try JSONCoder.decode(Completion.self, from: answer.value)
    }

    @Test("a completion comes back with its model, reason and usage, marked as offline")
    func completes() async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        let completion = try await complete(
            server,
            ask("Tell me about lighthouses", system: "Reply in CAPITALS.")
        )
        #expect(completion.offline)
        #expect(completion.model == "offline-1")
        #expect(completion.finishReason == "stop")
        #expect(completion.text.contains("LIGHTHOUSES"))
        #expect(completion.text == completion.text.uppercased())
        #expect((completion.usage?.completion ?? 0) > 0)
        #expect(server.seen[0].headers.first("authorization") == "Bearer sk-secret-of-the-test")
        #expect(server.seen[0].headers.first("traceparent").flatMap { TraceContext(traceparent: $0) } != nil)
    }

    @Test("a streamed completion is the same text, in many pieces")
    func streams() async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        let request = ask("Tell me about lighthouses")
        let answer = RecordedAnswer()
        try await TextService(client(server)).call(callOf("stream", request), answer: answer)
        let head = try JSONCoder.decode(CompletionHead.self, from: answer.value)
        #expect(head.offline && head.model == "offline-1")
        #expect(answer.pieces.count > 10)
        #expect(try await complete(server, request).text == answer.body.text)
    }

    @Test("each fault of the provider has its code, and only passing ones are asked again")
    func faults() async throws {
        let table: [(String, String, Int, Int)] = [
            ("429", "provider_rate_limited", 429, 3), ("quota", "provider_refused", 502, 1),
            ("401", "provider_refused", 502, 1), ("500", "provider_unavailable", 503, 3),
            ("policy", "content_policy", 422, 1),
        ]
        for (fault, code, status, requests) in table {
            let server = TinyServer.offline()
            defer { server.stop() }
            for method in ["complete", "stream"] {
                let call = try callOf(method, ask("Hello [[offline:\(fault)]]"))
                let error = await failure {
                    try await TextService(client(server)).call(call, answer: RecordedAnswer())
                }
                #expect(error?.code == code, "\(fault)")
                #expect(error?.status == status, "\(fault)")
                #expect(error?.message.contains("sk-secret") == false)
            }
            #expect(server.seen.count == requests * 2, "\(fault)")
        }
    }

    @Test("the waits between attempts are the provider's or double")
    func waits() async throws {
        let waits = Mutex<[Duration]>([])
        let server = TinyServer.offline()
        defer { server.stop() }
        let client = try client(server) { wait in waits.withLock { $0.append(wait) } }
        for fault in ["429", "500"] {
            let call = try callOf("complete", ask("[[offline:\(fault)]]"))
            _ = await failure { try await TextService(client).call(call, answer: RecordedAnswer()) }
        }
        #expect(
            waits.withLock { $0 } == [.milliseconds(20), .milliseconds(20), .milliseconds(500), .seconds(1)]
        )
    }

    @Test("a failure within a stream keeps what was written and is thrown")
    func midStream() async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        for fault in ["mid-stream", "cut"] {
            let answer = RecordedAnswer()
            let call = try callOf("stream", ask("Tell me about lighthouses [[offline:\(fault)]]"))
            let error = await failure { try await TextService(client(server)).call(call, answer: answer) }
            #expect(error?.code == "provider_unavailable")
            #expect(!answer.pieces.isEmpty)
        }
        #expect(server.seen.count == 2)
    }

    @Test("a cut completion says so by its reason")
    func length() async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        #expect(
            try await complete(server, ask("Hi there friend [[offline:length]]")).finishReason == "length"
        )
    }

    @Test("nobody listening is unavailable, and a passed deadline is not waited for")
    func unreachable() async throws {
        let server = TinyServer.offline()
        server.stop()
        let client = try client(server)
        let call = try callOf("complete", ask("Hi"))
        let error = await failure { try await TextService(client).call(call, answer: RecordedAnswer()) }
        #expect(error?.code == "provider_unavailable")
        let late = try callOf("complete", ask("Hi"), time: .zero)
        let second = await failure { try await TextService(client).call(late, answer: RecordedAnswer()) }
        #expect(second?.code == "provider_unavailable")
    }

    @Test("a reader that goes away ends the provider's stream")
    func readerGone() async throws {
        let server = TinyServer { _ in
            let event = #"data: {"choices":[{"delta":{"content":"word "},"finish_reason":null}]}"# + "\n\n"
            return OfflineAnswer(
                headers: [.eventStream],
                body: .events(Array(repeating: event, count: 2000), pause: .milliseconds(2))
            )
        }
        defer { server.stop() }
        let answer = RecordedAnswer { count in if count == 3 { throw CancellationError() } }
        await #expect(throws: CancellationError.self) {
            try await TextService(client(server)).call(callOf("stream", ask("Hi")), answer: answer)
        }
        try await eventually { server.brokenOff == 1 }
    }

    @Test(
        "a picture arrives as bytes that are what they are said to be",
        arguments: ["gpt-image-1", "dall-e-3"]
    )
    func images(model: String) async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        let answer = RecordedAnswer()
        let request = ImageRequest(prompt: "a lighthouse in a storm", size: "1024x1536")
        let service = ImagesService(try client(server, imageModel: model))
        try await service.call(callOf("generate", request), answer: answer)
        let info = try JSONCoder.decode(ImageInfo.self, from: answer.value)
        #expect(info.contentType == "image/png")
        #expect(info.width == 1024 && info.height == (model == "dall-e-3" ? 1792 : 1536))
        #expect(info.offline && info.model == model)
        #expect(PictureFormat(answer.body)?.height == info.height)
        #expect(answer.body.count < 300_000)
        // The file behind a URL is fetched without the key.
        let download = server.seen.first { $0.method == "GET" }
        #expect((download != nil) == (model == "dall-e-3"))
        #expect(download?.headers.first("authorization") == nil)
    }

    @Test("what is no picture, or lies at a private address, is no picture")
    func badImages() async throws {
        let other = TinyServer { _ in OfflineAnswer(body: .whole("secret")) }
        let elsewhere = other.url("/x.png")
        let server = TinyServer { request in
            let isText = request.body.text.contains("text")
            let data = isText ? #""b64_json":"AQID""# : #""url":"\#(elsewhere)""#
            return OfflineAnswer(body: .whole(Bytes("{\"data\":[{\(data)}]}")))
        }
        defer {
            other.stop()
            server.stop()
        }
        for prompt in ["text", "url"] {
            let call = try callOf("generate", ImageRequest(prompt: prompt))
            let error = await failure {
                try await ImagesService(client(server)).call(call, answer: RecordedAnswer())
            }
            #expect(error?.code == "bad_image")
        }
        #expect(other.seen.isEmpty)
    }

    @Test("a refused picture is a matter of policy")
    func imagePolicy() async throws {
        let server = TinyServer.offline()
        defer { server.stop() }
        let call = try callOf("generate", ImageRequest(prompt: "x [[offline:policy]]"))
        let error = await failure {
            try await ImagesService(client(server)).call(call, answer: RecordedAnswer())
        }
        #expect(error?.code == "content_policy")
        #expect(error?.status == 422)
    }

    @Test("a function's own request goes out as it was made, and private addresses are refused")
    func fetch() async throws {
        let server = TinyServer {
            OfflineAnswer(status: 418, headers: [Header("X-A", "1")], body: .whole($0.body))
        }
        defer { server.stop() }
        let allow = try AllowList(["127.0.0.1:\(server.port)"])
        let service = FetchService(try Fetcher(Fetcher.Settings(allow: allow)))
        let request = FetchRequest(method: "post", url: server.url("/p"), headers: ["X-B": "2"])
        let answer = RecordedAnswer()
        let call = try callOf("send", request, body: "hello")
        try await service.call(call, answer: answer)
        let head = try JSONCoder.decode(FetchHead.self, from: answer.value)
        #expect(head.status == 418 && head.headers["x-a"] == "1")
        #expect(answer.body == "hello")
        #expect(server.seen[0].method == "POST" && server.seen[0].headers.first("x-b") == "2")
        #expect(server.seen[0].headers.first("traceparent") == call.origin.trace.traceparent)
        #expect(call.origin.facts.all.contains(SpanAttribute("http.response.status_code", 418)))
        let own = FetchRequest(url: server.url("/p"), headers: ["TraceParent": "its-own"])
        try await service.call(callOf("send", own), answer: RecordedAnswer())
        #expect(
            server.seen[1].headers.filter { $0.name.lowercased() == "traceparent" }.map(\.value) == [
                "its-own"
            ]
        )
        let host = FetchRequest(url: server.url("/p"), headers: ["Host": "other"])
        #expect(await failure { try await service.call(callOf("send", host), answer: answer) }?.status == 422)
        let closed = FetchService(try Fetcher())
        #expect(
            await failure { try await closed.call(callOf("send", request), answer: answer) }?.code
                == "fetch_refused"
        )
    }
}
