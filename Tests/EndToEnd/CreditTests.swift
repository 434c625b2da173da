import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("Credits", .serialized, .timeLimit(.minutes(1)))
    struct CreditTests {
        private let user = Header("x-user", "7")

        /// Runs `body` with a host whose function `record` costs three credits a job.
        private func withHost(_ body: (DevHost, String) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            let record = "\(place.path)/record"
            let manifest = """
                triggers: {http: [{method: POST, path: /record, mode: async}]}
                credits: 3
                environment: {RECORD_FILE: \(record)}
                """
            FixtureProject.write("record", manifest, in: place.path)
            options.environment = [
                "SWIFTLET_PRINCIPAL_HEADER": "x-user", "SWIFTLET_WORKERS_SANDBOX": "off",
                "SWIFTLET_WORKERS_USERS": "off",
            ]
            try await DevHost.run(options) { try await body($0, record) }
        }

        private func balance(_ host: DevHost) async throws -> JSON {
            let ran = try await host.swiftlet("credits", "show", "7", "--json")
            #expect(ran.code == 0, "\(ran.all)")
            return try JSON.parse(Bytes(ran.output))
        }

        private func settled(_ host: DevHost) async throws -> JSON {
            try await eventually("an account without holds") { () -> JSON? in
                let account = try await balance(host)
                return account["held"]?.intValue == 0 ? .some(account) : nil
            }
        }

        @Test("ten concurrent requests of three credits on a balance of three: one runs, nine are told 402")
        func concurrent() async throws {
            try await withHost { host, record in
                for _ in 0..<2 {
                    let ran = try await host.swiftlet("credits", "grant", "7", "3", "--id", "pay-1")
                    #expect(ran.code == 0 && ran.output.contains("has 3 available"), "\(ran.all)")
                }
                let answers = try await withThrowingTaskGroup(of: HTTP.Answer.self) { group in
                    for index in 0..<10 {
                        group.addTask {
                            let body: JSON = ["key": "a", "seq": .integer(Int64(index))]
                            return try await host.post("/record", body, [self.user])
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.filter { $0.status == 202 }.count == 1)
                let refused = answers.filter { $0.status == 402 }
                #expect(refused.count == 9 && refused.allSatisfy { $0.code == "insufficient_credits" })
                #expect(refused.first?.message.contains("costs 3 credits") == true)
                #expect(try await settled(host)["posted"]?.intValue == 0)
                #expect((Text.read(record) ?? "").split(separator: "\n").count == 1)
            }
        }

        @Test("a job that fails costs nothing, the metrics are the ledger's sums, and a kill changes neither")
        func failing() async throws {
            try await withHost { host, _ in
                _ = try await host.swiftlet("credits", "grant", "7", "30")
                #expect(try await host.post("/record", ["key": "a"]).status == 401)
                #expect(
                    try await host.post("/record", ["key": "a"], [Header("x-user", "anna")]).status == 403
                )
                for event: JSON in [["key": "a"], ["key": "b", "fail": true], ["key": "c"]] {
                    let answer = try await host.post("/record", event, [user])
                    #expect(answer.status == 202, "\(answer.text)")
                    // Whoever has the answer finds the job.
                    let location = answer.headers.first("location") ?? ""
                    #expect(try await host.get(location, [user]).status == 200)
                }
                try await host.kill()
                try await host.start()
                let account = try await settled(host)
                #expect(account["available"]?.intValue == 24, "\(account.text)")
                let metrics = try await HTTP.get("\(host.admin)/metrics").text
                for (kind, credits) in [("hold", 9), ("post", 6), ("void", 3)] {
                    let line = "swiftlet_credits_total{function=\"record\",kind=\"\(kind)\"} \(credits)"
                    #expect(metrics.contains(line), "\(kind)")
                }
                #expect(metrics.contains("swiftlet_credits_held{function=\"record\"} 0"))
                let audit = try await host.swiftlet("audit")
                #expect(audit.code == 0, "\(audit.all)")
            }
        }
    }
}
