import FunctionCore
import HostKit
import Invocations
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InvokeServiceTests {
    private final class Answer: BindingAnswering {
        private let sent = Mutex<[Bytes]>([])
        func send(_ value: Bytes) throws { sent.withLock { $0.append(value) } }
        func write(_ piece: Bytes) async throws {}
        var values: [Bytes] { sent.withLock { $0 } }
    }

    private func call(depth: Int, _ method: String = "invoke") throws -> BindingCall {
        let origin = CallOrigin(
            invocation: "caller",
            function: "one",
            depth: depth,
            principal: "anna",
            deadline: .now + .seconds(20)
        )
        let request = InvokeRequest(function: "two", input: ["a": 1])
        return BindingCall(method: method, arguments: try JSONCoder.encode(request), origin: origin)
    }

    private func service(_ reply: CollectedReply?) -> (InvokeService, Recorder) {
        let recorder = Recorder(on: testLoop) { _ in reply }
        let service = InvokeService(loop: testLoop)
        service.connect(recorder)
        return (service, recorder)
    }

    @Test(
        "a call runs the other function one deeper, in the caller's trace, for its principal, within its time"
    )
    func origin() async throws {
        let (service, recorder) = service(.ok)
        let answer = Answer()
        let call = try call(depth: 3)
        try await service.call(call, answer: answer)
        let seen = recorder.seen[0].invocation
        #expect(seen.function == "two" && seen.depth == 4 && seen.principal == "anna")
        #expect(seen.trace.traceID == call.origin.trace.traceID)
        #expect(seen.parent == ParentSpan(call.origin.trace.span))
        #expect(try #require(seen.timeout) <= .seconds(20))
        #expect(seen.fencingToken == nil)
        #expect(try JSON.parse(seen.event.body)["a"]?.intValue == 1)
        #expect(answer.values == ["{\"done\":true}"])
    }

    @Test("the sixteenth call in a chain is made, the seventeenth is refused and nothing runs")
    func depth() async throws {
        let (service, recorder) = service(.ok)
        try await service.call(call(depth: 15), answer: Answer())
        let error = await #expect(throws: FunctionError.self) {
            try await service.call(call(depth: 16), answer: Answer())
        }
        #expect(error?.status == 508 && error?.code == "depth_exceeded" && error?.retry == .never)
        #expect(recorder.seen.count == 1)
    }

    @Test("what the other function fails with is the call's failure")
    func failures() async throws {
        let (failing, _) = service(.failed())
        let failed = await #expect(throws: FunctionError.self) {
            try await failing.call(call(depth: 0), answer: Answer())
        }
        #expect(failed?.code == "broken")
        let (refusing, _) = service(.status(422, code: "invalid_input"))
        let refused = await #expect(throws: FunctionError.self) {
            try await refusing.call(call(depth: 0), answer: Answer())
        }
        #expect(refused?.status == 422 && refused?.code == "invalid_input")
    }

    @Test("a caller that goes away cancels what it called")
    func cancelled() async throws {
        let (service, recorder) = service(nil)
        let call = try call(depth: 0)
        let task = Task { try await service.call(call, answer: Answer()) }
        try await recorder.wait("the call") { $0.count == 1 }
        task.cancel()
        try await recorder.wait("the cancelling") { $0[0].isCancelled }
        _ = await #expect(throws: FunctionError.self) { try await task.value }
    }

    @Test("an unknown method, and a host that is not ready, are told")
    func refusals() async throws {
        let (service, _) = service(.ok)
        let unknown = await #expect(throws: FunctionError.self) {
            try await service.call(call(depth: 0, "other"), answer: Answer())
        }
        #expect(unknown?.status == 501)
        let early = await #expect(throws: FunctionError.self) {
            try await InvokeService(loop: testLoop).call(call(depth: 0), answer: Answer())
        }
        #expect(early?.status == 503)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct WindowTokensTests {
    private let clock = standing("2026-11-25T14:30:00Z")

    private var tokens: WindowTokens {
        WindowTokens(
            rotationOf: ["trading": "market", "learning": "market", "other": "second"],
            clock: clock
        )
    }

    @Test("a token is current from its grant until its hard stop, for the functions of its rotation only")
    func current() {
        let tokens = tokens
        #expect(!tokens.isCurrent("trading", 1))
        tokens.grant("market", 1, until: at("2026-11-25T20:56:00Z"))
        #expect(tokens.isCurrent("trading", 1))
        #expect(!tokens.isCurrent("trading", 0) && !tokens.isCurrent("trading", 2))
        #expect(!tokens.isCurrent("other", 1) && !tokens.isCurrent("nobody", 1))
        clock.set(at("2026-11-25T20:55:59Z"))
        #expect(tokens.isCurrent("trading", 1))
        clock.set(at("2026-11-25T20:56:00Z"))
        #expect(!tokens.isCurrent("trading", 1))
    }

    @Test("a grant takes the place of the one before; revoking that one changes nothing any more")
    func fenced() {
        let tokens = tokens
        tokens.grant("market", 1, until: at("2026-11-26T00:00:00Z"))
        tokens.grant("market", 2, until: at("2026-11-26T00:00:00Z"))
        #expect(!tokens.isCurrent("trading", 1) && tokens.isCurrent("trading", 2))
        tokens.revoke("market", 1)
        #expect(tokens.isCurrent("learning", 2))
        tokens.revoke("market", 2)
        #expect(!tokens.isCurrent("learning", 2))
    }

    @Test("a drain shortens a grant, never lengthens it")
    func shortened() {
        let tokens = tokens
        tokens.grant("market", 1, until: at("2026-11-25T20:56:00Z"))
        tokens.shorten("market", 1, until: at("2026-11-25T21:00:00Z"))
        tokens.shorten("market", 9, until: at("2026-11-25T14:00:00Z"))
        #expect(tokens.isCurrent("trading", 1))
        tokens.shorten("market", 1, until: at("2026-11-25T14:31:00Z"))
        clock.set(at("2026-11-25T14:31:00Z"))
        #expect(!tokens.isCurrent("trading", 1))
    }
}
