import FunctionCore
import Glibc
import TestSupport
import Testing

extension Scenarios {
    @Suite("Faults on request", .timeLimit(.minutes(2)))
    struct InjectedFaultTests {
        private func withHost(_ body: (DevHost) async throws -> Void) async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            let manifest = """
                triggers: {http: [{method: POST, path: /draw}, {method: POST, path: /later, mode: async}]}
                bindings: [text, state]
                limits: {timeout: 8s}
                retry: {attempts: 2, backoff: 10ms}
                """
            FixtureProject.write("draw", manifest, in: place.path)
            try await DevHost.run(options, body)
        }

        private func draw(_ host: DevHost, _ fault: String?) async throws -> HTTP.Answer {
            let headers = fault.map { [Header("x-swiftlet-fault", $0)] } ?? []
            return try await host.post("/draw", ["prompt": "a lamp"], headers)
        }

        @Test("a header has the provider fail, or the worker die, for that request alone")
        func header() async throws {
            try await withHost { host in
                #expect(try await draw(host, nil).status == 200)
                let limited = try await draw(host, "provider=429")
                #expect(limited.status == 429 && limited.code == "provider_rate_limited", "\(limited.text)")
                let broken = try await draw(host, "provider=500")
                #expect(broken.status == 503 && broken.code == "provider_unavailable", "\(broken.text)")
                let cut = try await draw(host, "provider=cut")
                #expect(cut.status >= 500, "\(cut.text)")
                let hung = try await draw(host, "provider=hang")
                #expect(hung.status == 504 || hung.code == "provider_unavailable", "\(hung.text)")
                let lost = try await draw(host, "worker=kill")
                #expect(lost.status == 502 && lost.message.contains("x-swiftlet-fault"), "\(lost.text)")
                #expect(try await draw(host, nil).status == 200)
                let unknown = try await draw(host, "provider=nap")
                #expect(unknown.status == 400 && unknown.message.contains("provider=429, provider=500"))
                let told = host.log("fault injected", of: "draw").compactMap { $0["fault"]?.stringValue }
                #expect(
                    Set(told).isSuperset(of: [
                        "provider=429", "provider=500", "provider=cut", "provider=hang",
                    ])
                )
            }
        }

        @Test("a request that is answered with a job has the job meet its fault, and be recorded")
        func job() async throws {
            try await withHost { host in
                for (fault, code) in [
                    ("provider=429", "provider_rate_limited"), ("worker=kill", "worker_lost"),
                ] {
                    let wish = [Header("x-swiftlet-fault", fault)]
                    let accepted = try await host.post("/later", ["prompt": "a lamp"], wish)
                    #expect(accepted.status == 202, "\(accepted.text)")
                    let id = try #require(accepted.json["job"]?["id"]?.stringValue)
                    let job = try await eventually("the end of \(id)") { () -> JSON? in
                        let job = try await host.get("/v1/jobs/\(id)").json["job"]
                        return ["failed", "completed"].contains(job?["state"]?.stringValue)
                            ? job : nil
                    }
                    #expect(job["state"] != "completed" && job.text.contains(code), "\(fault): \(job.text)")
                }
                let recorded = try await host.post(
                    "/later",
                    ["prompt": "b"],
                    [Header("x-swiftlet-record", "1")]
                )
                let id = try #require(recorded.json["job"]?["id"]?.stringValue)
                _ = try await eventually("the recording of \(id)") {
                    try await host.swiftlet("replay", id).code == 0 ? true : nil
                }
                let unknown = try await host.post("/later", [:], [Header("x-swiftlet-fault", "provider=nap")])
                #expect(unknown.status == 400 && unknown.code == "unknown_fault", "\(unknown.text)")
            }
        }

        @Test("commands have requests to the provider fail, so many and of that function")
        func provider() async throws {
            try await withHost { host in
                let armed = try await host.swiftlet(
                    "fault",
                    "provider",
                    "429",
                    "--count",
                    "1000",
                    "--function",
                    "draw"
                )
                #expect(armed.code == 0, "\(armed.all)")
                #expect(try await draw(host, nil).code == "provider_rate_limited")
                let list = try await host.swiftlet("fault", "list")
                #expect(list.lines.count == 1 && list.output.contains("provider=429"), "\(list.all)")
                #expect(try await host.swiftlet("fault", "clear").output.contains("\"cleared\":1"))
                #expect(try await draw(host, nil).status == 200)
                // One is made good by asking again.
                _ = try await host.swiftlet("fault", "provider", "500")
                #expect(try await draw(host, nil).status == 200)
                #expect(try await host.swiftlet("fault", "list").output.isEmpty)
                let wrong = try await host.swiftlet("fault", "provider", "418")
                #expect(wrong.code == 1 && wrong.errors.contains("429, 500, hang, cut"), "\(wrong.all)")
                for (words, told) in [
                    (["worker", "hang", "draw"], "`worker` must be kill, not hang"),
                    (["redis", "gone"], "`redis` must be lose, not gone"),
                    (["redis", "lose", "--for", "2h"], "from 0.1 to 3600, not 7200"),
                    (["worker", "kill", "nobody"], "there is no function nobody; there are"),
                ] {
                    let ran = try await DevHost.swiftlet(["fault"] + words + ["--data", host.data])
                    #expect(ran.code == 1 && ran.errors.contains(told), "\(words): \(ran.all)")
                }
            }
        }

        @Test("a worker is killed, and Redis is lost for a while and comes back with what it had")
        func commands() async throws {
            try await withHost { host in
                _ = try await draw(host, nil)
                let before = try await host.workers(of: "draw")
                let killed = try await host.swiftlet("fault", "worker", "kill", "draw")
                #expect(
                    killed.code == 0 && before.contains { killed.output.contains("\($0)") },
                    "\(killed.all)"
                )
                _ = try await eventually("the worker's end") {
                    before.contains(where: Text.isAlive) ? nil : true
                }
                #expect(try await draw(host, nil).status == 200)

                let lost = try await host.swiftlet("fault", "redis", "lose", "--for", "2s")
                #expect(lost.code == 0, "\(lost.all)")
                let refused = try await eventually("redis being away") { () -> HTTP.Answer? in
                    let answer = try await draw(host, nil)
                    return answer.status == 200 ? nil : answer
                }
                #expect(refused.status == 503 && refused.code == "redis_unavailable", "\(refused.text)")
                let back = try await eventually("redis being back") { () -> HTTP.Answer? in
                    let answer = try await draw(host, nil)
                    return answer.status == 200 ? answer : nil
                }
                #expect((back.json["count"]?.intValue ?? 0) >= 3, "\(back.text)")
                #expect(host.log("fault injected").contains { $0["fault"]?.stringValue == "redis=lose" })
            }
        }

        @Test("a host that serves refuses them")
        func serving() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            _ = FixtureProject.options(in: place.path)
            FixtureProject.copyBundle("", in: place.path)
            let serve = try ServeProcess(in: place.path)
            defer { serve.signal(SIGKILL) }
            let (gateway, admin) = try await serve.ready()
            let fault = [Header("x-swiftlet-fault", "worker=kill"), .json]
            let refused = try await HTTP.send("POST", "\(gateway)/echo", "{}", fault)
            #expect(refused.status == 400 && refused.code == "faults_refused", "\(refused.text)")
            let command = try await HTTP.send("POST", "\(admin)/v1/faults", #"{"provider": "429"}"#, [.json])
            #expect(command.status == 409 && command.message.contains("swiftlet dev"), "\(command.text)")
            #expect(try await HTTP.send("POST", "\(gateway)/echo", "{}", [.json]).status == 200)
            serve.signal(SIGTERM)
            _ = try await serve.ended()
        }
    }
}
