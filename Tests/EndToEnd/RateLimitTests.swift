import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Rate limits", .timeLimit(.minutes(1)))
    struct RateLimitTests {
        private func options(_ place: String, _ limits: String, redis: String? = nil) -> DevHost.Options {
            var options = FixtureProject.options(in: place)
            FixtureProject.write(
                "echo",
                "triggers: {http: [{method: POST, path: /echo}]}\nscale: {min: 2}\nrateLimits: [\(limits)]",
                in: place
            )
            if let redis { options.environment["REDIS_URL"] = redis }
            return options
        }

        private func ask(_ host: DevHost, key: String, _ count: Int) async throws -> [HTTP.Answer] {
            try await withThrowingTaskGroup { group in
                for _ in 0..<count {
                    group.addTask { try await host.post("/echo", [:], [Header("X-Api-Key", key)]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }

        @Test("over two workers exactly the burst passes; a 429 says which limit, and when to come back")
        func workers() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let limits = "{per: key, rate: 6/h, burst: 9}, {per: address, rate: 1000/s}"
            try await DevHost.run(options(place.path, limits)) { host in
                let answers = try await ask(host, key: "ada", 25)
                #expect(answers.count { $0.status == 200 } == 9)
                let refused = answers.filter { $0.status == 429 }
                #expect(refused.count == 16)
                let one = try #require(refused.first)
                #expect(one.code == "rate_limited" && one.message.contains("x-api-key"), "\(one.text)")
                let wait = Int(one.headers.first("retry-after") ?? "") ?? 0
                #expect((500...600).contains(wait))
                #expect(
                    one.headers.first("ratelimit-policy")
                        == "\"key\";q=9;w=5400, \"address\";q=1000;w=1"
                )
                #expect(one.headers.first("ratelimit")?.hasPrefix("\"key\";r=0;t=") == true)
                #expect(answers.allSatisfy { $0.headers.first("ratelimit") != nil })
                #expect(try await ask(host, key: "bob", 1).first?.status == 200, "another key has its own")
                let metrics = try await HTTP.get("\(host.admin)/metrics").text
                #expect(metrics.contains("swiftlet_rate_limited_total{function=\"echo\"} 16"), "\(metrics)")
            }
        }

        @Test("over two hosts with one Redis exactly the burst passes; without it each keeps its own buckets")
        func hosts() async throws {
            try await RedisServer.run { redis in
                let (here, there) = (try TemporaryPlace(), try TemporaryPlace())
                defer { for place in [here, there] { place.remove() } }
                let limits = "{per: key, rate: 6/h, burst: 10}"
                try await DevHost.run(options(here.path, limits, redis: redis.url)) { one in
                    try await DevHost.run(options(there.path, limits, redis: redis.url)) { two in
                        async let first = ask(one, key: "ada", 20)
                        async let second = ask(two, key: "ada", 20)
                        let answers = try await first + second
                        #expect(answers.count { $0.status == 200 } == 10)
                        #expect(answers.count { $0.status == 429 } == 30)
                        await redis.kill()
                        let alone = try await ask(one, key: "bob", 14)
                        #expect(alone.count { $0.status == 200 } == 10)
                        #expect(alone.count { $0.status == 429 } == 4)
                    }
                }
            }
        }
    }
}
