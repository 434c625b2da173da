import FunctionCore
import Glibc
import TestSupport
import Testing

/// A host whose data directory has no byte left.
@Suite("A full disk", .serialized, .timeLimit(.minutes(2)))
struct FullDiskTests {
    private let user = Header("x-user", "7")

    private func withHost(_ body: (DevHost) async throws -> Void) async throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        var options = FixtureProject.options(in: place.path)
        let manifest = """
            triggers:
              http:
                - {method: POST, path: /free, operation: free, mode: async}
                - {method: POST, path: /paid, operation: paid, mode: async}
            limits: {payload: 2MiB}
            credits: {paid: 1}
            environment: {RECORD_FILE: \(place.path)/record}
            """
        FixtureProject.write("record", manifest, in: place.path)
        options.disk = 64 << 20
        options.environment = [
            "SWIFTLET_PRINCIPAL_HEADER": "x-user", "SWIFTLET_WORKERS_SANDBOX": "off",
            "SWIFTLET_WORKERS_USERS": "off",
        ]
        try await DevHost.run(options) { host in
            guard host.hasDisk else {
                return say("the disk is not filled: here nobody may mount a tmpfs")
            }
            try await body(host)
        }
    }

    private func say(_ line: String) {
        let line = "full disk: \(line)\n"
        _ = write(2, line, line.utf8.count)
    }

    private func post(
        _ host: DevHost,
        _ route: String,
        _ name: String,
        bytes: Int = 10
    ) async throws
        -> HTTP.Answer
    {
        let text = String(repeating: "x", count: bytes)
        let body: JSON = ["key": .string(name), "seq": 1, "text": .string(text)]
        return try await host.post("/\(route)", body, [Header("idempotency-key", name), user])
    }

    private func audit(_ host: DevHost) async throws -> [String: JSON] {
        let ran = try await host.swiftlet("audit", "--json")
        #expect(ran.code == 0, "\(ran.all)")
        let lines = try JSON.parse(Bytes(ran.output))["lines"]?.arrayValue ?? []
        return Dictionary(lines.map { ($0["source"]?.stringValue ?? "", $0) }) { first, _ in first }
    }

    @Test("nothing is accepted on a full disk, nothing is half-written, and all goes on once there is room")
    func full() async throws {
        try await withHost { host in
            #expect(try await host.swiftlet("credits", "grant", "7", "10").code == 0)
            for route in ["free", "paid"] {
                #expect(try await post(host, route, "before").status == 202)
            }
            let before = try await eventually("the end of what was accepted") { () -> [String: JSON]? in
                let lines = try await audit(host)
                return lines.values.allSatisfy { $0["pending"]?.intValue == 0 } ? lines : nil
            }
            let account = try await host.swiftlet("credits", "show", "7", "--json").output
            host.fillDisk()
            for route in ["free", "paid"] {
                for name in ["a", "b"] {
                    let answer = try await post(host, route, name, bytes: 1 << 20)
                    #expect([507, 503].contains(answer.status), "\(route): \(answer.status) \(answer.text)")
                    #expect(answer.code == "storage_full", "\(answer.text)")
                    #expect(answer.message.contains("no space left"), "\(answer.text)")
                    #expect(!answer.text.contains(host.data), "a path of the host's: \(answer.text)")
                }
            }
            #expect(try await audit(host) == before)
            #expect(try await host.swiftlet("credits", "show", "7", "--json").output == account)
            host.emptyDisk()
            for route in ["free", "paid"] {
                for name in ["a", "b"] {
                    let answer = try await eventually("room for \(route) \(name)") { () -> HTTP.Answer? in
                        let answer = try await post(host, route, name, bytes: 1 << 20)
                        return answer.status == 202 ? answer : nil
                    }
                    let job = try #require(answer.json["job"]?["id"]?.stringValue)
                    let end = try await eventually("the end of \(job)") { () -> JSON? in
                        let job = try await host.get("/v1/jobs/\(job)", [user]).json["job"]
                        return job?["state"]?.stringValue == "completed" ? job : nil
                    }
                    #expect(end["attempt"]?.intValue == 1, "\(end.text)")
                }
            }
            let after = try await eventually("the last settlement") { () -> [String: JSON]? in
                let lines = try await audit(host)
                return lines.values.allSatisfy { $0["pending"]?.intValue == 0 } ? lines : nil
            }
            #expect(after["journal"]?["accepted"]?.intValue == 6, "\(after)")
            let left = try JSON.parse(Bytes(try await host.swiftlet("credits", "show", "7", "--json").output))
            #expect(left["available"]?.intValue == 7, "\(left.text)")
        }
    }

    @Test("what runs while the disk is full is not lost: its end is written when there is room")
    func underWay() async throws {
        try await withHost { host in
            var jobs: [String] = []
            for number in 0..<20 {
                if number == 10 { host.fillDisk() }
                let answer = try await post(host, "free", "\(number)", bytes: 100_000)
                if let job = answer.json["job"]?["id"]?.stringValue { jobs.append(job) }
            }
            #expect(jobs.count >= 10)
            try await host.kill()
            host.emptyDisk()
            try await host.start()
            for job in jobs {
                _ = try await eventually("the end of \(job)") { () -> Bool? in
                    let state = try await host.get("/v1/jobs/\(job)", [user]).json["job"]?["state"]
                    return state?.stringValue == "completed" ? true : nil
                }
            }
            let lines = try await audit(host)
            #expect(lines["journal"]?["accepted"]?.intValue == jobs.count, "\(lines)")
        }
    }

    @Test("a recording that cannot be written is given up, counted and told; its invocation is as it is")
    func recording() async throws {
        try await withHost { host in
            let folder = "\(host.data)/recordings"
            func count(_ result: String) async throws -> Int {
                let name = "swiftlet_recordings_total{result=\"\(result)\"} "
                let lines = try await HTTP.get("\(host.admin)/metrics").text.split(separator: "\n")
                return lines.first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) } ?? 0
            }
            let wish = [Header("x-swiftlet-record", "1")]
            #expect(try await host.post("/echo", ["text": "before"], wish).status == 200)
            _ = try await eventually("a recording") { try await count("kept") == 1 ? true : nil }
            let before = Text.names(in: folder).sorted()
            host.fillDisk()
            let echoed = try await host.post("/echo", ["text": "meanwhile"], wish)
            #expect(echoed.status == 200 && echoed.text.contains("meanwhile"), "\(echoed.text)")
            let failed = try await host.post("/failing", [:])
            #expect(failed.status >= 400 && failed.code != "storage_full", "\(failed.text)")
            _ = try await eventually("both being given up") { try await count("given_up") == 2 ? true : nil }
            #expect(Text.names(in: folder).sorted() == before)
            // The log lies on that disk as well; what is printed does not.
            #expect(host.output.contains("invocation not recorded"), "\(host.output)")
            #expect(host.output.contains("the disk is full"), "\(host.output)")
            host.emptyDisk()
            #expect(try await host.post("/echo", ["text": "after"], wish).status == 200)
            _ = try await eventually("a recording after") { try await count("kept") == 2 ? true : nil }
        }
    }
}
