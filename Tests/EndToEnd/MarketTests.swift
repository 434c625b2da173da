import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("Trading and learning", .timeLimit(.minutes(1)))
    struct MarketTests {
        private static let opening = DevHost.Options(["--at", "2026-11-23T14:20:00Z", "--speed", "2"])

        /// What the windows did, in the order of the log.
        private func windows(_ host: DevHost) -> [(event: String, window: String, token: Int)] {
            host.log.compactMap { line in
                guard let message = line["message"]?.stringValue, message.hasPrefix("window "),
                    let window = line["window"]?.stringValue, let token = line["token"]?.intValue
                else { return nil }
                return (String(message.dropFirst(7)), window, Int(token))
            }
        }

        private func open(_ host: DevHost, _ window: String) async throws -> Int {
            try await eventually("the window \(window)") { () -> Int? in
                let state = try await HTTP.get("\(host.admin)/v1/schedule").json["windows"]?.arrayValue ?? []
                let entry = state.first { $0["window"]?.stringValue == window }
                return entry?["stage"]?.stringValue == "open"
                    ? entry?["token"]?.intValue.map { Int($0) } : nil
            }
        }

        private func run(_ host: DevHost, _ function: String, after count: Int = 0) async throws {
            _ = try await eventually("a run of \(function)") { () -> Bool? in
                let runs = host.log("invocation", of: function).filter {
                    $0["trigger"]?.stringValue == "schedule"
                }
                guard runs.count > count else { return nil }
                let last = runs.last?["outcome"]?.stringValue
                if last != "ok" { throw DevHost.Failure("\(runs.last?.text ?? "")") }
                return true
            }
        }

        @Test("trading and learning take turns over three boundaries, never both, and each only by its token")
        func turns() async throws {
            try await DevHost.run(MarketTests.opening) { host in
                #expect(try await host.swiftlet("invoke", "trading").output.contains("fencing_token_missing"))
                try await host.clock(["set": "2026-11-23T14:29:59Z"])
                _ = try await open(host, "trading")
                try await run(host, "trading")
                try await host.clock(["speed": 1])
                #expect(try await host.swiftlet("invoke", "trading").code == 0)
                let refused = try await HTTP.send(
                    "POST",
                    "\(host.admin)/v1/functions/learning/invocations",
                    "{}"
                )
                #expect(refused.status == 409 && refused.code == "fencing_token_missing", "\(refused.text)")

                try await host.clock(["set": "2026-11-23T21:14:59Z"])
                _ = try await open(host, "learning")
                try await run(host, "learning")
                let late = try await HTTP.send("POST", "\(host.admin)/v1/functions/trading/invocations", "{}")
                #expect(late.status == 409, "\(late.text)")

                let runs = host.log("invocation", of: "trading").count {
                    $0["trigger"]?.stringValue == "schedule"
                }
                try await host.clock(["set": "2026-11-24T14:29:59Z"])
                _ = try await open(host, "trading")
                try await run(host, "trading", after: runs)
                try await host.clock(["set": "2026-11-24T21:14:59Z"])
                _ = try await open(host, "learning")
                // The schedule tells of a window a moment before its line is in the log.
                _ = try await eventually("four windows in the log") { () -> Bool? in
                    windows(host).count { $0.event == "opens" } >= 4 ? true : nil
                }

                var isOpen: Set<String> = []
                var tokens: [Int] = []
                for step in windows(host) {
                    if step.event == "opens" {
                        #expect(isOpen.isEmpty, "\(step.window) opens while \(isOpen) is open")
                        isOpen.insert(step.window)
                        tokens.append(step.token)
                    } else if step.event == "closes" {
                        isOpen.remove(step.window)
                    }
                }
                #expect(
                    tokens.count >= 4 && tokens == tokens.sorted() && Set(tokens).count == tokens.count,
                    "\(tokens)"
                )
                let status = try await host.get("/v1/trading/status")
                #expect(
                    status.status == 200 && status.json["fencing_token"]?.intValue != nil,
                    "\(status.text)"
                )
                #expect(try await host.get("/v1/learning/status").json["fencing_token"]?.intValue != nil)
            }
        }

        @Test(
            "a half day ends the trading window early, and the schedule's preview knows weekends and holidays"
        )
        func halfDay() async throws {
            let after = ["--from", "2026-11-27T17:52:30Z", "--json"]
            let half = try await DevHost.swiftlet(["schedule", "next", "trading", "--count", "3"] + after)
            let instants = try half.lines.map { try JSON.parse(Bytes($0))["at"]?.stringValue }
            // The day after Thanksgiving ends at 13:00 in New York, and trading five minutes earlier; then a
            // weekend.
            #expect(
                instants == ["2026-11-27T17:53:00Z", "2026-11-27T17:54:00Z", "2026-11-30T14:30:00Z"],
                "\(half.all)"
            )
            let options = DevHost.Options(["--at", "2026-11-27T17:54:30Z", "--speed", "1"])
            try await DevHost.run(options) { host in
                _ = try await open(host, "trading")
                try await host.clock(["set": "2026-11-27T18:14:59Z"])
                _ = try await open(host, "learning")
                #expect(try await host.swiftlet("invoke", "trading").code == 1)
                let next = try await host.swiftlet("schedule", "next", "trading", "--count", "10", "--json")
                let times = try next.lines.compactMap { try JSON.parse(Bytes($0))["at"]?.stringValue }
                #expect(times.count == 10 && times.first == "2026-11-30T14:30:00Z", "\(next.all)")
                #expect(times.last == "2026-11-30T14:39:00Z")
            }
        }

        @Test("a host that is killed in an open window comes back with a greater token")
        func killedInWindow() async throws {
            try await DevHost.run(MarketTests.opening) { host in
                try await host.clock(["set": "2026-11-23T14:29:59Z"])
                let token = try await open(host, "trading")
                try await run(host, "trading")
                try await host.kill()
                try await host.start(["--at", "2026-11-23T14:40:57Z", "--speed", "2"])
                let next = try await open(host, "trading")
                #expect(next > token, "\(next) after \(token)")
                try await run(host, "trading", after: 1)
                let status = try await host.get("/v1/trading/status")
                #expect(status.json["fencing_token"]?.intValue.map { Int($0) } == next, "\(status.text)")
            }
        }
    }
}
