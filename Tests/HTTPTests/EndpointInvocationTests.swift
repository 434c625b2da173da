import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Endpoints that invoke", .timeLimit(.minutes(1)))
struct EndpointInvocationTests {
    /// A route whose requests with a body are invocations, by what `functions` do.
    private func route(_ functions: FakeFunctions) -> EndpointRoute {
        var route = EndpointRoute("POST", "/call/{name}", bodyLimit: 100) { _ in .json("by a task") }
        route.invocation = { request in
            guard !request.body.isEmpty else { return nil }
            let name = request.parameters["name"] ?? ""
            let invocation = Invocation(id: request.id, function: name, event: Event(body: request.body))
            return EndpointInvocation(invocation, by: functions, limit: 10) { reply in
                if let error = reply.outcome.error { return .failure(error) }
                return EndpointResponse(headers: [Header("x-a", "1")], body: .bytes(reply.body))
            }
        }
        route.refusal = { error, id in .json(["own": .string(error.code)], status: error.status) }
        return route
    }

    @Test("an invocation is answered with its reply, and bears the request's id")
    func replies() async throws {
        let functions = FakeFunctions.echo()
        try await TestServer.run(endpoints: [route(functions)]) { host in
            let response = try await host.post("/call/a", "12345")
            #expect(response.status == 200 && response.body == "12345" && response["x-a"] == "1")
            let run = await functions.run(1)
            #expect(run.invocation.function == "a" && run.invocation.id == response["x-swiftlet-invocation"])
            #expect(try await host.post("/call/a", "").body == #""by a task""#)
        }
    }

    @Test("a reply over the limit fails, and a refusal has the route's own form")
    func refusals() async throws {
        try await TestServer.run(endpoints: [route(.echo())]) { host in
            let long = try await host.post("/call/a", String(repeating: "x", count: 11))
            #expect(long.status == 502 && long.body.contains("reply_too_large"))
            let refused = try await host.post("/call/a", String(repeating: "x", count: 101))
            #expect(refused.status == 413 && refused.body == #"{"own":"payload_too_large"}"#)
        }
    }

    @Test("a client that goes away cancels the invocation")
    func leaves() async throws {
        let functions = FakeFunctions { _, _, _ in }
        try await TestServer.run(endpoints: [route(functions)]) { host in
            let client = try await host.client()
            try await client.send(TestServer.post("/call/a", "1"))
            let run = await functions.run(1)
            try await client.close()
            await run.isCancelled.wait { $0 }
            try await run.act { $0.end(.cancelled) }
        }
    }
}
