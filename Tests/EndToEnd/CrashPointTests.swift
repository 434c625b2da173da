import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

/// A host that is killed between every two steps of a paid job: validated, credits held and the job in the
/// user's shard (one commit), in the journal, claimed, ended, paid, forgotten.
@Suite("A crash at every commit of a paid job", .serialized, .timeLimit(.minutes(4)))
struct CrashPointTests {
    private let user = Header("x-user", "7")

    private func withHost(
        _ body: (DevHost, _ point: String, _ record: String) async throws -> Void
    )
        async throws
    {
        let place = try TemporaryPlace()
        defer { place.remove() }
        let library = "\(place.path)/crash-point.so"
        let source = "\(Installed.project)/Tests/EndToEnd/crash-point.c"
        let compiled = try await Ran.run(
            ChildSpec("gcc", ["-O2", "-shared", "-fPIC", "-o", library, source])
        )
        try #require(compiled.code == 0, "gcc: \(compiled.all)")
        var options = FixtureProject.options(in: place.path)
        let (point, record) = ("\(place.path)/point", "\(place.path)/record")
        let manifest = """
            triggers: {http: [{method: POST, path: /paid, mode: async}]}
            credits: 3
            retry: {recoveries: 100}
            environment: {RECORD_FILE: \(record)}
            """
        FixtureProject.write("record", manifest, in: place.path)
        options.environment = [
            "SWIFTLET_PRINCIPAL_HEADER": "x-user", "SWIFTLET_WORKERS_SANDBOX": "off",
            "SWIFTLET_WORKERS_USERS": "off", "LD_PRELOAD": library, "CRASH_POINT": point,
        ]
        try await DevHost.run(options) { try await body($0, point, record) }
    }

    private func post(_ host: DevHost, _ round: Int) async throws -> HTTP.Answer {
        let headers = [Header("idempotency-key", "round \(round)"), user]
        return try await host.post("/paid", ["key": "a", "seq": .integer(Int64(round))], headers)
    }

    private func account(_ host: DevHost) async throws -> JSON {
        try JSON.parse(Bytes(try await host.swiftlet("credits", "show", "7", "--json").output))
    }

    /// Waits until the round's job is paid for and forgotten; false where the host ended before.
    private func isOver(_ host: DevHost, _ round: Int) async throws -> Bool {
        try await eventually("the end of round \(round)") { () -> Bool? in
            guard let pid = host.pid, Text.isAlive(pid) else { return false }
            guard let lines = try? await HTTP.get("\(host.admin)/v1/audit").json["lines"]?.arrayValue else {
                return nil
            }
            let isQuiet = lines.allSatisfy { $0["pending"]?.intValue == 0 }
            let completed = lines.first { $0["source"]?.stringValue == "journal" }?["completed"]?.intValue
            return isQuiet && completed == round ? true : nil
        }
    }

    @Test("wherever the host is killed, who asks again has one job, paid for once, and all adds up")
    func everywhere() async throws {
        try await withHost { host, point, record in
            #expect(try await host.swiftlet("credits", "grant", "7", "999").code == 0)
            var crashes = 0
            var round = 0
            var isBeyond = false
            while !isBeyond {
                round += 1
                Text.write("\(round)".utf8, to: point)
                var job = (try? await post(host, round))?.json["job"]?["id"]?.stringValue
                isBeyond = try await isOver(host, round)
                // What comes behind the last settlement is a commit as well.
                if isBeyond { try await Task.sleep(for: .milliseconds(300)) }
                isBeyond = isBeyond && host.pid.map { Text.isAlive($0) } ?? false
                if isBeyond { Text.write("0".utf8, to: point) }
                if !isBeyond {
                    crashes += 1
                    _ = try await host.end()
                    // A killed host leaves what must balance as it lies.
                    let audit = try await host.swiftlet("audit")
                    #expect(audit.code == 0, "round \(round): \(audit.all)")
                    try await host.start()
                    let again = try await post(host, round)
                    #expect(again.status == 202, "round \(round): \(again.text)")
                    let found = again.json["job"]?["id"]?.stringValue
                    #expect(job == nil || found == job, "round \(round): \(again.text)")
                    job = found
                    #expect(try await isOver(host, round))
                }
                let account = try await account(host)
                #expect(
                    account["posted"]?.intValue == 999 - 3 * round && account["held"]?.intValue == 0,
                    "round \(round): \(account.text)"
                )
                let ran = (Text.read(record) ?? "").split(separator: "\n").filter {
                    $0.hasPrefix("a \(round) ")
                }
                let shown = try await HTTP.get("\(host.admin)/v1/jobs/\(job ?? "")").json["job"]
                let attempts = shown?["attempts"]?.arrayValue?.count ?? 0
                #expect((1...(1 + attempts)).contains(ran.count), "round \(round): \(ran), \(attempts)")
                try #require(round < 40, "a job has no forty commits")
            }
            #expect(crashes >= 6, "the host was killed \(crashes) times only")
            let line = "crash points: \(crashes) commits of a paid job\n"
            _ = write(2, line, line.utf8.count)
        }
    }
}
