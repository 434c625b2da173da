import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Stopping with work in hand", .timeLimit(.minutes(1)))
    struct DrainTests {
        private func run(grace: String, _ body: (DevHost) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            options.environment["SWIFTLET_STOP_GRACE"] = grace
            try await DevHost.run(options, body)
        }

        /// Signals the host once a request runs in it.
        private func signal(_ number: Int32, _ host: DevHost, whileRunning function: String) async throws {
            _ = try await eventually("a running \(function)") {
                let list =
                    try await HTTP.get("\(host.admin)/v1/functions").json["functions"]?.arrayValue ?? []
                let entry = list.first { $0["name"]?.stringValue == function }
                return entry?["running"]?.intValue == 1 ? true : nil
            }
            kill(try #require(host.pid), number)
        }

        @Test("what runs is finished; who comes meanwhile is told to come again, and the host ends with 0")
        func finishes() async throws {
            try await run(grace: "20s") { host in
                let running = Task { try await host.post("/slow", ["ms": 4000]) }
                let gateway = host.gateway
                try await signal(SIGTERM, host, whileRunning: "slow")
                let refused = try await eventually("a refusal") {
                    let answer = try await HTTP.send("POST", "\(gateway)/echo", "{}", [.json])
                    return answer.status == 503 ? answer : nil
                }
                #expect(refused.code == "draining" && refused.headers.first("connection") == "close")
                #expect(Int(refused.headers.first("retry-after") ?? "") ?? 0 >= 1)
                #expect(try await running.value.status == 200)
                let end = try await host.end()
                #expect(end == .exited(0))
            }
        }

        @Test(
            "at the grace's end a stream ends whole, with an event that says why, and other replies with 503"
        )
        func graceOver() async throws {
            try await run(grace: "300ms") { host in
                let stream = Task { try await host.post("/stream", ["events": 1000, "delay": 50]) }
                let slow = Task { try await host.post("/slow", ["ms": 9000]) }
                _ = try await eventually("both to run") {
                    try await host.workers(of: "stream").count + host.workers(of: "slow").count == 2
                        ? true : nil
                }
                try await signal(SIGTERM, host, whileRunning: "slow")
                let events = try await stream.value
                #expect(
                    events.status == 200 && events.text.contains("event: error"),
                    "\(events.text.suffix(300))"
                )
                #expect(events.text.contains("draining"))
                let cut = try await slow.value
                #expect(
                    cut.status == 503 && cut.code == "draining" && cut.headers.first("retry-after") != nil
                )
                #expect(try await host.end() == .exited(0))
            }
        }

        @Test("a second signal ends the host at once")
        func twice() async throws {
            try await run(grace: "30s") { host in
                let running = Task { try? await host.post("/slow", ["ms": 9500]) }
                let gateway = host.gateway
                try await signal(SIGTERM, host, whileRunning: "slow")
                _ = try await eventually("a refusal") {
                    try await HTTP.send("POST", "\(gateway)/echo", "{}", [.json]).status == 503 ? true : nil
                }
                let begin = Monotonic.now
                kill(try #require(host.pid), SIGINT)
                #expect(try await host.end() == .exited(130))
                #expect(Monotonic.now - begin < .seconds(5))
                _ = await running.value
            }
        }
    }
}
