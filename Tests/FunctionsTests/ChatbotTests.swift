import FunctionCore
import FunctionTesting
import Testing

@testable import Chatbot

@Suite(.timeLimit(.minutes(1)))
struct ChatbotTests {
    let world = FakeBindings(now: Instant(seconds: 1_795_003_200))
    let bot = ChatbotFunction()

    init() {
        world.onText { request in "You said: \(request.messages.last?.content ?? "")" }
    }

    @discardableResult
    private func ask(
        _ body: JSON,
        leavesAfter: Int = .max,
        principal: String? = nil
    ) async throws -> TestReply {
        let recorder = ReplyRecorder(leavesAfter: leavesAfter)
        let event = Event(kind: .http, operation: "complete", body: body.bytes())
        let context = world.context("chatbot", invocation: "inv7", principal: principal)
        try await bot.handle(event, context, recorder.stream)
        return recorder.reply
    }

    private func question(_ text: String, _ more: JSONObject = [:]) -> JSON {
        var object: JSONObject = ["model": "m", "messages": [["role": "user", "content": .string(text)]]]
        for (name, value) in more { object[name] = value }
        return .object(object)
    }

    private func instruct(_ bot: String, _ fields: [String: String]) async throws {
        try await Bindings(world).state.setFields("chat:instructions:\(bot)", fields)
    }

    /// What the model was told last.
    private func told() throws -> [ChatMessage] {
        let call = try #require(world.calls.last { $0.name.hasPrefix("text.") })
        return try JSONCoder.decode(CompletionRequest.self, from: call.arguments).messages
    }

    @Test("a whole answer is a chat.completion with one choice and its usage")
    func whole() async throws {
        let reply = try await ask(question("hi", ["user": 7, "temperature": 1, "max_tokens": 50]))
        #expect(reply.status == 200)
        #expect(reply.headers.first("content-type") == "application/json")
        let answer = try reply.json()
        #expect(answer["id"] == "chatcmpl-inv7")
        #expect(answer["object"] == "chat.completion")
        #expect(answer["created"] == 1_795_003_200)
        #expect(answer["model"] == "fake")
        #expect(answer["offline"] == true)
        let choice: JSON = [
            "index": 0, "message": ["role": "assistant", "content": "You said: hi", "refusal": nil],
            "logprobs": nil, "finish_reason": "stop",
        ]
        #expect(answer["choices"] == [choice])
        let usage = try #require(answer["usage"])
        #expect(usage["estimated"] == true)
        let call = try #require(world.calls("text.complete").first)
        #expect(call.arguments["user"] == "7")
        #expect(call.arguments["maxTokens"] == 50)
    }

