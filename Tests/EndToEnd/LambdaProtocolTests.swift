import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    /// The Runtime API as a runtime of one's own sees it.
    @Suite("The Lambda Runtime API", .serialized, .timeLimit(.minutes(5)))
    struct LambdaProtocolTests {
        private func run(_ body: (DevHost) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            let manifest = """
                triggers:
                  http: [{method: POST, path: "/own/{what}"}]
                  redis: [{stream: own, batch: 3, window: 200ms}]
                  schedule: [{schedule: each, every: 1s}]
                retry: {attempts: 3, backoff: 20ms, ceiling: 40ms}
                limits: {timeout: 10s}
                scale: {max: 1}
                """
            let options = try LambdaProject.ownRuntime(manifest, in: place.path)
            try await DevHost.run(options, body)
        }

        @Test("an event comes with its headers; what a runtime does wrong is told as on AWS")
        func refusals() async throws {
            try await run { host in
                let context = Bytes(#"{"client":{"app":"x"}}"#).base64
                let headers = try await host.lambda(
                    "own",
                    ["do": "headers"],
                    [Header("x-amz-client-context", context)]
                )
                #expect(headers.body["lambda-runtime-aws-request-id"]?.stringValue == headers.request)
                #expect(
                    headers.body["lambda-runtime-client-context"]?.stringValue
                        == #"{"client":{"app":"x"}}"#
                )
                let trace = headers.body["lambda-runtime-trace-id"]?.stringValue ?? ""
                #expect(trace.hasPrefix("Root=1-") && trace.contains(";Parent="))
                let deadline = headers.body["lambda-runtime-deadline-ms"]?.stringValue.flatMap { Int64($0) }
                #expect((deadline ?? 0) > 1_700_000_000_000)
                let wrong = try await host.lambda("own", ["do": "failures"])
                let told = wrong.body["told"]?.arrayValue ?? []
                #expect(told.compactMap { $0[0]?.intValue } == [400, 403, 404, 405], "\(wrong.body.text)")
                #expect(told.first?[1]?["errorType"] == "InvalidRequestID")
                #expect(told[1][1]?["errorType"] == "InvalidStateTransition")
                #expect(wrong.body["same"]?[1] == true)
                let cut = try await host.lambda("own", ["do": "truncate"])
                #expect(cut.error.type == "Runtime.TruncatedResponse")
                let mode = try await host.lambda("own", ["do": "mode"])
                #expect(mode.error.type == "Runtime.InvalidResponseModeHeader")
                let cause = try await host.lambda("own", ["do": "cause"])
                #expect(cause.body == ["errorMessage": "m", "errorType": "T", "stackTrace": ["a"]])
                let told400 = try await eventually("what the runtime heard") {
                    host.log.first { $0["message"]?.stringValue?.hasPrefix("truncated:") == true }
                }
                #expect(told400["message"]?.stringValue?.contains("TruncatedHTTPRequest") == true)
            }
        }

        @Test("a streamed reply flows with status and headers of its prelude; one that breaks is cut")
        func streams() async throws {
            try await run { host in
                let answer = try await host.post("/own/stream", [:])
                #expect(answer.status == 202 && answer.headers.first("x-own") == "yes")
                #expect(answer.headers.first("set-cookie") == "a=1")
                #expect(answer.text.hasPrefix("first,piece,") && answer.text.utf8.count == 6 + 300_000)
                let again = try await host.post("/own/stream", [:])
                #expect(again.text == answer.text)
                _ = try? await host.post("/own/broken", [:])
                let line = try await eventually("the broken stream in the log") {
                    host.log("invocation", of: "own").first { $0["outcome"]?.stringValue == "failed" }
                }
                #expect(line["code"]?.stringValue == "function_error")
                #expect(try await host.post("/own/stream", [:]).status == 202)
            }
        }

        @Test("schedules and batches have AWS's shapes; messages that failed come again, and no others")
        func triggers() async throws {
            try await run { host in
                for body in [#"{"n":1}"#, #"{"n":2,"bad":true}"#] {
                    _ = try await host.redis("XADD", "own", "*", "data", body)
                }
                func lines(_ prefix: String) -> [String] {
                    host.log.compactMap { $0["message"]?.stringValue }.filter { $0.hasPrefix(prefix) }
                }
                let seen = try await eventually("three attempts of the bad message") {
                    let seen = lines("records:")
                    return seen.count { $0.contains(#""bad":true"#) } >= 3 ? seen : nil
                }
                #expect(seen.count { $0.contains(#"{"n":1}"#) } == 1, "\(seen)")
                let event = try await eventually("a scheduled event") { lines("event:").first }
                let json = try JSON.parse(Bytes(String(event.dropFirst("event: ".count))))
                #expect(
                    json["source"] == "aws.events" && json["detail-type"] == "Scheduled Event",
                    "\(event)"
                )
            }
        }
    }
}
