import FunctionCore
import Invocations
import RedisTrigger
import Synchronization
import TestSupport
import Testing

/// Carries calls straight to a service, as the host does.
private struct ServiceCaller: BindingCaller {
    let service: any BindingService

    private final class Answer: BindingAnswering {
        let value = Mutex(Bytes("{}"))
        func send(_ value: Bytes) throws { self.value.withLock { $0 = value } }
        func write(_ piece: Bytes) async throws {}
    }

    func call(_ request: BindingRequest) async throws -> BindingReply {
        let origin = CallOrigin(
            invocation: "i",
            function: "f",
            deadline: Monotonic(nanoseconds: .max)
        )
        let answer = Answer()
        let call = BindingCall(method: request.method, arguments: request.arguments, origin: origin)
        try await service.call(call, answer: answer)
        return BindingReply(value: answer.value.withLock { $0 })
    }
}

@Suite(.timeLimit(.minutes(1)))
struct StateServiceTests {
    private func withState(_ body: (StateBinding, RedisClient) async throws -> Void) async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                try await body(Bindings(ServiceCaller(service: StateService(client: client))).state, client)
            }
        }
    }

    @Test("a string is stored under state:<key>, read, and deleted")
    func strings() async throws {
        try await withState { state, client in
            #expect(try await state.get("mood") == nil)
            try await state.set("mood", "gay & \"grün\"")
            #expect(try await state.get("mood") == "gay & \"grün\"")
            #expect(try await client.send(["GET", "state:mood"]).text == "gay & \"grün\"")
            try await state.delete("mood")
            #expect(try await state.get("mood") == nil)
        }
    }

    @Test("replace stores only over what is expected, also where nothing is")
    func replaces() async throws {
        try await withState { state, _ in
            #expect(try await state.replace("k", expected: nil, with: "a"))
            #expect(try await !state.replace("k", expected: nil, with: "b"))
            #expect(try await !state.replace("k", expected: "x", with: "b"))
            #expect(try await state.replace("k", expected: "a", with: "b"))
            #expect(try await state.get("k") == "b")
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask { try await state.replace("k", expected: "b", with: "w\(number)") }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(winners == 1)
        }
    }

    @Test("counters count, hashes keep fields, lists keep their last members")
    func collections() async throws {
        try await withState { state, client in
            #expect(try await state.increment("n") == 1)
            #expect(try await state.increment("n", by: -5) == -4)
            #expect(try await state.fields("h") == [:])
            try await state.setFields("h", ["a": "1", "b": "2"])
            try await state.setFields("h", ["b": "3"])
            #expect(try await state.fields("h") == ["a": "1", "b": "3"])
            for number in 1...5 { try await state.append("l", "\(number)", keep: 3) }
            #expect(try await state.last("l", 10) == ["3", "4", "5"])
            #expect(try await state.last("l", 2) == ["4", "5"])
            #expect(try await state.last("l", 0) == [])
            #expect(try await client.send(["LLEN", "state:l"]).int == 3)
        }
    }

    @Test("wrong kinds, bad arguments and unknown methods each have their error")
    func errors() async throws {
        try await withState { state, client in
            try await state.set("s", "text")
            let code = { (body: () async throws -> Void) async -> String? in
                do {
                    try await body()
                    return nil
                } catch {
                    return (error as? FunctionError)?.code
                }
            }
            #expect(await code { try await state.append("s", "x", keep: 1) } == "wrong_type")
            #expect(await code { _ = try await state.increment("s") } == "not_an_integer")
            #expect(await code { try await state.append("l", "x", keep: 0) } == "invalid_input")
            #expect(await code { try await state.set("", "x") } == "invalid_input")
            let long = String(repeating: "x", count: 2 << 20)
            #expect(await code { try await state.set("k", long) } == "invalid_input")
            let caller = ServiceCaller(service: StateService(client: client))
            let unknown = BindingRequest(binding: "state", method: "explode", arguments: "{\"key\": \"k\"}")
            #expect(await code { _ = try await caller.call(unknown) } == "unknown_method")
        }
    }

    @Test("while Redis is away a call fails with 503 redis_unavailable and may be retried after a second")
    func away() async throws {
        try await RedisServer.run { server in
            try await withClient(server.url) { client in
                let state = Bindings(ServiceCaller(service: StateService(client: client))).state
                try await state.set("k", "v")
                await server.kill()
                let error = await #expect(throws: FunctionError.self) { try await state.get("k") }
                #expect(error?.status == 503)
                #expect(error?.code == "redis_unavailable")
                #expect(error?.retry == .after(.seconds(1)))
            }
        }
    }
}
