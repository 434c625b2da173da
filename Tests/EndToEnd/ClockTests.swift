import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("A clock you can turn", .timeLimit(.minutes(2)))
    struct ClockTests {
        /// A host of the fixtures with one schedule, at 23:30 UTC.
        private func withHost(_ arguments: [String], _ body: (DevHost) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            options.arguments = arguments
            let schedule = """
                schedule: evening
                function: typed
                cron: "30 18 * * *"
                zone: America/New_York
                event: '{"name": "evening", "times": 1}'

                """
            Text.write(schedule.utf8, to: "\(place.path)/schedules/evening.yaml")
            try await DevHost.run(options, body)
        }

        private func invoke(_ host: DevHost, _ function: String, _ event: JSON) async throws -> HTTP.Answer {
            let url = "\(host.admin)/v1/functions/\(function)/invocations"
            return try await HTTP.send("POST", url, event.bytes(), [.json])
        }

        /// The wall clock as a function sees it.
        private func seen(_ host: DevHost) async throws -> Instant {
            let answer = try await invoke(host, "typed", ["name": "you", "times": 1])
            guard let now = answer.json["now"]?.intValue else { throw DevHost.Failure(answer.text) }
            return Instant(nanoseconds: Int64(now))
        }

        private func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

        @Test("a host begins at a zone's local time, and its functions see the time pass at the given speed")
        func speed() async throws {
            let begin = Monotonic.now
            try await withHost(["--at", "2026-11-27 09:25 America/New_York", "--speed", "600"]) { host in
                let opening = try at("2026-11-27T14:25:00Z")
                let sent = Monotonic.now
                let first = try await seen(host)
                let between = Monotonic.now
                #expect(
                    first >= opening && (first - opening).nanoseconds <= (between - begin).nanoseconds * 600
                )
                // What takes longer than its limit by the virtual clock does not by the real one.
                #expect(try await invoke(host, "doze", ["ms": 300]).status == 200)
                let later = Monotonic.now
                let second = try await seen(host)
                let got = Monotonic.now
                #expect((second - first).nanoseconds >= (later - between).nanoseconds * 600)
                #expect((second - first).nanoseconds <= (got - sent).nanoseconds * 600)
                let shown = try await host.swiftlet("clock", "show", "--json")
                let clock = try JSON.parse(Bytes(shown.output))
                #expect(clock["virtual"]?.boolValue == true && clock["speed"]?.doubleValue == 600)
            }
        }

        @Test("a frozen clock stands still for functions too, and a jump fires what lies before it")
        func freeze() async throws {
            try await withHost(["--at", "2026-11-27 09:25 America/New_York", "--speed", "60"]) { host in
                let frozen = try await host.swiftlet("clock", "freeze")
                #expect(frozen.code == 0 && frozen.output.contains("stands still"), "\(frozen.all)")
                let still = try await seen(host)
                #expect(try await seen(host) == still)
                #expect(try await host.swiftlet("clock", "advance", "1h").code == 0)
                #expect(try await seen(host) == still + .seconds(3_600))

                let set = try await host.swiftlet("clock", "set", "2026-11-27 18:29 America/New_York")
                #expect(set.output.hasPrefix("2026-11-27T23:29:00Z"), "\(set.all)")
                #expect(host.log("invocation", of: "typed").allSatisfy { $0["trigger"] != "schedule" })
                #expect(try await host.swiftlet("clock", "advance", "2m").code == 0)
                _ = try await eventually("the evening's run") { () -> Bool? in
                    let runs = host.log("invocation", of: "typed").filter { $0["trigger"] == "schedule" }
                    return runs.count == 1 && runs[0]["outcome"] == "ok" ? true : nil
                }
                #expect(try await seen(host) == at("2026-11-27T23:31:00Z"))
                let back = try await host.swiftlet("clock", "advance", "-90m")
                #expect(back.code == 0 && back.output.hasPrefix("2026-11-27T22:01:00Z"), "\(back.all)")
                let odd = try await host.swiftlet("clock", "advance", "-5x")
                #expect(odd.code == 64 && odd.errors.contains("`-5x` is no duration"), "\(odd.all)")
            }
        }

        @Test("a time or a speed that is off is refused with what is allowed, and changes nothing")
        func refusals() async throws {
            try await withHost(["--at", "2026-11-27T14:25:00Z", "--speed", "0"]) { host in
                // The banner comes a moment after host.json.
                _ = try await eventually("the banner's clock") {
                    host.output.contains("  clock     2026-11-27T14:25:00Z, standing still\n") ? true : nil
                }
                let gap = try await host.swiftlet("clock", "set", "2027-03-14 02:30 America/New_York")
                #expect(gap.code == 1 && gap.all.contains("write 2027-03-14T03:00:00"), "\(gap.all)")
                let words = try await host.swiftlet("clock", "set", "tomorrow")
                #expect(words.code == 1 && words.all.contains("09:25 America/New_York"), "\(words.all)")
                let fast = try await host.swiftlet("clock", "speed", "100001")
                #expect(fast.code == 64 && fast.all.contains("100000"), "\(fast.all)")
                let far = try await host.swiftlet("clock", "advance", "soon")
                #expect(far.code == 64 && far.all.contains("30s, 5m, 8h or 2d"), "\(far.all)")
                #expect(try await seen(host) == at("2026-11-27T14:25:00Z"))
            }
            let place = try TemporaryPlace()
            defer { place.remove() }
            let ran = try await DevHost.swiftlet(["dev", "--at", "noon", "--data", "\(place.path)/data"])
            #expect(ran.code == 78 && ran.all.contains("2026-11-27 09:25 America/New_York"), "\(ran.all)")
        }
    }
}