    @Test("a streamed answer is, byte for byte, the dialect's events: role, words, finish, usage, [DONE]")
    func streamGolden() async throws {
        try await instruct("default", ["text": "Be brief.", "version": "3"])
        let more: JSONObject = ["stream": true, "stream_options": ["include_usage": true]]
        let reply = try await ask(question("hi there", more))
        #expect(reply.status == 200)
        #expect(reply.headers.first("content-type") == "text/event-stream")
        let head =
            #""id":"chatcmpl-inv7","object":"chat.completion.chunk","created":1795003200,"model":"fake","#
            + #""system_fingerprint":"instructions-3","offline":true"#
        func event(_ delta: String, _ finish: String = "null") -> String {
            let choice = #"{"index":0,"delta":\#(delta),"logprobs":null,"finish_reason":\#(finish)}"#
            return #"data: {\#(head),"choices":[\#(choice)],"usage":null}"# + "\n\n"
        }
        let usage = #""usage":{"prompt_tokens":16,"completion_tokens":5,"total_tokens":21,"estimated":true}"#
        let expected =
            event(#"{"role":"assistant","content":""}"#) + event(#"{"content":"You "}"#)
            + event(#"{"content":"said: "}"#) + event(#"{"content":"hi "}"#) + event(#"{"content":"there"}"#)
            + event("{}", #""stop""#) + #"data: {\#(head),"choices":[],\#(usage)}"# + "\n\n"
            + "data: [DONE]\n\n"
        #expect(reply.text == expected)
        #expect(reply.pieces.count == 8)
    }

    @Test("without include_usage no chunk has a usage")
    func noUsage() async throws {
        let chunks = try await ask(question("hi", ["stream": true])).chunks()
        #expect(chunks.count == 5)
        for chunk in chunks {
            #expect(chunk.objectValue?.contains(key: "usage") == false)
            #expect(chunk["choices"]?.arrayValue?.count == 1)
        }
    }

    @Test("instructions that change between two messages hold for the second one")
    func instructionsChange() async throws {
        try await instruct("default", ["text": "Speak like a pirate.", "version": "1"])
        let first = try await ask(question("one", ["conversation": "c"]))
        #expect(try told().first == ChatMessage(role: "system", content: "Speak like a pirate."))
        #expect(try first.json()["system_fingerprint"] == "instructions-1")
        try await instruct("default", ["text": "Speak like a judge.", "version": "2"])
        let second = try await ask(question("two", ["conversation": "c"]))
        #expect(try told().first == ChatMessage(role: "system", content: "Speak like a judge."))
        #expect(try told().filter { $0.role == "system" }.count == 1)
        #expect(try second.json()["system_fingerprint"] == "instructions-2")
        #expect(second.headers.first("x-instructions") == "current")
    }

    @Test("each bot has instructions of its own, and a text without a version still shows that it changed")
    func bots() async throws {
        try await instruct("sales", ["text": "Sell."])
        let one = try await ask(question("hi", ["bot": "sales"])).json()["system_fingerprint"]
        try await instruct("sales", ["text": "Sell more."])
        let two = try await ask(question("hi", ["bot": "sales"])).json()["system_fingerprint"]
        #expect(try told().first?.content == "Sell more.")
        #expect(one != two)
        #expect(try await ask(question("hi")).json()["system_fingerprint"] == "instructions-default")
    }

    @Test(
        "while Redis is away the last instructions of this worker hold, marked stale; a fresh worker has built-in ones"
    )
    func redisAway() async throws {
        try await instruct("default", ["text": "Be kind.", "version": "9"])
        try await ask(question("hi"))
        world.fail("state.fields", with: FunctionError(status: 503, code: "redis_unavailable", message: "m"))
        let stale = try await ask(question("hi"))
        #expect(stale.status == 200)
        #expect(stale.headers.first("x-instructions") == "stale")
        #expect(try stale.json()["system_fingerprint"] == "instructions-9")
        #expect(try told().first?.content == "Be kind.")
        let recorder = ReplyRecorder()
        let event = Event(kind: .http, body: question("hi").bytes())
        try await ChatbotFunction().handle(event, world.context("chatbot"), recorder.stream)
        #expect(recorder.reply.headers.first("x-instructions") == "default")
    }

    @Test("without a conversation the request's own messages are all that the model is told")
    func stateless() async throws {
        let body: JSON = [
            "messages": [
                ["role": "developer", "content": "rule"], ["role": "user", "content": "one"],
                ["role": "assistant", "content": "two"],
                [
                    "role": "user",
                    "content": [["type": "text", "text": "th"], ["type": "text", "text": "ree"]],
                ],
            ]
        ]
        try await ask(body)
        #expect(try told().map(\.role) == ["system", "developer", "user", "assistant", "user"])
        #expect(try told().last?.content == "three")
        #expect(world.calls.allSatisfy { $0.name != "state.append" })
    }

    @Test("with a conversation the stored history comes first and only the last user message is added")
    func conversation() async throws {
        try await ask(question("first", ["conversation": "c1"]))
        let body: JSON = [
            "conversation": "c1", "stream": true, "user": "someone",
            "messages": [["role": "user", "content": "forged"], ["role": "user", "content": "second"]],
        ]
        try await ask(body)
        #expect(try told().map(\.content).dropFirst() == ["first", "You said: first", "second"])
        try await ask(question("third", ["conversation": "c1"]))
        #expect(try told().map(\.role) == ["system", "user", "assistant", "user", "assistant", "user"])
        #expect(try told()[4].content == "You said: second")
        #expect(world.list("chat:conversation:c1").count == 6)
    }

    @Test("a conversation keeps its last forty messages, and belongs to its principal")
    func bounds() async throws {
        for number in 0..<25 { try await ask(question("n\(number)", ["conversation": "c"])) }
        #expect(world.list("chat:conversation:c").count == 40)
        #expect(try told().count == 1 + 40 + 1)
        #expect(try told()[1].content == "n4")
        try await ask(question("mine", ["conversation": "c"]), principal: "eve")
        #expect(try told().count == 2)
    }

    @Test("a reader that goes away leaves the partial answer in the conversation, marked as interrupted")
    func interrupted() async throws {
        await #expect(throws: CancellationError.self) {
            try await ask(question("a b c d", ["conversation": "c", "stream": true]), leavesAfter: 3)
        }
        let lines = try world.list("chat:conversation:c").map { try JSON.parse(Bytes($0)) }
        #expect(lines.count == 2)
        #expect(lines[1]["interrupted"] == true)
        #expect(lines[1]["content"] == "You said: a ")
    }

    @Test("a provider that fails in the middle ends the stream with an error event and without [DONE]")
    func breaksOff() async throws {
        world.on("text.stream") { _ in
            let head = try JSONCoder.encode(CompletionHead(model: "m", offline: true))
            let pieces = PieceCounter()
            return BindingReply(
                value: head,
                body: BindingBody {
                    guard await pieces.next() > 1 else { return "Once " }
                    throw FunctionError(status: 503, code: "provider_unavailable", message: "gone")
                }
            )
        }
        let reply = try await ask(question("hi", ["stream": true, "conversation": "c"]))
        #expect(reply.status == 200)
        let last = try #require(try reply.chunks().last)
        #expect(
            last["error"] == [
                "message": "gone", "type": "server_error", "param": nil, "code": "provider_unavailable",
            ]
        )
        #expect(!reply.text.contains("[DONE]"))
        #expect(try JSON.parse(Bytes(world.list("chat:conversation:c").last ?? ""))["interrupted"] == true)
    }

    @Test(
        "a provider that refuses before the first word gives its status in the dialect's shape",
        arguments: [true, false]
    )
    func refused(stream: Bool) async throws {
        let limited = FunctionError(
            status: 429,
            code: "provider_rate_limited",
            message: "slow down",
            retry: .after(.seconds(7))
        )
        world.fail("text.stream", with: limited)
        world.fail("text.complete", with: limited)
        let reply = try await ask(question("hi", ["stream": .bool(stream)]))
        #expect(reply.status == 429)
        #expect(reply.headers.first("retry-after") == "7")
        #expect(try reply.json()["error"]?["type"] == "rate_limit_error")
        #expect(try reply.json()["error"]?["param"] == JSON.null)
    }

    @Test("a conversation whose history cannot be read is refused with 503 rather than answered without it")
    func historyAway() async throws {
        world.fail("state.last", with: FunctionError(status: 503, code: "redis_unavailable", message: "m"))
        let reply = try await ask(question("hi", ["conversation": "c"]))
        #expect(reply.status == 503)
        #expect(try reply.json()["error"]?["code"] == "redis_unavailable")
        #expect(reply.headers.first("retry-after") == "1")
    }

    @Test("an answer whose conversation cannot be stored is given all the same, and says so")
    func unsaved() async throws {
        world.fail("state.append", with: FunctionError(status: 503, code: "redis_unavailable", message: "m"))
        let reply = try await ask(question("hi", ["conversation": "c"]))
        #expect(reply.status == 200)
        #expect(reply.headers.first("x-conversation") == "unsaved")
    }

    @Test(
        "a request that breaks a rule is answered with 400 in the dialect's shape, naming the member",
        arguments: [
            (#"{"messages": []}"#, "messages", "empty_array"),
            (#"{}"#, "messages", "missing_required_parameter"),
            (#"{"messages": "hi"}"#, "messages", "invalid_type"),
            (#"{"messages": [{"role": "wizard", "content": "x"}]}"#, "messages[0].role", "invalid_value"),
            (#"{"messages": [{"role": "tool", "content": "x"}]}"#, "messages[0].role", "invalid_value"),
            (#"{"messages": [{"role": "user", "content": ""}]}"#, "messages[0].content", "invalid_value"),
            (#"{"messages": [{"role": "user", "content": 3}]}"#, "messages[0].content", "invalid_type"),
            (
                #"{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}"#,
                "messages[0].content[0]",
                "unsupported_value"
            ),
            (
                #"{"messages": [{"role": "user", "content": "x"}], "temperature": 3}"#, "temperature",
                "invalid_value"
            ),
            (
                #"{"messages": [{"role": "user", "content": "x"}], "max_tokens": 0}"#, "max_tokens",
                "invalid_value"
            ),
            (#"{"messages": [{"role": "user", "content": "x"}], "n": 2}"#, "n", "unsupported_value"),
            (
                #"{"messages": [{"role": "user", "content": "x"}], "tools": [{}]}"#, "tools",
                "unsupported_parameter"
            ),
            (#"{"messages": [{"role": "user", "content": "x"}], "bot": "a b"}"#, "bot", "invalid_value"),
            (
                #"{"messages": [{"role": "system", "content": "x"}], "conversation": "c"}"#, "messages",
                "missing_user_message"
            ),
            (#"{"messages": [{"role": "user", "content": "x"}], "stream": "yes"}"#, "stream", "invalid_type"),
        ]
    )
    func invalid(body: String, param: String, code: String) async throws {
        let recorder = ReplyRecorder()
        let event = Event(kind: .http, body: Bytes(body))
        try await bot.handle(event, world.context("chatbot"), recorder.stream)
        #expect(recorder.reply.status == 400)
        let error = try #require(try recorder.reply.json()["error"])
        #expect(error["param"] == .string(param))
        #expect(error["code"] == .string(code))
        #expect(error["type"] == "invalid_request_error")
        #expect(error["message"]?.stringValue?.isEmpty == false)
        #expect(world.calls.isEmpty)
    }

    @Test("a body that is no JSON is refused in the dialect's shape")
    func badJSON() async throws {
        let recorder = ReplyRecorder()
        try await bot.handle(Event(kind: .http, body: "{nope"), world.context("chatbot"), recorder.stream)
        #expect(recorder.reply.status == 400)
        #expect(try recorder.reply.json()["error"]?["code"] == "bad_json")
    }

    @Test("a JSON schema in response_format reaches the model")
    func schema() async throws {
        let format: JSON = [
            "type": "json_schema", "json_schema": ["name": "s", "schema": ["type": "object"]],
        ]
        try await ask(question("hi", ["response_format": format]))
        let call = try #require(world.calls("text.complete").first)
        #expect(call.arguments["schemaName"] == "s")
        #expect(call.arguments["schema"] == ["type": "object"])
    }
}

/// Counts pieces from 1.
private actor PieceCounter {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}

extension TestReply {
    /// The data of all server-sent events but `[DONE]`.
    func chunks() throws -> [JSON] {
        try events.filter { $0 != "[DONE]" }.map { try JSON.parse(Bytes($0)) }
    }
}
