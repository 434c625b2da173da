import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("In flight on a host", .timeLimit(.minutes(1)))
    struct InFlightTests {
        private func options(_ place: String) -> DevHost.Options {
            var options = FixtureProject.options(in: place)
            FixtureProject.write(
                "echo",
                "triggers: {http: [{method: POST, path: /echo}]}\nlimits: {reserved: 1}",
                in: place
            )
            FixtureProject.write(
                "slow",
                """
                triggers: {http: [{method: POST, path: /slow}]}
                limits: {perWorker: 8, queue: 1, queueWait: 500ms, timeout: 30s}
                scale: {max: 4}
                """,
                in: place
            )
            options.environment["SWIFTLET_MAX_IN_FLIGHT"] = "2"
            return options
        }

        @Test("a function has what is reserved for it while another has all the rest, whose queue is bounded")
        func reserved() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await DevHost.run(options(place.path)) { host in
                let first = Task { try await host.post("/slow", ["ms": 6000]) }
                _ = try await eventually("the first runs") {
                    let metrics = try await HTTP.get("\(host.admin)/metrics").text
                    return metrics.contains("swiftlet_in_flight{function=\"slow\"} 1") ? true : nil
                }
                let second = Task { try await host.post("/slow", ["ms": 1]) }
                for _ in 0..<5 {
                    let answer = try await host.post("/echo", ["a": 1])
                    #expect(answer.status == 200, "\(answer.text)")
                }
                let waited = try await second.value
                #expect(waited.status == 503 && waited.code == "queue_timeout", "\(waited.text)")
                #expect(waited.headers.first("retry-after") == "1")
                let together = try await withThrowingTaskGroup { group in
                    for _ in 0..<4 { group.addTask { try await host.post("/slow", ["ms": 1]) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let codes = Set(together.map(\.code))
                #expect(codes == ["host_overloaded", "queue_timeout"], "\(codes)")
                let done = try await first.value
                #expect(done.status == 200, "\(done.text)")
                let free = try await host.post("/slow", ["ms": 1])
                #expect(free.status == 200, "\(free.text)")
            }
        }
    }
}
