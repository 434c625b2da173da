import FunctionCore
import FunctionTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FunctionTestTests {
    private struct Greeter: TypedFunction {
        struct Input: Decodable, Sendable { var name: String }
        struct Output: Encodable, Sendable { var greeting: String }

        func handle(_ input: Input, _ context: Context) async throws -> Output {
            context.log.info("greets", ["name": input.name])
            if input.name == "store" { try await context.bindings.state.set("greeted", "yes") }
            return Output(greeting: "Good day, \(input.name)!")
        }
    }

    private struct Waiter: AsyncFunction {
        func handle(_ event: Event, _ context: Context) async throws -> Reply {
            // Does not heed its cancellation: nothing ever resumes it.
            let never = AsyncStream<Never> { _ in }
            if event.operation == "forever" {
                await Task { for await _ in never {} }.value
            }
            for await _ in never {}
            try Task.checkCancellation()
            return Reply()
        }
    }

    private struct Counter: StreamingFunction {
        func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
            if event.operation == "refuse" { throw FunctionError.badRequest("no", "not that") }
            try reply.start(headers: [.eventStream])
            for number in 1...3 { try await reply.event("\(number)") }
            if event.operation == "break" { throw FunctionError(code: "broken", message: "in the middle") }
        }
    }

    private struct Doubler: BatchFunction {
        func handle(_ events: [Event], _ context: Context) async throws -> [Result<Reply, FunctionError>] {
            events.map { event in
                guard let number = Int(event.body.text) else {
                    return .failure(.badRequest("no_number", "not a number"))
                }
                return .success(.text("\(number * 2)"))
            }
        }
    }

    private struct Asker: AsyncFunction {
        func handle(_ event: Event, _ context: Context) async throws -> Reply {
            let answer = try await context.bindings.text.complete(
                CompletionRequest(messages: [ChatMessage(role: "user", content: "?")])
            )
            return .text("\(answer.text) at \(context.now.rfc3339) for \(context.principal ?? "nobody")")
        }
    }

    @Test("a typed function runs in process, its reply is decoded, and what it logs is kept")
    func typed() async throws {
        let test = try FunctionTest(FunctionEntry("greeter", Greeter.self))
        let reply = try await test.invoke(["name": "Ada"])
        #expect(reply.status == 200)
        #expect(try reply.json() == ["greeting": "Good day, Ada!"])
        #expect(test.log.map(\.message) == ["greets"])
        let byRoute = Event.http("GET", "/v1/hello/Eve", parameters: ["name": "Eve"])
        #expect(try await test.invoke(byRoute).json() == ["greeting": "Good day, Eve!"])
    }

    @Test("an input that does not fit is answered with 422, as by a worker")
    func unfit() async throws {
        let test = try FunctionTest(FunctionEntry("greeter", Greeter.self))
        let error = try await #require(throws: FunctionError.self) { try await test.invoke(["name": 7]) }
        #expect(error.status == 422)
    }

    @Test("a binding that is not granted throws binding_not_granted, a granted one works")
    func grants() async throws {
        let without = try FunctionTest(FunctionEntry("greeter", Greeter.self), grants: ["users"])
        let error = try await #require(throws: FunctionError.self) {
            try await without.invoke(["name": "store"])
        }
        #expect(error.code == "binding_not_granted")
        #expect(error.status == 403)
        let with = try FunctionTest(FunctionEntry("greeter", Greeter.self), grants: ["state"])
        try await with.invoke(["name": "store"])
        #expect(with.world.string("greeted") == "yes")
    }

    @Test("an invocation that outlives its time limit is answered with 504, heed it or not")
    func deadline() async throws {
        let test = try FunctionTest(FunctionEntry("waiter", Waiter.self))
        for operation in ["", "forever"] {
            let error = try await #require(throws: FunctionError.self) {
                try await test.invoke(.plain(operation: operation), timeout: .milliseconds(20))
            }
            #expect(error.code == "timed_out")
        }
    }

    @Test("a caller that gives up cancels the handler")
    func cancellation() async throws {
        let test = try FunctionTest(FunctionEntry("waiter", Waiter.self))
        let call = Task { try await test.invoke() }
        call.cancel()
        let error = await #expect(throws: FunctionError.self) { try await call.value }
        #expect(error?.code == "cancelled")
    }

    @Test("a stream is collected piece by piece, broken off where the client leaves or the function fails")
    func streams() async throws {
        let test = try FunctionTest(FunctionEntry("counter", Counter.self))
        let whole = try await test.invoke()
        #expect(whole.events == ["1", "2", "3"])
        #expect(whole.pieces.count == 3)
        let left = try await test.invoke(.plain(), leavesAfter: 2)
        #expect(left.events == ["1", "2"])
        #expect(left.error?.code == "cancelled")
        let broken = try await test.invoke(operation: "break")
        #expect(broken.events.count == 3)
        #expect(broken.error?.code == "broken")
        let refused = try await #require(throws: FunctionError.self) {
            try await test.invoke(operation: "refuse")
        }
        #expect(refused.status == 400)
    }

    @Test("a batch function gets its events at once and has a result for each")
    func batch() async throws {
        let test = try FunctionTest(FunctionEntry("doubler", Doubler.self))
        let results = try await test.invoke(batch: [Event(body: "2"), Event(body: "x"), Event(body: "4")])
        #expect(try results[0].get().text == "4")
        #expect(throws: FunctionError.self) { try results[1].get() }
        #expect(try results[2].get().text == "8")
    }

    @Test("a provider gives its scripted replies in turn, at the time and for the user that the test sets")
    func scripted() async throws {
        let test = try FunctionTest(FunctionEntry("asker", Asker.self), grants: ["text"])
        let limited = FunctionError(status: 429, code: "rate_limited", message: "too many")
        let first = Completion(text: "one", finishReason: "stop", model: "m", offline: true, usage: nil)
        let value = try JSON.parse(JSONCoder.encode(first))
        test.world.script("text.complete", [.success(value), .failure(limited)])
        test.world.advance(.seconds(60))
        let reply = try await test.invoke(.plain(), principal: "mara")
        #expect(reply.text == "one at 2026-11-18T12:01:00Z for mara")
        var codes: [String] = []
        for _ in 0..<2 {
            do throws(FunctionError) { try await test.invoke() } catch { codes.append(error.code) }
        }
        #expect(codes == ["rate_limited", "script_ended"])
    }
}
