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

        private func accepted(_ admin: String) async throws -> Int64 {
            let audit = try await HTTP.get("\(admin)/v1/audit").json
            let line = audit["lines"]?.arrayValue?.first { $0["function"] == "slow" }
            return line?["accepted"]?.intValue.map { Int64($0) } ?? -1
        }

        private func place() throws -> TemporaryPlace {
            let place = try TemporaryPlace()
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            FixtureProject.write("slow", manifest, in: place.path)
            return place
        }

        @Test("each time is one job of both, and none is left out when one of them is killed")
        func killed() async throws {
            let (one, two) = (try place(), try place())
            defer {
                one.remove()
                two.remove()
            }
            try await RedisServer.run(persistent: true) { redis in
                let shared = "journal: redis\nredis: {url: \"\(redis.url)\"}"
                let first = try ServeProcess(in: one.path, more: shared)
                let second = try ServeProcess(in: two.path, more: shared)
                defer {
                    first.signal(SIGKILL)
                    second.signal(SIGKILL)
                }
                try await watch(first, second)
            }
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
    }
}
