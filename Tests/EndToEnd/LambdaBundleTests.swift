import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    /// One bundle in two homes at once: as a `bootstrap` behind our own Runtime API.
    @Suite("The bundle behind the own Runtime API", .serialized, .timeLimit(.minutes(5)))
    struct LambdaBundleTests {
        private func run(
            _ functions: [String: String],
            _ body: (DevHost) async throws -> Void
        ) async throws {
            let place = try TemporaryPlace()
            try await DevHost.run(try LambdaProject.ownBundle(functions, in: place.path), body)
        }

        @Test("plain events, failures, time limits and crashes are as with the bundle's own workers")
        func plain() async throws {
            let functions = [
                "l-tell": "handler: tell", "l-failing": "handler: failing", "l-leave": "handler: leave",
                "l-hang": "handler: hang\nlimits: {timeout: 300ms, grace: 100ms}",
                "l-none": "handler: nowhere",
            ]
            try await run(functions) { host in
                let told = try await host.lambda("l-tell", ["a": 1])
                #expect(told.fault == nil && told.body["body"] == "{\"a\":1}", "\(told.body.text)")
                #expect(told.body["kind"] == "plain")
                #expect((1...30_000).contains(told.body["remaining"]?.intValue ?? 0))
                #expect(told.log.hasPrefix("START RequestId: \(told.request) Version: $LATEST\n"))
                #expect(
                    told.log.contains("told") && told.log.contains("\nREPORT RequestId: \(told.request)\t")
                )
                let failed = try await host.lambda("l-failing", [:])
                let native = try await host.lambda("failing", [:])
                #expect(failed.fault == "Unhandled" && failed.error == native.error)
                let late = try await host.lambda("l-hang", [:])
                #expect(late.error.type == "Sandbox.Timedout")
                let left = try await host.lambda("l-leave", [:])
                #expect(left.error.message.hasSuffix("Runtime exited without providing a reason"))
                let none = try await host.lambda("l-none", [:])
                #expect(none.fault == "Unhandled" && none.body.text.contains("nowhere"), "\(none.body.text)")
            }
        }

        @Test("requests, batches and streams reach it in AWS's shapes, and its replies come back as they are")
        func triggers() async throws {
            let functions = [
                "l-one": """
                handler: tell.one
                triggers: {http: [{method: POST, path: "/l/{what}"}]}
                """,
                "l-typed": """
                handler: order
                triggers: {http: [{method: POST, path: /l-order}]}
                """,
                "l-partial": """
                handler: partial
                triggers: {redis: [{stream: lambda-orders, batch: 4, window: 200ms}]}
                retry: {attempts: 3, backoff: 20ms, ceiling: 40ms}
                """,
                "l-stream": "handler: stream\ntriggers: {http: [{method: POST, path: /l-stream}]}",
            ]
            try await run(functions) { host in
                let one = try await host.post("/l/tea?cup=2", ["a": 1])
                #expect(one.status == 200 && one.json["operation"] == "one", "\(one.text)")
                #expect(one.json["target"] == "/l/tea?cup=2" && one.json["parameters"]?["what"] == "tea")
                #expect(one.headers.filter { $0.name.lowercased() == "set-cookie" }.count == 2)
                let event: JSON = [
                    "specversion": "1.0", "id": "7", "source": "/s", "type": "t",
                    "data": ["item": "tea", "count": 2],
                ]
                let order = try await HTTP.send(
                    "POST",
                    "\(host.gateway)/l-order",
                    event.bytes(),
                    [Header("content-type", "application/cloudevents+json")]
                )
                #expect(order.json["order"]?["count"] == 2 && order.json["id"] == "7", "\(order.text)")
                let wrong = try await host.post("/l-order", ["item": "tea"])
                #expect(wrong.status == 422, "\(wrong.text)")
                let streamed = try await host.post("/l-stream", ["events": 4])
                #expect(streamed.status == 200 && streamed.text.contains("3:"), "\(streamed.text)")
                for data in [#"{"n":1}"#, #"{"n":2,"fail":"yes"}"#] {
                    _ = try await host.redis("XADD", "lambda-orders", "*", "data", data)
                }
                _ = try await eventually("the dead letter of the one that fails") {
                    let count = try await host.redis("XLEN", "dead:{lambda-orders}")
                    return count == .integer(1) ? true : nil
                }
            }
        }

        @Test("four events at once are in one process, and more callers than that lose nothing")
        func parallel() async throws {
            let manifest = "handler: slow\nlimits: {perWorker: 4, timeout: 30s}\nscale: {max: 1}"
            try await run(["l-slow": manifest]) { host in
                try await withThrowingTaskGroup(of: LambdaAnswer.self) { group in
                    for _ in 0..<12 { group.addTask { try await host.lambda("l-slow", ["ms": 200]) } }
                    for try await answer in group { #expect(answer.fault == nil, "\(answer.body.text)") }
                }
                #expect(try await host.workers(of: "l-slow").count == 1)
            }
        }
    }
}
