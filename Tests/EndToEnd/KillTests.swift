import FunctionCore
import Glibc
import Synchronization
import TestSupport
import Testing

extension Scenarios {
    @Suite("Whatever is killed, nothing accepted is lost", .timeLimit(.minutes(1)))
    struct KillTests {
        @Test("an event whose worker is killed is run again and leaves one record")
        func workerKilled() async throws {
            try await DevHost.run { host in
                _ = try await host.submit(1500)
                let worker = try await eventually("a worker of video") {
                    host.log("event relayed", of: "script").isEmpty
                        ? nil : try await host.workers(of: "video").first
                }
                // Let it come into its work; it takes seconds.
                try await Task.sleep(for: .milliseconds(500))
                #expect(kill(worker, SIGKILL) == 0)
                _ = try await eventually("the loss in the log") { host.log("worker lost", of: "video").first }
                let films = try await eventually("the film") {
                    let films = try await host.list("videos", of: 1500)
                    return films.isEmpty ? nil : films
                }
                #expect(films.count == 1)
                let runs = host.log("invocation", of: "video").filter {
                    $0["trigger"]?.stringValue == "redis"
                }
                #expect(runs.last?["outcome"]?.stringValue == "ok", "\(runs.map(\.text))")
                #expect(runs.last?["worker"]?.intValue != Int(worker))
            }
        }

        @Test("a host that is killed twice on the way finishes the story, and its old redis-server is gone")
        func hostKilled() async throws {
            try await DevHost.run { host in
                let answers = try await host.submit(1500)
                try await host.kill()
                let redis = try #require(host.redisPid)
                #expect(Text.isAlive(redis), "there is nothing left over to be taken care of")
                try await host.start()
                #expect(
                    !Text.isAlive(redis) && host.redisPid != redis,
                    "the old redis-server \(redis) still runs"
                )
                #expect(Text.isAlive(try #require(host.redisPid)))
                _ = try await eventually("the film's begin") {
                    host.log("event relayed", of: "script").isEmpty
                        ? nil : try await host.workers(of: "video").first
                }
                try await Task.sleep(for: .milliseconds(700))
                #expect(
                    try await host.list("videos", of: 1500).isEmpty,
                    "the film was too quick for this test"
                )
                try await host.kill()
                try await host.start()
                let films = try await eventually("the film") {
                    let films = try await host.list("videos", of: 1500)
                    return films.isEmpty ? nil : films
                }
                #expect(films.count == 1)
                #expect(try await host.list("answers", of: 1500).map { $0["id"]?.stringValue } == [answers])
                #expect(try await host.list("scripts", of: 1500).count == 1)
            }
        }

        @Test(
            "twenty jobs that were accepted are all completed, each to one record, by a host that is killed three times"
        )
        func jobsSurvive() async throws {
            try await DevHost.run { host in
                let accepted = Accepted()
                for (round, pause) in [5, 20, 45].enumerated() {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for index in 0..<7 {
                            group.addTask { await accepted.post(to: host, user: 40 + round, index) }
                        }
                        _ = try await eventually("the first of the round") {
                            accepted.count > round * 7 / 2 ? true : nil
                        }
                        try await Task.sleep(for: .milliseconds(pause))
                        try await host.kill()
                        try await group.waitForAll()
                    }
                    try await host.start()
                }
                var index = 0
                while accepted.count < 20 {
                    await accepted.post(to: host, user: 43, index)
                    index += 1
                }
                let underWay = try await host.swiftlet("audit")
                #expect(underWay.code == 0, "\(underWay.all)")
                for (id, user) in accepted.jobs {
                    let job = try await host.endOfJob(id)
                    #expect(job["state"]?.stringValue == "completed", "\(job.text)")
                    let records = try await host.list("answers", of: user)
                    let own = records.filter { $0["id"]?.stringValue?.hasSuffix(id) == true }
                    #expect(own.count == 1, "job \(id) left \(own.count) records")
                }
                // A killed host leaves its journal as it stands: it must balance there too.
                try await host.kill()
                let audit = try await host.swiftlet("audit", "--json")
                #expect(audit.code == 0, "\(audit.all)")
                let line = try JSON.parse(Bytes(audit.output))["lines"]?.arrayValue?.first
                #expect((line?["accepted"]?.intValue ?? 0) >= 20, "\(audit.all)")
                #expect(line?["pending"]?.intValue == 0, "\(audit.all)")
            }
        }

        @Test("what a user's data say is in Redis as well, though the host was killed between the two")
        func outbox() async throws {
            try await DevHost.run { host in
                var ids: Set<String> = []
                for round in 0..<3 {
                    ids.insert(try await host.submit(60 + round))
                    try await host.kill()
                    try await host.start()
                }
                let said = try await eventually("the events") { () -> Set<String>? in
                    let entries = try await host.redis("XRANGE", "events:questionnaire.submitted", "-", "+")
                        .entries
                    let said = Set(entries.compactMap { $0["id"] })
                    return said.count >= 3 ? said : nil
                }
                #expect(said == Set(ids.map { "submitted-\($0)" }))
            }
        }
    }
}

/// The jobs that a host has accepted, each with its user.
private final class Accepted: Sendable {
    private let all = Mutex<[(id: String, user: Int)]>([])

    var count: Int { all.withLock { $0.count } }
    var jobs: [(id: String, user: Int)] { all.withLock { $0 } }

    /// Asks for a job; what is not answered with 202, as by a host that is being killed, was not accepted.
    func post(to host: DevHost, user: Int, _ index: Int) async {
        let path = "/v1/users/\(user)/questionnaires/story/answers"
        let prefer = [Header("prefer", "respond-async"), Header("x-index", "\(index)")]
        guard let answer = try? await host.post(path, goodAnswers, prefer), answer.status == 202,
            let id = answer.json["job"]?["id"]?.stringValue
        else { return }
        all.withLock { $0.append((id, user)) }
    }
}
