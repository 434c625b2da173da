import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("A killed worker under load", .timeLimit(.minutes(1)))
    struct RetryTests {
        /// The answers to rounds of twelve requests on three workers, of which one is killed in each round.
        private func answers(_ host: DevHost) async throws -> [HTTP.Answer] {
            var answers: [HTTP.Answer] = []
            for _ in 0..<4 {
                answers += try await withThrowingTaskGroup { group in
                    for _ in 0..<12 { group.addTask { try await host.post("/slow", ["ms": 400]) } }
                    _ = try await eventually("all to run") {
                        let metrics = try await HTTP.get("\(host.admin)/metrics").text
                        return metrics.contains("swiftlet_in_flight{function=\"slow\"} 12") ? true : nil
                    }
                    let worker = try #require(try await host.workers(of: "slow").randomElement())
                    #expect(kill(worker, SIGKILL) == 0)
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            return answers
        }

        private func options(_ place: String, _ more: String) -> DevHost.Options {
            var options = FixtureProject.options(in: place)
            FixtureProject.write(
                "slow",
                """
                triggers: {http: [{method: POST, path: /slow}]}
                limits: {perWorker: 4, timeout: 20s}
                scale: {min: 3, max: 3}
                \(more)
                """,
                in: place
            )
            options.environment["SWIFTLET_LOG_FORMAT"] = "json"
            return options
        }

        @Test("what an idempotent function had in flight is run again, and no client sees it")
        func unseen() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await DevHost.run(options(place.path, "idempotent: true")) { host in
                let statuses = try await answers(host).map(\.status)
                #expect(statuses == Array(repeating: 200, count: 48))
                let lost = host.log("worker lost", of: "slow").count
                #expect(lost == 4)
            }
        }

        @Test("of another function those on that worker are told by 502, and all others are answered")
        func told() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await DevHost.run(options(place.path, "idempotent: false")) { host in
                let answers = try await answers(host)
                let lost = answers.filter { $0.status != 200 }
                #expect((1...16).contains(lost.count), "\(lost.count)")
                let codes = Set(lost.map { "\($0.status) \($0.code ?? "")" })
                #expect(codes == ["502 worker_lost"], "\(codes)")
            }
        }
    }
}
