import FunctionCore
import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

extension Scenarios {
    @Suite("Two hosts that share their jobs in Redis", .timeLimit(.minutes(4)))
    struct SharedJournalTests {
        private let manifest = """
            triggers: {http: [{method: POST, path: /slow}]}
            limits: {maxInFlight: 8, queue: 8, timeout: 10s}
            scale: {max: 4}
            """

        private func place() throws -> TemporaryPlace {
            let place = try TemporaryPlace()
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            FixtureProject.write("slow", manifest, in: place.path)
            return place
        }

        /// Asks for a job; gives its id where the host has said that it is accepted.
        private func post(_ gateway: String, ms: Int) async -> String? {
            let prefer = [.json, Header("prefer", "respond-async")]
            let body = JSON.object(["ms": .integer(Int64(ms))]).bytes()
            let answer = try? await HTTP.send("POST", "\(gateway)/slow", body, prefer)
            return answer?.status == 202 ? answer?.json["job"]?["id"]?.stringValue : nil
        }

        @Test("500 jobs that both have accepted all end, each once, though one host is killed amid them")
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
                let (own, other) = (try await first.ready(), try await second.ready().gateway)
                let accepted = AcceptedIDs()
                await withTaskGroup(of: Void.self) { group in
                    for lane in 0..<8 {
                        group.addTask {
                            var gateway = lane.isMultiple(of: 2) ? own.gateway : other
                            while accepted.count < 500 {
                                if let id = await post(gateway, ms: 20) {
                                    if accepted.add(id) == 300 { second.signal(SIGKILL) }
                                } else {
                                    gateway = own.gateway
                                }
                            }
                        }
                    }
                }
                #expect(try await second.ended() == .signalled(SIGKILL))
                // What the dead host ran comes back when its leases run out, after 30 seconds.
                let line = try await eventually("the end of all jobs", within: .seconds(120)) { () -> JSON? in
                    let audit = try await HTTP.get("\(own.admin)/v1/audit").json
                    #expect(audit["balanced"] == true, "\(audit.text)")
                    let line = audit["lines"]?.arrayValue?.first { $0["function"] == "slow" }
                    return line?["pending"]?.intValue == 0 ? line : nil
                }
                // One may be accepted whose host was killed before it could say so.
                let told = Set(accepted.all)
                let count = try #require(line["accepted"]?.intValue)
                #expect(told.count >= 500 && count >= told.count && count < told.count + 8, "\(line.text)")
                #expect(line["completed"]?.intValue == count, "\(line.text)")
                // No end was written twice.
                let metrics = try await HTTP.get("\(own.admin)/metrics").text
                let ever = metrics.split(separator: "\n").first {
                    $0.hasPrefix("swiftlet_jobs_ever_total") && $0.contains("\"slow\"")
                        && $0.contains("\"completed\"")
                }
                #expect(
                    ever?.split(separator: " ").last.flatMap { Double($0) } == Double(count),
                    "\(ever ?? "")"
                )
                for id in told.prefix(50) {
                    let job = try await HTTP.get("\(own.gateway)/v1/jobs/\(id)").json["job"]
                    #expect(job?["state"] == "completed", "\(job?.text ?? id)")
                }
                first.signal(SIGTERM)
                #expect(try await first.ended() == .exited(0))
            }
        }

        @Test("a schedule's jobs are run by whichever host is free, and its next one waits for the last")
        func schedule() async throws {
            let (one, two) = (try place(), try place())
            defer {
                one.remove()
                two.remove()
            }
            let often = "schedule: often\nfunction: slow\nevery: 1s\nevent: '{\"ms\": 300}'\n"
            Text.write(often.utf8, to: "\(one.path)/schedules/often.yaml")
            try await RedisServer.run(persistent: true) { redis in
                let shared = "journal: redis\nredis: {url: \"\(redis.url)\"}"
                let hosts = try [one, two].map { try ServeProcess(in: $0.path, more: shared) }
                defer { for host in hosts { host.signal(SIGKILL) } }
                let admin = try await hosts[0].ready().admin
                let other = try await hosts[1].ready().admin
                // An end on the other host is known to the scheduler within five seconds, or it would stop here.
                _ = try await eventually("six runs", within: .seconds(60)) { () -> Bool? in
                    let found = try await HTTP.get("\(other)/v1/jobs?function=slow&state=completed").json
                    return (found["jobs"]?.arrayValue?.count ?? 0) >= 6 ? true : nil
                }
                let audit = try await HTTP.get("\(admin)/v1/audit").json
                #expect(audit["balanced"] == true, "\(audit.text)")
            }
        }

        @Test("a function that costs credits is refused where jobs are shared, with the remedy")
        func price() async throws {
            let place = try place()
            defer { place.remove() }
            let paid = "triggers: {http: [{method: POST, path: /slow, mode: async}]}\ncredits: 3\n"
            FixtureProject.write("slow", paid, in: place.path)
            let shared = "journal: redis\nredis: {url: \"unix:///nowhere\"}"
            let host = try ServeProcess(in: place.path, more: shared)
            #expect(try await host.ended() != .exited(0))
            let output = Text.read("\(place.path)/output") ?? ""
            #expect(
                output.contains("slow costs credits") && output.contains("journal to sqlite"),
                "\(output)"
            )
        }

        @Test("with Redis away a job is refused with 503 and Retry-After, and after it all goes on")
        func away() async throws {
            let place = try place()
            defer { place.remove() }
            try await RedisServer.run(persistent: true) { redis in
                let shared = "journal: redis\nredis: {url: \"\(redis.url)\"}"
                let host = try ServeProcess(in: place.path, more: shared)
                defer { host.signal(SIGKILL) }
                let (gateway, admin) = try await host.ready()
                #expect(await post(gateway, ms: 1) != nil)
                await redis.kill()
                let degraded = try await eventually("a refusal") { () -> HTTP.Answer? in
                    let prefer = [.json, Header("prefer", "respond-async")]
                    let answer = try await HTTP.send("POST", "\(gateway)/slow", "{\"ms\":1}", prefer)
                    return answer.status == 503 ? answer : nil
                }
                #expect(degraded.json["error"]?["code"] == "redis_unavailable", "\(degraded.text)")
                #expect(degraded.headers.first("retry-after") == "1")
                let ready = try await HTTP.get("\(admin)/readyz").json
                #expect(ready["status"] == "degraded" && ready["degraded"]?.arrayValue?.count == 2)
                // What is not asynchronous does not need it.
                let direct = try await HTTP.send("POST", "\(gateway)/slow", "{\"ms\":1}", [.json])
                #expect(direct.status == 200)
                try await redis.start()
                let id = try await eventually("a job that is accepted") { await post(gateway, ms: 1) }
                _ = try await eventually("its end") {
                    let job = try await HTTP.get("\(gateway)/v1/jobs/\(id)").json["job"]
                    return job?["state"] == "completed" ? true : nil
                }
                host.signal(SIGTERM)
                #expect(try await host.ended() == .exited(0))
            }
        }
    }
}

/// The jobs that a caller was told are accepted.
private final class AcceptedIDs: Sendable {
    private let ids = Mutex<[String]>([])

    var all: [String] { ids.withLock { $0 } }
    var count: Int { ids.withLock { $0.count } }

    /// Gives how many there are then.
    func add(_ id: String) -> Int {
        ids.withLock { ids in
            ids.append(id)
            return ids.count
        }
    }
}
