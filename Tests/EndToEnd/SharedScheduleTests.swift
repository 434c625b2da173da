import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Two hosts with the same schedule and one Redis", .timeLimit(.minutes(4)))
    struct SharedScheduleTests {
        private let manifest = """
            triggers:
              schedule:
                - {schedule: tick, every: 1s, overlap: allow, catchUp: all(1000), event: '{"ms": 1}'}
            """

        /// What became of the schedule's times on a host: nominal times, newest first, with their jobs.
        private func times(_ admin: String) async throws -> [(nominal: String, job: String)] {
            let answer = try await HTTP.get("\(admin)/v1/schedules/tick/history?limit=1000").json
            return (answer["times"]?.arrayValue ?? []).map { time in
                #expect(time["verdict"] == "run")
                return (time["nominal"]?.stringValue ?? "", time["job"]?.stringValue ?? "")
            }
        }

        private func times(
            _ admin: String,
            atLeast count: Int
        ) async throws -> [(nominal: String, job: String)] {
            try await eventually("\(count) times") {
                let found = try await times(admin)
                return found.count >= count ? found : nil
            }
        }

        private func accepted(_ admin: String, _ function: String = "slow") async throws -> Int64 {
            let audit = try await HTTP.get("\(admin)/v1/audit").json
            let line = audit["lines"]?.arrayValue?.first { $0["function"]?.stringValue == function }
            return line?["accepted"]?.intValue.map { Int64($0) } ?? -1
        }

        private func place() throws -> TemporaryPlace {
            let place = try TemporaryPlace()
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            FixtureProject.write("slow", manifest, in: place.path)
            let seven = """
                schedule: seven
                function: typed
                every: 1s
                overlap: allow
                remaining: 7
                event: '{"name": "seven", "times": 1}'

                """
            Text.write(seven.utf8, to: "\(place.path)/schedules/seven.yaml")
            return place
        }

        /// Two hosts that serve the same project with one Redis.
        private func withTwo(
            _ body: (ServeProcess, ServeProcess, _ another: () throws -> ServeProcess) async throws -> Void
        ) async throws {
            let places = [try place(), try place()]
            defer { places.forEach { $0.remove() } }
            try await RedisServer.run(persistent: true) { redis in
                let shared = "journal: redis\nredis: {url: \"\(redis.url)\"}"
                let hosts = try places.map { try ServeProcess(in: $0.path, more: shared) }
                defer { hosts.forEach { $0.signal(SIGKILL) } }
                try await body(hosts[0], hosts[1]) { try ServeProcess(in: places[1].path, more: shared) }
            }
        }

        private func show(_ admin: String, _ schedule: String) async throws -> JSON {
            try await HTTP.get("\(admin)/v1/schedules/\(schedule)").json["schedule"] ?? .null
        }

        @Test("each time is one job of both, and none is left out when one of them is killed")
        func killed() async throws {
            try await withTwo { first, second, _ in try await watch(first, second) }
        }

        private func watch(_ first: ServeProcess, _ second: ServeProcess) async throws {
            let admin = try await first.ready().admin
            let other = try await second.ready().admin
            _ = try await times(admin, atLeast: 4)
            let before = try await times(other, atLeast: 4)
            second.signal(SIGKILL)
            let end = try await second.ended()
            #expect(end == .signalled(SIGKILL))
            let own = try await times(admin, atLeast: before.count + 6)
            let nominals = own.compactMap { Instant(rfc3339: $0.nominal) }
            let gaps = zip(nominals, nominals.dropFirst()).filter { $0 - $1 != .seconds(1) }
            #expect(gaps.isEmpty && nominals.count == own.count)
            // The same time is the same job, whoever made it first.
            let mine = Dictionary(own.map { ($0.nominal, $0.job) }, uniquingKeysWith: { first, _ in first })
            let common = before.filter { mine[$0.nominal] != nil }
            #expect(common.count >= 3)
            #expect(common.filter { mine[$0.nominal] != $0.job }.isEmpty)
            // Both have made it, and Redis has it once.
            let count = try await accepted(admin)
            let known = Set(before.map(\.nominal)).union(try await times(admin).map(\.nominal))
            #expect(count <= known.count && count >= own.count - 2, "\(count) jobs of \(known.count) times")
            first.signal(SIGTERM)
            let last = try await first.ended()
            #expect(last == .exited(0))
        }

        @Test("a pause by one host holds on the other, and so many runs in all are so many of both together")
        func sharedNotes() async throws {
            try await withTwo { first, second, another in
                let admins = [try await first.ready().admin, try await second.ready().admin]
                for admin in admins { _ = try await times(admin, atLeast: 2) }
                func command(_ words: String...) async throws -> Ran {
                    try await DevHost.swiftlet(["schedule"] + words + ["--admin", admins[0]])
                }
                let paused = try await command("pause", "tick", "--note", "the disk is full")
                #expect(paused.code == 0, "\(paused.all)")
                for admin in admins {
                    _ = try await eventually("the pause") {
                        try await show(admin, "tick")["paused"] == "the disk is full" ? true : nil
                    }
                }
                // One that is killed and comes back has it too, and what another has said meanwhile.
                second.signal(SIGKILL)
                _ = try await second.ended()
                #expect(try await command("resume", "tick").code == 0)
                let again = try another()
                defer { again.signal(SIGKILL) }
                let back = try await again.ready().admin
                _ = try await eventually("the end of the pause") {
                    try await show(back, "tick")["paused"] == nil ? true : nil
                }
                for admin in [admins[0], back] {
                    _ = try await eventually("the end of the seven") {
                        let seven = try await show(admin, "seven")
                        return seven["remaining"] == 0 && seven["runs"] == 7 ? true : nil
                    }
                }
                #expect(try await accepted(back, "typed") == 7)
                let history = try await command("history", "tick", "--count", "1")
                #expect(history.output.contains("by the account of "), "\(history.all)")
            }
        }
    }
}
