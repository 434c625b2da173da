import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("Reloading", .timeLimit(.minutes(1)))
    struct ReloadTests {
        /// A host of the fixture project with a bundle of its own, whose files do not make it reload by
        /// themselves but by `reload`.
        private func run(_ body: (DevHost, String) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("first", in: place.path)
            let route = "triggers: {http: [{method: POST, path: /start}]}"
            FixtureProject.write("start-crash", route, in: place.path)
            options.bundle = "\(place.path)/bundle"
            try await DevHost.run(options) { try await body($0, place.path) }
        }

        private func reload(_ host: DevHost) async throws -> HTTP.Answer {
            try await HTTP.send("POST", "\(host.admin)/v1/reload", Bytes())
        }

        @Test("while bundles change under load, not one request fails, and all workers are new ones after")
        func underLoad() async throws {
            try await run { host, place in
                let quick = Requests()
                let slow = Requests()
                _ = try await host.post("/echo", [:])
                _ = try await host.post("/slow", ["ms": 1])
                let before = try await host.workers(of: "echo")
                try await quick.run(lanes: 3) {
                    try await host.post("/echo", ["a": 1])
                } while: {
                    // One that runs and one that waits: both are served by the workers they came to.
                    try await slow.run(lanes: 2) {
                        try await host.post("/slow", ["ms": 150])
                    } while: {
                        for round in 1...4 {
                            FixtureProject.copyBundle("round \(round)", in: place)
                            // The host's own watch may have been first: then there is nothing left to do.
                            let answer = try await reload(host)
                            #expect(answer.status == 200, "\(answer.text)")
                            #expect(answer.json["generation"]?.intValue == round + 1)
                        }
                    }
                }
                #expect(quick.failures == [] && quick.answered > 20)
                #expect(slow.failures == [] && slow.answered > 2)
                let after = try await host.workers(of: "echo")
                #expect(!after.isEmpty && Set(before).isDisjoint(with: after))
                #expect(host.log("reloaded").count == 4)
                let old = try await eventually("the old workers' end") {
                    before.allSatisfy { !Text.isAlive($0) } ? true : nil
                }
                #expect(old)
            }
        }

        @Test("manifests, routes and schedules change; what does not change keeps its workers")
        func manifests() async throws {
            try await run { host, place in
                _ = try await host.post("/echo", [:])
                _ = try await host.post("/print", [:])
                let printers = try await host.workers(of: "print")
                let long = Bytes(String(repeating: "x", count: 2000))
                #expect(try await HTTP.send("POST", "\(host.gateway)/echo", long).status == 413)
                FixtureProject.write(
                    "echo",
                    "triggers: {http: [{method: POST, path: /new}]}\nlimits: {payload: 4KiB}",
                    in: place
                )
                let schedule = "schedule: hourly\nfunction: print\ncron: \"0 * * * *\"\n"
                Text.write(schedule.utf8, to: "\(place)/schedules/hourly.yaml")
                let ran = try await host.swiftlet("reload")
                #expect(ran.code == 0, "\(ran.all)")
                _ = try await eventually("the second generation") {
                    try await HTTP.send("POST", "\(host.gateway)/new", long).status == 200 ? true : nil
                }
                #expect(try await host.post("/echo", [:]).status == 404)
                #expect(try await host.workers(of: "print") == printers)
                _ = try await eventually("the schedule") {
                    let listed = try await host.swiftlet("schedule", "next", "print")
                    return listed.output.contains("hourly") || listed.output.contains(":00:00") ? true : nil
                }
            }
        }

        @Test("faults are told all at once, by the host's own watch as well, and nothing changes")
        func faulty() async throws {
            try await run { host, place in
                FixtureProject.write("echo", "limits: {payload: much}", in: place)
                FixtureProject.write("print", "nonsense: 1", in: place)
                let answer = try await reload(host)
                #expect(answer.status == 422 && answer.code == "reload_refused", "\(answer.text)")
                let problems = answer.json["error"]?["problems"]?.arrayValue ?? []
                #expect(problems.count == 2, "\(answer.text)")
                let ran = try await host.swiftlet("reload")
                #expect(ran.code == 1 && ran.errors.contains("nonsense"), "\(ran.all)")
                #expect(try await host.post("/echo", [:]).status == 200)
                _ = try await eventually("the watch's own look") {
                    host.log("reload refused").contains { $0["cause"]?.stringValue == "a file has changed" }
                        ? true : nil
                }
            }
        }

        /// A bundle that is a script: it sets what the fixtures' `start-crash` looks at.
        private func bundle(start: String, in place: String) {
            let script = "#!/bin/sh\nSTART=\(start) exec \(Installed.directory)/fixtures \"$@\"\n"
            Text.write(script.utf8, to: "\(place)/bundle.new")
            chmod("\(place)/bundle.new", 0o700)
            rename("\(place)/bundle.new", "\(place)/bundle")
        }

        @Test("a bundle whose workers do not start is taken back: SIGHUP changes nothing but the log")
        func rollback() async throws {
            try await run { host, place in
                bundle(start: "good", in: place)
                #expect(try await reload(host).status == 200)
                #expect(try await host.post("/start", [:]).text == "started")
                let before = try await host.workers(of: "start-crash")
                bundle(start: "trap", in: place)
                kill(try #require(host.pid), SIGHUP)
                let line = try await eventually("the reload's end") { host.log("reload taken back").first }
                #expect(line["reason"]?.stringValue?.contains("start-crash") == true, "\(line.text)")
                #expect(try await host.post("/start", [:]).text == "started")
                #expect(try await host.workers(of: "start-crash") == before)
                let told = try await host.swiftlet("reload")
                #expect(told.code == 1 && told.errors.contains("start-crash"), "\(told.all)")
                // What was wrong is put right, and the next reload passes.
                bundle(start: "good", in: place)
                let again = try await reload(host)
                #expect(again.status == 200, "\(again.text)")
                #expect(try await host.post("/start", [:]).text == "started")
            }
        }
    }
}
